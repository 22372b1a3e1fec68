"""The lines of a ledger by their kinds, written whole and read quickly: as much of each as tells what it comes to."""

from __future__ import annotations

import json
import typing
from typing import Any

import msgspec

from syncnet.inputs.discovery import FileIdentity
from syncnet.inputs.origin import Placement
from syncnet.state.record_check import check_identity, check_name
from syncnet.system.plain import read_json

FORMAT = 1


class Head(msgspec.Struct, tag_field="kind", tag="ledger"):
    """The first line."""

    format: int


class Started(msgspec.Struct, tag_field="kind", tag="started"):
    """A video is under way."""

    path: str
    identity: FileIdentity


class GivenUp(msgspec.Struct, tag_field="kind", tag="given_up"):
    """It no longer is, and has no record."""

    path: str


class Video(msgspec.Struct, tag_field="kind", tag="video"):
    """A record, of which the score is only skipped over."""

    path: str
    identity: FileIdentity
    fingerprint: str
    score: msgspec.Raw
    seconds: float
    found_in: str = ""


class Seen(msgspec.Struct, tag_field="kind", tag="seen"):
    """Its file was found again: in another input than before, or after it was gone."""

    path: str
    found_in: str


class Gone(msgspec.Struct, tag_field="kind", tag="gone"):
    """Its file is no longer where it was found."""

    path: str


class Moving(msgspec.Struct, tag_field="kind", tag="moving"):
    """The video's own file is about to go to the output folder. What came of it says the next ``placed`` line."""

    path: str


class Placed(msgspec.Struct, tag_field="kind", tag="placed"):
    """What was put under the video's name into one of the folders, or that nothing stands there any more."""

    path: str
    placement: Placement | None

    @property
    def is_move(self) -> bool:
        """Whether it is the video's own file."""
        return self.placement is not None and self.placement.mode == "move"


class Forget(msgspec.Struct, tag_field="kind", tag="forget"):
    """The records above are no longer used instead of scoring."""


LedgerLine = Head | Started | GivenUp | Video | Seen | Gone | Moving | Placed | Forget
_KINDS = frozenset(kind.__struct_config__.tag for kind in typing.get_args(LedgerLine))
_DECODER: msgspec.json.Decoder[LedgerLine] = msgspec.json.Decoder(LedgerLine)


def write_line(kind: str, **fields: Any) -> bytes:
    """A line of this kind; the values are what JSON knows."""
    # ASCII, so that names of any bytes come back as they were.
    return json.dumps({"kind": kind, **fields}, allow_nan=False).encode("ascii") + b"\n"


HEAD, FORGET = write_line("ledger", format=FORMAT), write_line("forget")


def started_line(path: str, identity: FileIdentity) -> bytes:
    return write_line("started", path=path, identity={"size": identity.size, "mtime_ns": identity.mtime_ns})


def read_line(text: bytes) -> LedgerLine | None:
    """What the line says; None for a kind of line that this version does not know. Raises ValueError for no line."""
    line = _decoded(text)
    if isinstance(line, (Started, GivenUp, Video, Seen, Gone, Moving, Placed)):
        check_name(line.path)
    if isinstance(line, (Started, Video)):
        check_identity(line.identity)
    return line


def _decoded(text: bytes) -> LedgerLine | None:
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        pass
    except RecursionError as error:
        raise ValueError("a line that is nested too deep") from error
    # Names of stray bytes are escapes that only Python's own reader lets pass.
    plain = read_json(text)
    if isinstance(plain, dict):
        if isinstance(plain.get("kind"), str) and plain["kind"] not in _KINDS:
            return None
        if "score" in plain:
            plain["score"] = msgspec.Raw(b"null" if plain["score"] is None else b"")
    line: LedgerLine = msgspec.convert(plain, LedgerLine)
    return line

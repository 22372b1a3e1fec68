"""The lines of a ledger by their kinds, written whole and read quickly: as much of each as tells what it comes to."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from syncnet.inputs.discovery import FileIdentity

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


class Moving(msgspec.Struct, tag_field="kind", tag="moving"):
    """The video's own file goes to the output folder."""

    path: str


class Forget(msgspec.Struct, tag_field="kind", tag="forget"):
    """The records above are no longer used instead of scoring."""


LedgerLine = Head | Started | GivenUp | Video | Moving | Forget
_KINDS = frozenset(kind.__struct_config__.tag for kind in (Head, Started, GivenUp, Video, Moving, Forget))
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
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError):
        pass
    # Names of stray bytes are escapes that only Python's own reader lets pass.
    plain = json.loads(text)
    if isinstance(plain, dict):
        if isinstance(plain.get("kind"), str) and plain["kind"] not in _KINDS:
            return None
        if "score" in plain:
            plain["score"] = msgspec.Raw()
    line: LedgerLine = msgspec.convert(plain, LedgerLine)
    return line

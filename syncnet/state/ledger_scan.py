"""A ledger read from its start to its end, for a look at all of its records: quickly, and holding none of them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Generic, TypeVar

import msgspec

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore
from syncnet.state.ledger_lines import FORMAT

Line = TypeVar("Line", bound="AnyLine")


class AnyLine(msgspec.Struct):
    """What the lines of each kind have of these."""

    kind: str
    path: str = ""
    format: int = 0


class BriefLine(AnyLine):
    """As much of a record as tells which video it is of, and what its score depends on."""

    identity: FileIdentity | None = None
    fingerprint: str = ""


class ScannedScore(msgspec.Struct):
    """What verdicts need of a SyncScore."""

    offset_frames: int
    confidence: float | None
    """None is written where it is no number, and becomes that."""
    evidence: Evidence | None = None

    def __post_init__(self) -> None:
        if self.confidence is None:
            self.confidence = math.nan

    @property
    def rests_on_evidence(self) -> bool:
        return SyncScore.rests_on_evidence.fget(self)  # type: ignore[attr-defined, no-any-return]


class ScannedTrack(msgspec.Struct):
    """Of a TrackScore."""

    score: ScannedScore | None = None


class ScannedConversation(msgspec.Struct):
    """Of a Conversation."""

    score: ScannedScore


class ScannedPool(msgspec.Struct):
    """Of a PooledScore."""

    tracks: list[int]
    score: ScannedScore


class ScannedVideo(msgspec.Struct):
    """Of a VideoScore."""

    tracks: list[ScannedTrack] = []
    no_track_reason: str = ""
    conversation: ScannedConversation | None = None
    pooled: list[ScannedPool] = []


class ScoredLine(AnyLine):
    """As much of a record as its verdict needs."""

    failure: str = ""
    error: str = ""
    score: ScannedVideo | None = None


class LedgerScan(Generic[Line]):
    """The lines of a ledger, with as much of each as ``kind`` has fields for; what cannot be read is counted."""

    def __init__(self, path: Path, kind: type[Line]) -> None:
        self.damaged_lines = 0
        self._path = path
        self._kind = kind
        self._decoder = msgspec.json.Decoder(kind)

    def __iter__(self) -> Iterator[tuple[bytes, Line]]:
        """Each line as it stands there, and what it says. Raises UsageError where there is no ledger."""
        with self._opened() as reader:
            for text in reader:
                # A last line without its end: a run is at work, or was killed.
                if text.endswith(b"\n") and (line := self._read(text)):
                    yield text, line

    def last_records(self) -> Iterator[Line]:
        """The last record of each video, in path order. Of the others only the place in the file is held.

        Raises UsageError where there is no ledger.
        """
        starts: dict[str, int] = {}
        brief = LedgerScan(self._path, AnyLine)
        with self._opened() as reader:
            start = 0
            for text in reader:
                if text.endswith(b"\n") and (line := brief._read(text)) and line.kind == "video":
                    starts[line.path] = start
                start += len(text)
            self.damaged_lines += brief.damaged_lines
            for path in sorted(starts):
                reader.seek(starts[path])
                if record := self._read(reader.readline()):
                    yield record

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        try:
            with open(self._path, "rb") as reader:
                yield reader
        except OSError as error:
            raise UsageError(
                f"{self._path}: {(error.strerror or '').lower()}", cure="give the output folder of an earlier run"
            ) from error

    def _read(self, text: bytes) -> Line | None:
        try:
            line = self._decoder.decode(text)
        except (msgspec.MsgspecError, UnicodeError):
            # Names of stray bytes are escapes that only Python's own reader lets pass.
            try:
                line = msgspec.convert(json.loads(text), self._kind)
            except (msgspec.MsgspecError, ValueError):
                self.damaged_lines += 1
                return None
        if line.kind == "ledger" and line.format > FORMAT:
            raise UsageError(f"{self._path} was written by a newer version of this tool", cure="use that version")
        return line

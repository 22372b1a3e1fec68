"""A ledger read from its start to its end, for the verdicts on all of its records, of which none is held."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import msgspec

from syncnet.faces.no_track import NoTrackReason, read_no_track
from syncnet.inputs.discovery import FileIdentity
from syncnet.overtime.timeline import OverTime
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore
from syncnet.state.ledger_lines import Gone, Moving, Placed, Seen, Video
from syncnet.state.ledger_state import LedgerReader, open_for_reading
from syncnet.system.plain import read_json


class ScannedScore(msgspec.Struct):
    """What verdicts need of a SyncScore."""

    offset_frames: int
    confidence: float | None
    """None is written where it is no number, and becomes that, as below."""
    evidence: Evidence | None = None
    min_distance: float | None = None

    def __post_init__(self) -> None:
        self.confidence = math.nan if self.confidence is None else self.confidence
        self.min_distance = math.nan if self.min_distance is None else self.min_distance

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
    no_track: NoTrackReason | None = None
    no_track_reason: str = ""
    """Of earlier versions."""
    conversation: ScannedConversation | None = None
    pooled: list[ScannedPool] = []
    over_time: OverTime | None = None

    def __post_init__(self) -> None:
        if self.no_track_reason:
            self.no_track = read_no_track(self.no_track_reason)


class ScoredLine(msgspec.Struct):
    """As much of a record as its verdict needs."""

    path: str

    failure: str = ""
    error: str = ""
    score: ScannedVideo | None = None
    source: str = ""
    identity: FileIdentity | None = None
    found_in: str = ""


class LedgerScan(LedgerReader):
    """The last record of each video that is not gone, in path order. Only their places in the file are held."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.moved: set[str] = set()
        """Videos whose own files are in the output folder; known, as what follows, from the first record on."""
        self.gone: set[str] = set()
        """Videos that a run did not find any more."""
        self._seen_in: dict[str, str] = {}
        """Inputs that videos were found in, where those are others than their records name."""

    def __iter__(self) -> Iterator[ScoredLine]:
        """Raises UsageError where there is no ledger, or one of a newer version."""
        decoder = msgspec.json.Decoder(ScoredLine)
        with open_for_reading(self.path) as reader:
            starts = {}
            for start, _, line in self.lines(reader):
                if isinstance(line, Video):
                    starts[line.path] = start
                    self.gone.discard(line.path)
                    self._seen_in.pop(line.path, None)
                elif isinstance(line, Gone):
                    self.gone.add(line.path)
                elif isinstance(line, Seen):
                    self.gone.discard(line.path)
                    self._seen_in[line.path] = line.found_in
                elif isinstance(line, (Moving, Placed)):
                    moved = isinstance(line, Moving) or line.is_move
                    (self.moved.add if moved else self.moved.discard)(line.path)
            for path in sorted(starts.keys() - self.gone):
                reader.seek(starts[path])
                text = reader.readline()
                try:
                    scored = decoder.decode(text)
                except (msgspec.MsgspecError, UnicodeError, RecursionError):
                    # Names of stray bytes are escapes that only Python's own reader lets pass.
                    try:
                        scored = msgspec.convert(read_json(text), ScoredLine)
                    except (msgspec.MsgspecError, ValueError):
                        self.damaged_lines += 1
                        continue
                scored.found_in = self._seen_in.get(path, scored.found_in)
                yield scored

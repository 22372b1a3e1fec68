"""A ledger read from its start to its end, for the verdicts on all of its records, of which none is held."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

import msgspec

from syncnet.faces.no_track import NoTrackReason, read_no_track
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore
from syncnet.state.ledger_lines import Video
from syncnet.state.ledger_state import LedgerReader, open_for_reading


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
    no_track: NoTrackReason | None = None
    no_track_reason: str = ""
    """Of earlier versions."""
    conversation: ScannedConversation | None = None
    pooled: list[ScannedPool] = []

    def __post_init__(self) -> None:
        if self.no_track_reason:
            self.no_track = read_no_track(self.no_track_reason)


class ScoredLine(msgspec.Struct):
    """As much of a record as its verdict needs."""

    path: str

    failure: str = ""
    error: str = ""
    score: ScannedVideo | None = None


class LedgerScan(LedgerReader):
    """The last record of each video, in path order. Of the others only the place in the file is held."""

    def __iter__(self) -> Iterator[ScoredLine]:
        """Raises UsageError where there is no ledger, or one of a newer version."""
        decoder = msgspec.json.Decoder(ScoredLine)
        with open_for_reading(self.path) as reader:
            starts = {line.path: start for start, _, line in self.lines(reader) if isinstance(line, Video)}
            for path in sorted(starts):
                reader.seek(starts[path])
                text = reader.readline()
                try:
                    yield decoder.decode(text)
                except (msgspec.MsgspecError, UnicodeError):
                    # Names of stray bytes are escapes that only Python's own reader lets pass.
                    try:
                        yield msgspec.convert(json.loads(text), ScoredLine)
                    except (msgspec.MsgspecError, ValueError):
                        self.damaged_lines += 1

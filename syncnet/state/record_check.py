"""What a record that was read has to be beside whole: a damaged or made-up one costs its video, never the run."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator

from syncnet.faces.no_track import View
from syncnet.inputs.discovery import FileIdentity
from syncnet.results import VideoScore
from syncnet.scoring.score import SHIFT_COUNT, SyncScore
from syncnet.system.names import problem_of

_MOST_BYTES = 2**63
_MOST = 2.0**53
"""Beyond it no table and no reader of JSON holds a whole number exactly."""


def check_name(path: str) -> None:
    """Raises ValueError for what is not the path of a file below a folder."""
    if problem := problem_of(path):
        raise ValueError(f"{path!r}: {problem}")
    if not path.isascii():
        # Half of a surrogate pair is no text and no byte of a name.
        os.fsencode(path)


def check_identity(identity: FileIdentity) -> None:
    """Raises ValueError for numbers that no file system has."""
    if not (0 <= identity.size < _MOST_BYTES and abs(identity.mtime_ns) < _MOST_BYTES):
        raise ValueError("a size or a time that no file has")


def check_score(score: VideoScore) -> None:
    """Raises ValueError where it says what no scoring gives."""
    check_numbers(_numbers(score))
    turns = score.conversation.turns if score.conversation else ()
    if any(not 0 <= turn.track < len(score.tracks) for turn in turns):
        raise ValueError("a turn of a track that there is not")
    for seen_as in (score.seen_as, score.no_track.seen_as if score.no_track else ""):
        if seen_as:
            View(seen_as)


def check_numbers(numbers: Iterator[float]) -> None:
    # NaN is not smaller than anything.
    if not all(abs(number) < _MOST for number in numbers):
        raise ValueError("a number that no run gives")


def _numbers(score: VideoScore) -> Iterator[float]:
    """All that are never NaN."""
    info = score.info
    yield from (info.width, info.height, info.file_bytes)
    for track in score.tracks:
        yield from track.mean_box
        yield from (track.first_frame, track.frame_count)
        if track.score is not None:
            yield from _numbers_of(track.score)
    if score.conversation:
        yield from _numbers_of(score.conversation.score)
        for turn in score.conversation.turns:
            yield from (turn.start_seconds, turn.end_seconds)


def _numbers_of(score: SyncScore) -> Iterator[float]:
    if len(score.curve) != SHIFT_COUNT:
        raise ValueError(f"a curve of {len(score.curve)} shifts")
    if not (math.isinf(score.confidence) or math.isinf(score.min_distance)):
        yield score.offset_frames
    else:
        yield math.inf
    if score.timing and score.timing.interval_ms:
        yield from score.timing.interval_ms
    if score.evidence:
        yield from (score.evidence.windows, score.evidence.agreeing)
        for piece in score.evidence.pieces:
            yield from (piece.start_seconds, piece.end_seconds, piece.offset_frames)

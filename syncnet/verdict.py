"""Score + thresholds -> verdict with reasons."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.faces.no_track import NoTrackReason, describe_no_track
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds
from syncnet.system.text import printable

MILLISECONDS_PER_FRAME = 1000 // FPS
MOST_DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person said of a video, or of a range of it. It wins over the thresholds."""

    accepted: bool
    note: str = ""

    @property
    def word(self) -> str:
        """As it is written in files."""
        return "accept" if self.accepted else "reject"

    @property
    def words(self) -> str:
        """``rejected by a person``."""
        return f"{self.word}ed by a person"

    def __str__(self) -> str:
        """``rejected by a person: it is dubbed``, on one line."""
        return f"{self.words}: {printable(self.note)}" if self.note else self.words


@dataclass(frozen=True)
class Verdict:
    """Whether a video passes, and if not, why."""

    passed: bool
    reasons: tuple[str, ...]
    """One sentence for each threshold that was missed; empty when the video passes."""
    decision: Decision | None = None
    """Of a person, where one made it; then the thresholds did not."""
    overruled: tuple[str, ...] = ()
    """What the thresholds say against a video that a person accepted."""


def judge(score: SyncScore | None, thresholds: Thresholds, no_track: NoTrackReason | None = None) -> Verdict:
    """The verdict on the best track's score, or on a video without one.

    A video passes when its confidence is at least the minimum, its distance at most the limit where there is one, its
    offset lies within the limits, wherever it is measured, all of them rest on evidence, and the lips fit most of the
    speech. What is no number never passes.
    """
    if score is None:
        return Verdict(False, (describe_no_track(no_track) if no_track else "no face track",))
    reasons = []
    evidence = score.evidence
    if not score.confidence >= thresholds.min_confidence:
        reasons.append(_low_confidence(score.confidence, thresholds.min_confidence))
    if thresholds.max_distance is not None and not score.min_distance <= thresholds.max_distance:
        reasons.append(_large_distance(score.min_distance, thresholds.max_distance))
    if evidence and evidence.level == "none":
        # An offset that nothing supports is no offset.
        reasons.append(f"no evidence of sync ({evidence.problem})")
    elif not thresholds.allow(score.offset_frames):
        reasons.append(_large_offset(score.offset_frames, thresholds))
    if evidence and not all(thresholds.allow(piece.offset_frames) for piece in evidence.pieces):
        reasons.append(describe_pieces(evidence.pieces))
    if evidence and not evidence.fits:
        reasons.append(describe_fit(evidence))
    return Verdict(not reasons, tuple(reasons))


def overrule(verdict: Verdict, decision: Decision) -> Verdict:
    """The verdict of the thresholds, after a person's word."""
    if decision.accepted:
        return Verdict(True, (), decision, verdict.reasons)
    return Verdict(False, (str(decision), *verdict.reasons), decision)


def offset_milliseconds(offset_frames: int) -> int:
    """Signed as the offset: positive means that the sound comes early."""
    return offset_frames * MILLISECONDS_PER_FRAME


def offset_direction(offset_frames: int) -> str:
    """``sound early``, ``sound late`` or ``in sync``."""
    if offset_frames == 0:
        return "in sync"
    return "sound early" if offset_frames > 0 else "sound late"


def describe_offset(offset_frames: int) -> str:
    """``sound 120 ms late``, or ``in sync``."""
    if offset_frames == 0:
        return "in sync"
    subject, when = offset_direction(offset_frames).split()
    return f"{subject} {abs(offset_milliseconds(offset_frames))} ms {when}"


def describe_score(score: SyncScore) -> str:
    """The offset in words, where something supports it; else that nothing does."""
    return describe_offset(score.offset_frames) if score.rests_on_evidence else "no evidence of sync"


def _low_confidence(confidence: float, minimum: float) -> str:
    if not math.isfinite(confidence):
        return f"confidence is not a number, {minimum} is needed"
    return f"confidence {describe_confidence(confidence, minimum)} is below {minimum}"


def _large_distance(distance: float, maximum: float) -> str:
    if not math.isfinite(distance):
        return f"distance is not a number, at most {maximum} is allowed"
    return f"distance {_told(distance, lambda value: value <= maximum)} is above {maximum}"


def describe_confidence(confidence: float, minimum: float) -> str:
    """To a tenth, as everywhere; with more decimals where 4.98 would read as the 5.0 that it misses."""
    return _told(confidence, lambda value: value >= minimum)


def _told(value: float, passes: Callable[[float], bool]) -> str:
    digits = range(1, MOST_DECIMALS) if math.isfinite(value) else ()
    shown = (f"{value:.{number}f}" for number in digits)
    return next((text for text in shown if passes(float(text)) == passes(value)), str(value))


def describe_passing(*, passed: bool) -> str:
    """The one pair of words for it."""
    return "passes" if passed else "does not pass"


def describe_pieces(pieces: Sequence[OffsetPiece]) -> str:
    """``the offset changes: +0 from 0.2 s to 5.1 s, +6 from 5.0 s to 9.8 s``."""
    stretches = (f"{p.offset_frames:+d} from {p.start_seconds:.1f} s to {p.end_seconds:.1f} s" for p in pieces)
    return f"the offset changes: {', '.join(stretches)}"


def describe_fit(evidence: Evidence) -> str:
    """``fits 0.2 - 6.4 s only: no match for 36% of the speech``."""
    return f"{describe_times(evidence)}: no match for {evidence.unmatched_share:.0%} of the speech"


def describe_times(evidence: Evidence) -> str:
    """``fits 0.2 - 6.4 s only``."""
    times = ", ".join(f"{s.start_seconds:.1f} - {s.end_seconds:.1f} s" for s in evidence.stretches if s.matched)
    return f"fits {times} only" if times else "fits nowhere"


def _large_offset(offset_frames: int, thresholds: Thresholds) -> str:
    milliseconds = abs(offset_milliseconds(offset_frames))
    direction = offset_direction(offset_frames)
    lowest, highest = thresholds.lowest_offset, thresholds.highest_offset
    limit = f"beyond {highest}" if lowest == -highest else f"not within {lowest:+d} and {highest:+d}"
    sentence = f"offset {offset_frames:+d} frames ({milliseconds} ms, {direction}) is {limit}"
    if abs(offset_frames) >= MAX_SHIFT_FRAMES:
        # Unrelated sound mostly lands here: the number is the end of the search and no measurement.
        sentence += ", at the edge of the search range: no matching shift was found"
    return sentence

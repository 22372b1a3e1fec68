"""What is known of a file -> the correction that its sound needs, or why it gets none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.overtime.along import LEAST_JUMP_MS
from syncnet.overtime.judging import judge_video
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong, Segment
from syncnet.repair.correction import Correction, Step, constant
from syncnet.results import VideoResult
from syncnet.scoring.timing import MS_PER_FRAME, Timing
from syncnet.settings import OverTimeSettings, Thresholds

LEAST_MS = 1.5 * MS_PER_FRAME
"""A smaller offset is left alone: the model's own zero is off by up to a frame from face to face, so that a repair
could make it worse."""
MOST_MS = MAX_SHIFT_FRAMES * MS_PER_FRAME
WIDEST_MS = 40.0
"""Of a 95 % interval."""
_AT_THE_ENDS = 1 / math.sqrt(3)
"""Where a line through evenly spread points is known worst, its offset has an interval so wide in that of the rise from
end to end: half from the slope and, apart from it, half by the root of three from the level in the middle."""
_TOGETHER_SECONDS = 1.0
"""So long two faces have to be heard at once to disagree."""


@dataclass(frozen=True)
class Refusal:
    """Why a file is left as it is."""

    reason: str
    cure: str = ""
    needless: bool = False
    """Because its sound is where it should be."""


Found = Correction | Refusal


def find_correction(result: VideoResult) -> Found:
    """Nothing is opened: what scoring found decides."""
    best, judged = result.best, result.over_time
    if result.status != "success" or best is None:
        return Refusal(result.error or "it has no score", result.cure)
    if result.sound_path is not None:
        return Refusal("it was scored against a sound file, not against its own sound", "move the sound in that file")
    evidence = best.evidence
    if evidence is None or evidence.level == "none":
        return Refusal(f"no evidence of sync ({evidence.problem})" if evidence else "no evidence of sync")
    if evidence.level == "weak":
        return Refusal("weak evidence: the face speaks too briefly", "use a longer part of the video")
    if not evidence.fits:
        return Refusal("the lips do not fit most of the speech", "check that the sound is of this video")
    if judged is None:
        return Refusal("its score is of an earlier version", "run the filter on its folder again")
    over_time = judged.over_time
    strong = [one for one in over_time.segments if one.evidence == "strong" and one.timing is not None]
    if not strong:
        return Refusal("no segment has strong evidence", "use a longer part of the video")
    if disagreement := _disagreement(strong):
        return Refusal(disagreement, "repair each part of the file by itself")
    seconds = result.info.duration_seconds if result.info else 0.0
    return _checked(_correction(over_time.along, best.timing, strong), seconds)


def curable_by_ms(result: VideoResult) -> float | None:
    """By how much a repair would delay the sound, in milliseconds, where it would most; below zero, bring it forward.

    None where the file would be left as it is.
    """
    found = find_correction(result)
    if isinstance(found, Refusal):
        return None
    return round(found.largest_ms(result.info.duration_seconds if result.info else 0.0), 1)


def fails_only_by_offset(result: VideoResult, thresholds: Thresholds, over_time: OverTimeSettings) -> bool:
    """Whether a video that does not pass would pass if its offset were no matter."""
    if result.passed or result.best is None or result.over_time is None or result.status != "success":
        return False
    if result.verdict and result.verdict.decision:
        # A person has rejected it.
        return False
    wide = replace(
        thresholds, max_abs_offset=MAX_SHIFT_FRAMES, min_offset=-MAX_SHIFT_FRAMES, max_offset=MAX_SHIFT_FRAMES
    )
    verdict, _ = judge_video(result.best, None, result.over_time.over_time, wide, over_time)
    return verdict.passed


def describe(correction: Correction) -> str:
    """``delay the sound by 280 ms``, and so on: for people."""
    first = correction.steps[0].delay_ms
    if correction.rate:
        pace = "faster" if correction.rate < 0 else "slower"
        return f"{_moved(first)} at the start and play it {abs(correction.rate) / 10:.3f} % {pace}"
    if len(correction.steps) == 1:
        return _moved(first)
    rest = (f"{_moved(step.delay_ms)} from {step.from_seconds:.1f} s on" for step in correction.steps[1:])
    return ", ".join([_moved(first), *rest])


def _moved(delay_ms: float) -> str:
    if round(delay_ms) == 0:
        return "leave the sound"
    return f"{'delay' if delay_ms > 0 else 'advance'} the sound by {abs(delay_ms):.0f} ms"


def _correction(along: OffsetAlong, timing: Timing | None, strong: Sequence[Segment]) -> Found:
    if along.kind == "constant" and along.offset_ms is not None:
        if wide := _too_wide(timing):
            return wide
        off = [one for one in _timings(strong) if abs(one.milliseconds - along.offset_ms) >= LEAST_JUMP_MS]
        if off:
            return Refusal("faces disagree on the offset", "repair each part of the file by itself")
        return constant(along.offset_ms)
    if along.kind == "jumps":
        return _of_jumps(along.jumps, strong)
    if along.kind == "drift" and along.drift is not None:
        return _of_drift(along.drift)
    if along.kind == "mixed":
        return Refusal("its sound both jumps and drifts", "cut the file at the jumps, and repair each part")
    return Refusal("its offset along the file is not known")


def _of_jumps(jumps: Sequence[Jump], strong: Sequence[Segment]) -> Found:
    steps = [Step(0.0, jumps[0].before_ms), *(Step(jump.at_seconds, jump.after_ms) for jump in jumps)]
    ends = [*(step.from_seconds for step in steps[1:]), math.inf]
    for step, end in zip(steps, ends, strict=True):
        inside = [one for one in strong if step.from_seconds <= (one.start_seconds + one.end_seconds) / 2 < end]
        if all(_too_wide(one) for one in _timings(inside)):
            return Refusal(
                f"the offset from {step.from_seconds:.1f} s on is known too roughly", "use a longer part of the video"
            )
    return Correction(tuple(steps))


def _of_drift(drift: Drift) -> Found:
    low, high = drift.interval_ms_per_minute
    minutes = (drift.end_seconds - drift.start_seconds) / 60
    if (high - low) * minutes * _AT_THE_ENDS > WIDEST_MS:
        return Refusal("its drift is known too roughly", "use a longer part of the video")
    rate = drift.ms_per_minute / 60
    middle = (drift.start_seconds + drift.end_seconds) / 2
    at_zero = (drift.start_ms + drift.end_ms) / 2 - rate * middle
    return Correction((Step(0.0, at_zero),), rate)


def _checked(found: Found, seconds: float) -> Found:
    if isinstance(found, Refusal):
        return found
    largest = found.largest_ms(seconds)
    if abs(largest) > MOST_MS:
        return Refusal(f"the sound is off by {abs(largest):.0f} ms, and {MOST_MS:.0f} ms is the most that is corrected")
    if abs(largest) < LEAST_MS:
        return Refusal(f"its sound is within {LEAST_MS:.0f} ms of the picture", needless=True)
    return found


def _too_wide(timing: Timing | None) -> Refusal | None:
    interval = timing.interval_ms if timing else None
    if interval is None:
        return Refusal("how sure the offset is cannot be told", "use a longer part of the video")
    width = interval[1] - interval[0]
    if width <= WIDEST_MS:
        return None
    problem = f"the offset is known to {width:.0f} ms only, and {WIDEST_MS:.0f} ms is needed"
    return Refusal(problem, "use a longer part of the video")


def _timings(segments: Sequence[Segment]) -> Iterator[Timing]:
    return (one.timing for one in segments if one.timing is not None)


def _disagreement(strong: Sequence[Segment]) -> str:
    """Two faces that are heard at once, each at an offset of its own."""
    for number, one in enumerate(strong):
        for other in strong[number + 1 :]:
            together = min(one.end_seconds, other.end_seconds) - max(one.start_seconds, other.start_seconds)
            if one.track == other.track or together < _TOGETHER_SECONDS or not (one.timing and other.timing):
                continue
            apart = abs(one.timing.milliseconds - other.timing.milliseconds)
            if apart >= LEAST_JUMP_MS:
                return f"faces disagree on the offset by {apart:.0f} ms at {one.start_seconds:.1f} s"
    return ""

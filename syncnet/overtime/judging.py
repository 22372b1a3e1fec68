"""A file's time line + thresholds -> which of its segments pass, and what follows for the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.faces.no_track import NoTrackReason
from syncnet.overtime.decided import Decided
from syncnet.overtime.timeline import OverTime, Segment
from syncnet.overtime.words import describe_changes
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore
from syncnet.settings import OverTimeSettings, Thresholds
from syncnet.verdict import Decision, Verdict, judge, overrule

Split = Callable[[Segment, float], Sequence[Segment]]
"""A segment in parts of at most so many seconds."""
NO_TIME_LINE = "no time line is stored, its score is of an earlier version: run the filter on its folder again"
NO_REASONS: dict[str, str] = {
    "no_match": "somebody speaks, but no face that is seen agrees with the sound",
    "off_screen": "somebody speaks, but no face is seen",
}
_NO_CURVE = np.empty(0, np.float32)


@dataclass(frozen=True, slots=True)
class JudgedSegment:
    """A segment, and whether it passes."""

    segment: Segment
    passes: bool
    reasons: tuple[str, ...]
    """Empty where it passes."""
    decision: Decision | None = None
    """Of a person, where one made it."""


@dataclass(frozen=True, slots=True)
class JudgedOverTime:
    """The time line of a file as the thresholds of a run see it."""

    over_time: OverTime
    segments: tuple[JudgedSegment, ...]
    """In order of time, those of the least length and more."""
    in_sync_seconds: float
    """Of the file that lie in passing segments."""
    coverage: float | None
    """Share of the speech with a face in view that lies in passing segments; None where there is no such speech."""
    off_screen_share: float | None
    """Share of the speech during which no face is seen; None where nobody speaks."""


def judge_over_time(
    over_time: OverTime,
    thresholds: Thresholds,
    settings: OverTimeSettings,
    split: Split | None = None,
    decided: Decided | None = None,
) -> JudgedOverTime:
    """``split``: takes segments apart that are longer than the settings allow."""
    segments: Iterable[Segment] = over_time.segments
    if split is not None:
        segments = [part for one in segments for part in split(one, settings.max_segment_seconds)]
    judged = tuple(_judged(one, thresholds, decided) for one in segments if one.seconds >= settings.min_segment_seconds)
    passing = [one.segment for one in judged if one.passes]
    spoken = sum(segment.speech_seconds for segment in passing)
    seen, speech = over_time.seen_speech_seconds, over_time.speech_seconds
    return JudgedOverTime(
        over_time,
        judged,
        _union_seconds(passing),
        round(min(1.0, spoken / seen), 9) if seen else None,
        round(over_time.off_screen_seconds / speech, 9) if speech else None,
    )


def judge_video(
    best: SyncScore | None,
    no_track: NoTrackReason | None,
    over_time: OverTime | None,
    thresholds: Thresholds,
    settings: OverTimeSettings,
    split: Split | None = None,
    decided: Decided | None = None,
) -> tuple[Verdict, JudgedOverTime | None]:
    """The verdict on a video, by its best face and by the whole of it, and its time line as the thresholds see it.

    ``decided``: what a person said of it. Without a score there is nothing to decide.
    """
    verdict = judge(best, thresholds, no_track)
    judged = judge_over_time(over_time, thresholds, settings, split, decided) if over_time else None
    if best is None:
        return verdict, judged
    if judged is not None:
        verdict = judge_file(verdict, judged, thresholds, settings)
    elif settings.need_time_line:
        verdict = Verdict(False, (*verdict.reasons, NO_TIME_LINE))
    return overrule(verdict, decided.video) if decided and decided.video else verdict, judged


def judge_file(best: Verdict, judged: JudgedOverTime, thresholds: Thresholds, settings: OverTimeSettings) -> Verdict:
    """The verdict on the best face, with what the whole file adds to it."""
    changes = describe_changes(judged.over_time.along, thresholds.allow)
    # The best face's own changes are among those of the file, in words of its own.
    reasons = [reason for reason in best.reasons if not (changes and reason.startswith("the offset changes"))]
    reasons += changes
    coverage, off_screen = judged.coverage or 0.0, judged.off_screen_share or 0.0
    if coverage < settings.min_coverage:
        needed = f"{settings.min_coverage:.1%} is needed"
        reasons.append(f"in sync for {coverage:.1%} of the speech with a face in view, {needed}")
    if judged.in_sync_seconds < settings.min_in_sync_seconds:
        needed = f"{settings.min_in_sync_seconds:g} s are needed"
        reasons.append(f"in sync for {judged.in_sync_seconds:.1f} s only, {needed}")
    if off_screen > settings.max_off_screen:
        share = f"{settings.max_off_screen:.1%} is allowed"
        reasons.append(f"no face is seen for {off_screen:.1%} of the speech, {share}")
    return Verdict(not reasons, tuple(reasons))


def _judged(segment: Segment, thresholds: Thresholds, decided: Decided | None) -> JudgedSegment:
    if segment.kind != "speech" or segment.offset_frames is None or segment.confidence is None:
        return JudgedSegment(segment, False, (NO_REASONS[segment.kind],))
    evidence = Evidence(segment.evidence, "its windows do not agree" if segment.evidence == "none" else "")
    score = SyncScore(segment.offset_frames, segment.confidence, 0.0, _NO_CURVE, evidence)
    # A limit of distance is one of the best face: a segment has no distance of its own.
    verdict = judge(score, thresholds)
    if decided and (decision := decided.of_segment(segment)):
        verdict = overrule(verdict, decision)
    return JudgedSegment(segment, verdict.passed, verdict.reasons, verdict.decision)


def _union_seconds(segments: Sequence[Segment]) -> float:
    """Of the file: two faces in sync at once count once. ``segments`` are in order of time."""
    seconds, reached = 0.0, 0.0
    for segment in segments:
        seconds += max(0.0, segment.end_seconds - max(segment.start_seconds, reached))
        reached = max(reached, segment.end_seconds)
    return round(seconds, 4)

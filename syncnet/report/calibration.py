"""Which thresholds fit a folder of videos that is held to be in sync, and what wrong sound they let pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.report.run import OtherSounds, Run, WrongSound, count_results
from syncnet.report.suggestion import Rate, limits_around, suggest
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds, presets_of
from syncnet.system.text import printable
from syncnet.verdict import describe_offset, judge, offset_milliseconds

KEPT_SHARES = (0.99, 0.95, 0.90)
FEW_VIDEOS = 100
"""With fewer, 99 % means all."""
FEWEST_TO_SUGGEST = 20
"""With evidence. Of 20 videos that are all kept, the true share may be 84 %."""
FEWEST_SHIFTED, ALIKE = 3, 0.9
"""So many videos, and such a share of them, have to be off alike to be called so."""
DEFAULT_LIMIT = Thresholds().max_abs_offset


@dataclass(frozen=True)
class Fit:
    """The strictest thresholds that keep a share of the videos."""

    share: float
    thresholds: Thresholds | None
    """None where no thresholds keep so many."""
    kept: int


def fit_thresholds(scores: Sequence[SyncScore], share: float) -> Fit:
    """The highest confidence, to a tenth, at the narrowest limit of offset that costs at most half of what may go.

    Where no limit is so cheap, the narrowest that leaves enough.
    """
    needed = math.ceil(share * len(scores))
    half_way = math.ceil((1 + share) / 2 * len(scores))
    counts = [sum(_passes(score, 0.0, limit) for score in scores) for limit in range(MAX_SHIFT_FRAMES + 1)]
    limit = next((m for least in (half_way, needed) for m, count in enumerate(counts) if count >= least), None)
    if limit is None or needed == 0:
        return Fit(share, None, max(counts))
    confidences = sorted((s.confidence for s in scores if _passes(s, 0.0, limit)), reverse=True)
    lowest = math.floor(confidences[needed - 1] * 10) / 10
    return Fit(share, Thresholds(lowest, limit), sum(_passes(score, lowest, limit) for score in scores))


def _passes(score: SyncScore, confidence: float, limit: int) -> bool:
    return judge(score, Thresholds(confidence, limit)).passed


def format_calibration(run: Run, folder: Path) -> str:
    """What ``--calibrate`` prints."""
    scores = [result.best for result in run.results if result.best is not None]
    counts = count_results(run.results)
    lines = [
        "",
        (
            f"{printable(str(folder))}: {counts.all} videos taken to be in sync, scored with {run.model.name}"
            f" and {run.detector.name}"
        ),
    ]
    if not scores:
        return "\n".join([*lines, "  none of them could be scored", ""])
    silent = sum(not score.rests_on_evidence for score in scores)
    lines.append(f"  {len(scores)} scored, {silent} of them without evidence, so no threshold keeps them")
    if counts.no_faces or counts.failed:
        lines.append(f"  {counts.no_faces} without a usable face and {counts.failed} failed: not counted below")
    centre, shifted = _describe_shift(scores)
    wrong = [pair.score for pair in run.other_sounds.pairs]
    lines += [*_describe_spread(scores), *_describe_wrong(run.other_sounds, len(scores)), *shifted, "", _HEAD]
    lines += [_fit_line(fit_thresholds(scores, share), scores, wrong) for share in KEPT_SHARES]
    lines += ["", _PRESET_HEAD]
    named = {**presets_of(run.model.name), "default": Thresholds()}
    lines += [_preset_line(name, thresholds, scores, wrong) for name, thresholds in named.items()]
    lines += ["", *_describe_suggestion(scores, run.other_sounds.pairs, centre)]
    if len(scores) < FEW_VIDEOS:
        lines += [f"  {len(scores)} videos are few: a share of 99 % needs at least a hundred to mean anything."]
    return "\n".join([*lines, ""])


_COLUMNS = "<22"
_SHARES = f"{'keeps':{_COLUMNS}}{'wrong sound passes':{_COLUMNS}}"
_HEAD = f"  {'to keep':<12}{_SHARES}flags"
_PRESET_HEAD = f"  {'preset':<12}{_SHARES}limits"


def _describe_spread(scores: Sequence[SyncScore]) -> list[str]:
    offsets = [score.offset_frames for score in scores]
    confidences = np.quantile([score.confidence for score in scores], [0.1, 0.5])
    low, middle, high = (int(edge) for edge in np.quantile(offsets, [0.25, 0.5, 0.75], method="nearest"))
    return [
        f"  offset: median {middle:+d} ({describe_offset(middle)}), half of them from {low:+d} to {high:+d} frames",
        f"  confidence: median {confidences[1]:.1f}, one in ten below {confidences[0]:.1f}",
    ]


def _describe_wrong(other: OtherSounds, videos: int) -> list[str]:
    if not other.pairs:
        why = "there is no other sound" if videos == 1 else "none of them could be tried"
        return [f"  with each other's sound: {why}, so nothing is known of wrong sound"]
    middle, high = np.quantile([pair.score.confidence for pair in other.pairs], [0.5, 0.9])
    told = f"{len(other.pairs)} pairs, confidence median {middle:.1f}, one in ten above {high:.1f}"
    left_out = f"; {other.same} pairs have the same sound and do not count" if other.same else ""
    return [f"  with each other's sound: {told}{left_out}"]


def _describe_shift(scores: Sequence[SyncScore]) -> tuple[int, list[str]]:
    """The offset that the folder is around, in frames, and what is said where that is not 0."""
    offsets = [score.offset_frames for score in scores if score.rests_on_evidence]
    middle = int(np.quantile(offsets, 0.5, method="nearest")) if offsets else 0
    if middle == 0:
        return 0, []
    near = sum(abs(offset - middle) <= 1 and offset * middle > 0 for offset in offsets)
    if near < max(FEWEST_SHIFTED, ALIKE * len(offsets)):
        return 0, [f"  the median offset of those with evidence is {middle:+d}, but they differ: it is no common delay"]
    limits = limits_around(middle, 0.0, DEFAULT_LIMIT)
    which = f"all {near} videos with evidence are" if near == len(offsets) else f"{near} of {len(offsets)} videos are"
    milliseconds, direction = abs(offset_milliseconds(middle)), "early" if middle > 0 else "late"
    return middle, [
        f"  {which} {milliseconds} ms {direction}, to a frame: one cause moved the sound of them all.",
        f"    Limits around it: --min_offset {limits.lowest_offset} --max_offset {limits.highest_offset}, or --repair",
    ]


def _describe_suggestion(scores: Sequence[SyncScore], pairs: Sequence[WrongSound], centre: int) -> list[str]:
    supported = sum(score.rests_on_evidence for score in scores)
    if supported < FEWEST_TO_SUGGEST or not pairs:
        few = f"{supported} of the videos have evidence, and {FEWEST_TO_SUGGEST} are needed"
        return [
            f"  no thresholds are suggested: {few if supported < FEWEST_TO_SUGGEST else 'no wrong sound was tried'}."
        ]
    suggestion = suggest(scores, pairs, centre)
    return [
        f"  suggested: {_flags(suggestion.thresholds)}",
        f"    expected to keep            {_rate(suggestion.kept)}",
        f"    wrong sound that passes     {_rate(suggestion.passed_wrong)}",
        "    It has the smallest sum of videos lost and wrong sounds that pass. Each video was judged by the pair",
        "    that the others suggest. Pairs share faces and sounds, so their interval is in truth wider.",
    ]


def _fit_line(fit: Fit, scores: Sequence[SyncScore], wrong: Sequence[SyncScore]) -> str:
    if fit.thresholds is None:
        return f"  {fit.share:<12.0%}not possible: only {_share(fit.kept, len(scores))} have evidence"
    return f"  {fit.share:<12.0%}{_both(scores, wrong, fit.thresholds)}{_flags(fit.thresholds)}"


def _preset_line(name: str, thresholds: Thresholds, scores: Sequence[SyncScore], wrong: Sequence[SyncScore]) -> str:
    limits = f"confidence >= {thresholds.min_confidence}, |offset| <= {thresholds.max_abs_offset}"
    return f"  {name:<12}{_both(scores, wrong, thresholds)}{limits}"


def _both(scores: Sequence[SyncScore], wrong: Sequence[SyncScore], thresholds: Thresholds) -> str:
    return f"{_passing(scores, thresholds):{_COLUMNS}}{_passing(wrong, thresholds):{_COLUMNS}}"


def _flags(thresholds: Thresholds) -> str:
    flags = f"--min_confidence {thresholds.min_confidence}"
    if thresholds.lowest_offset == -thresholds.highest_offset:
        return f"{flags} --max_abs_offset {thresholds.max_abs_offset}"
    return f"{flags} --min_offset {thresholds.lowest_offset} --max_offset {thresholds.highest_offset}"


def _passing(scores: Sequence[SyncScore], thresholds: Thresholds) -> str:
    return _share(sum(judge(score, thresholds).passed for score in scores), len(scores)) if scores else "not tried"


def _rate(rate: Rate) -> str:
    low, high = rate.interval
    return f"{_share(rate.count, rate.total)}, 95 % interval {low:.1%} to {high:.1%}"


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%} ({count} of {total})"

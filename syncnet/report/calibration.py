"""Which thresholds fit a folder of videos that is held to be in sync."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.report.run import Run, count_results
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds, presets_of
from syncnet.system.text import printable
from syncnet.verdict import describe_offset, judge

KEPT_SHARES = (0.99, 0.95, 0.90)
FEW_VIDEOS = 100
"""With fewer, 99 % means all."""


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
    lines += [*_describe_spread(scores), "", "  to keep   confidence   |offset|   keeps            flags"]
    lines += [_fit_line(fit_thresholds(scores, share), len(scores)) for share in KEPT_SHARES]
    lines += ["", "  preset"]
    named = {**presets_of(run.model.name), "default": Thresholds()}
    lines += [_preset_line(name, thresholds, scores) for name, thresholds in named.items()]
    if len(scores) < FEW_VIDEOS:
        lines += ["", f"  {len(scores)} videos are few: a share of 99 % needs at least a hundred to mean anything."]
    return "\n".join([*lines, ""])


def _describe_spread(scores: Sequence[SyncScore]) -> list[str]:
    offsets = [score.offset_frames for score in scores]
    confidences = np.quantile([score.confidence for score in scores], [0.1, 0.5])
    low, middle, high = (int(edge) for edge in np.quantile(offsets, [0.25, 0.5, 0.75], method="nearest"))
    lines = [
        f"  offset: median {middle:+d} ({describe_offset(middle)}), half of them from {low:+d} to {high:+d} frames",
        f"  confidence: median {confidences[1]:.1f}, one in ten below {confidences[0]:.1f}",
    ]
    if middle:
        lines.append(
            "  the median is not 0, so the whole folder is shifted: set --min_offset and --max_offset around it"
        )
    return lines


def _fit_line(fit: Fit, total: int) -> str:
    if fit.thresholds is None:
        return f"  {fit.share:>5.0%}     not possible: only {_share(fit.kept, total)} have evidence"
    confidence, limit = fit.thresholds.min_confidence, fit.thresholds.max_abs_offset
    flags = f"--min_confidence {confidence} --max_abs_offset {limit}"
    return f"  {fit.share:>5.0%}     {confidence:>10.1f}   {limit:>8}   {_share(fit.kept, total):<15}  {flags}"


def _preset_line(name: str, thresholds: Thresholds, scores: Sequence[SyncScore]) -> str:
    kept = sum(judge(score, thresholds).passed for score in scores)
    limits = f"confidence >= {thresholds.min_confidence}, |offset| <= {thresholds.max_abs_offset}"
    return f"  {name:<8}  {limits}   {_share(kept, len(scores))}"


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%} ({count} of {total})"

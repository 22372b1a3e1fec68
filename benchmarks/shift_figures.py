"""From recovered offsets to figures: error against the known timing, share within a frame, bias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES

MS_PER_FRAME = 1000 / FPS
WITHIN_FRAMES = 1.0
LOST_FRAMES = 3.0
"""An offset that is further off is no inexact one but another peak: it counts as lost, and not in the bias."""
EDGE_FRAMES = 1.0
"""Nearer than this to the end of the search, the curve has no far side to tell a peak by."""


@dataclass(frozen=True)
class Outcome:
    """What the command found in one variant."""

    clip: str
    kind: str
    delay_frames: float
    offset_frames: int | None
    """None where the video got no score."""


@dataclass(frozen=True)
class Figures:
    """A row of the table."""

    kind: str
    clips: int
    variants: int
    within_1: int
    """Variants whose error is at most one frame."""
    lost: int
    """Variants without a score, or more than three frames off."""
    bias_ms: float | None
    """Mean over clips of the mean error of those not lost. Positive: the sound was taken for earlier than it is."""
    bias_error_ms: float | None
    """Standard error of that mean over clips; None with fewer than two."""


def reference_offset(reference: Sequence[Outcome]) -> float | None:
    """A clip's own offset in frames, finer than a frame: what its variants would show had their sound not been moved.

    Each variant gives offset + delay, rounded by the command to a whole offset. The median for each fraction of a frame
    is robust; the mean over the fractions, which cover a frame evenly, undoes the rounding. None without any score.
    """
    by_fraction: dict[float, list[float]] = {}
    for outcome in reference:
        if outcome.offset_frames is not None:
            by_fraction.setdefault(outcome.delay_frames % 1.0, []).append(outcome.offset_frames + outcome.delay_frames)
    return mean(median(offsets) for offsets in by_fraction.values()) if by_fraction else None


def is_within_search(own_offset: float, delay_frames: float) -> bool:
    """Whether the offset to be found is one that the search can tell."""
    return abs(own_offset - delay_frames) <= MAX_SHIFT_FRAMES - EDGE_FRAMES


def error_frames(outcome: Outcome, own_offset: float) -> float | None:
    """Found minus true offset, against a clip whose own offset is known; None without a score."""
    return None if outcome.offset_frames is None else outcome.offset_frames - (own_offset - outcome.delay_frames)


def summarise(kind: str, outcomes: Sequence[Outcome], own_offsets: dict[str, float]) -> Figures:
    """The figures of some outcomes, of clips whose own offset is known; those beyond the search are left out."""
    counted = [
        outcome
        for outcome in outcomes
        if outcome.clip in own_offsets and is_within_search(own_offsets[outcome.clip], outcome.delay_frames)
    ]
    errors = [(outcome.clip, error_frames(outcome, own_offsets[outcome.clip])) for outcome in counted]
    found = [(clip, error) for clip, error in errors if error is not None and abs(error) <= LOST_FRAMES]
    clips = sorted({clip for clip, _ in found})
    by_clip = [mean(error for of, error in found if of == clip) * MS_PER_FRAME for clip in clips]
    return Figures(
        kind=kind,
        clips=len({outcome.clip for outcome in counted}),
        variants=len(counted),
        within_1=sum(abs(error) <= WITHIN_FRAMES for _, error in found),
        lost=len(errors) - len(found),
        bias_ms=round(mean(by_clip), 1) if by_clip else None,
        bias_error_ms=round(stdev(by_clip) / len(by_clip) ** 0.5, 1) if len(by_clip) > 1 else None,
    )


def format_table(rows: Sequence[Figures]) -> str:
    """The rows in Markdown."""
    lines = ["| variants | clips | files | within ±1 frame | lost | bias in ms |", "|---|---:|---:|---:|---:|---:|"]
    for row in rows:
        share = f"{row.within_1 / row.variants:.1%}" if row.variants else "-"
        bias = "-" if row.bias_ms is None else f"{row.bias_ms:+.1f}"
        if row.bias_error_ms is not None:
            bias += f" ± {row.bias_error_ms:.1f}"
        lines.append(f"| {row.kind} | {row.clips} | {row.variants} | {share} | {row.lost} | {bias} |")
    return "\n".join(lines)

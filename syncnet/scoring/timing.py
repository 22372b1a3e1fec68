"""A curve's minimum between the frames, and how sure it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.scoring.evidence import WINDOW_LENGTH_FRAMES, WINDOW_STEP_FRAMES

MS_PER_FRAME = 1000 / FPS
_DRAWS = 400
_MOST_WINDOWS = 200
_SEED = 1
_INTERVAL = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Timing:
    """When the sound comes, more finely than by frames. Positive: early."""

    milliseconds: float
    interval_ms: tuple[float, float] | None
    """95 % interval; None where there are too few windows to tell."""


def time_offset(curve: np.ndarray, windows: np.ndarray) -> Timing:
    """From the whole curve (31,) and those of its windows (n, 31), by a parabola through the lowest three values.

    The interval is a bootstrap over the windows. They overlap, so that only as many are drawn as fit side by side.
    """
    fine = float(parabola_offsets(curve[None])[0]) * MS_PER_FRAME
    if len(windows) < 3:
        return Timing(fine, None)
    if len(windows) > _MOST_WINDOWS:
        windows = np.stack([mean_curve(group) for group in np.array_split(windows, _MOST_WINDOWS)])
    filled = np.where(np.isfinite(windows), windows, np.nanmax(windows))
    drawn = max(2, round(len(filled) * WINDOW_STEP_FRAMES / WINDOW_LENGTH_FRAMES))
    picks = np.random.default_rng(_SEED).integers(len(filled), size=(_DRAWS, drawn))
    offsets = parabola_offsets(filled[picks].mean(axis=1)) * MS_PER_FRAME
    low, high = np.quantile(offsets, _INTERVAL)
    return Timing(fine, (min(float(low), fine), max(float(high), fine)))


def mean_curve(curves: np.ndarray) -> np.ndarray:
    """Of curves (n, 31); NaN at a shift that has no pair in any of them, which cannot be the lowest."""
    heard = np.isfinite(curves)
    sums = np.where(heard, curves, 0.0).sum(axis=0)
    return np.where(heard.any(axis=0), sums / np.maximum(heard.sum(axis=0), 1), np.nan)


def parabola_offsets(curves: np.ndarray) -> np.ndarray:
    """Offsets in frames, shape (n,), of curves of shape (n, 31): whole frames where the minimum has no neighbour."""
    lowest = np.nanargmin(curves, axis=1)
    inner = np.clip(lowest, 1, curves.shape[1] - 2)
    rows = np.arange(len(curves))
    before, here, after = (curves[rows, inner + step] for step in (-1, 0, 1))
    bend = before - 2 * here + after
    with np.errstate(divide="ignore", invalid="ignore"):
        step = 0.5 * (before - after) / bend
    usable = np.isfinite(step) & (bend > 0) & (inner == lowest)
    shifts: np.ndarray = lowest + np.where(usable, np.clip(step, -0.5, 0.5), 0.0)
    return np.asarray(MAX_SHIFT_FRAMES - shifts)

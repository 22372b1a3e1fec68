"""Numbers of each lip, by pieces of the track: of a face that is seen for hours each copy is tens of megabytes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

LIPS_AT_ONCE = 10_000
"""Their numbers may lie on the disk: 5 MB of lite's, 41 of the published ones."""


def pieces(lip_count: int) -> Iterator[slice]:
    """The lips in order, LIPS_AT_ONCE of them at a time."""
    for first in range(0, lip_count, LIPS_AT_ONCE):
        yield slice(first, min(first + LIPS_AT_ONCE, lip_count))


def lip_medians(distances: np.ndarray) -> np.ndarray:
    """Median of each lip's distances (31, W), shape (W,), float32; NaN where it has none."""
    medians = np.full(distances.shape[1], np.nan, np.float32)
    for lips in pieces(len(medians)):
        some = distances[:, lips]
        heard = np.isfinite(some).any(axis=0)
        medians[lips][heard] = np.nanmedian(some[:, heard], axis=0)
    return medians


def spread_around(distances: np.ndarray, medians: np.ndarray) -> float:
    """Standard deviation of all distances (31, W) from the medians (W,) of their lips; 0.0 where there are none."""
    count, total, squares = 0, 0.0, 0.0
    for lips in pieces(len(medians)):
        residuals = (distances[:, lips] - medians[lips]).astype(np.float64)
        residuals = residuals[np.isfinite(residuals)]
        count, total, squares = count + len(residuals), total + residuals.sum(), squares + residuals @ residuals
    # Rounded to what the distances are known to, so that it does not depend on the pieces.
    return float(np.float32(math.sqrt(max(0.0, squares / count - (total / count) ** 2)))) if count else 0.0

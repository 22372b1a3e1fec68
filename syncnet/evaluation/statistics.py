"""Values of files -> mean, median, standard deviation and the interval of the mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 10_000
INTERVAL = (2.5, 97.5)
"""Percentiles."""
_DRAWN_AT_ONCE = 1_000_000


@dataclass(frozen=True)
class Summary:
    """Of the values of one number."""

    n: int
    """Values."""
    files: int
    """That they are from."""
    mean: float
    median: float
    deviation: float | None
    """Standard deviation of a sample; None for a single value."""
    interval: tuple[float, float] | None
    """95 % bootstrap interval of the mean; None for a single file."""


def summarise(values: Sequence[Sequence[float]], seed: int, resamples: int = RESAMPLES) -> Summary | None:
    """``values``: those of each file. None where there is none.

    The interval is the percentile interval of Efron and Tibshirani, An Introduction to the Bootstrap, 1993, section
    13.3. Whole files are drawn: crops of one video are not independent of each other.
    """
    files = [np.asarray(each, np.float64) for each in values if len(each)]
    if not files:
        return None
    every = np.concatenate(files)
    deviation = float(np.std(every, ddof=1)) if len(every) > 1 else None
    interval = _interval(files, seed, resamples) if len(files) > 1 else None
    return Summary(len(every), len(files), float(every.mean()), float(np.median(every)), deviation, interval)


def _interval(files: Sequence[np.ndarray], seed: int, resamples: int) -> tuple[float, float]:
    sums = np.array([each.sum() for each in files])
    counts = np.array([len(each) for each in files])
    random = np.random.default_rng(seed)
    means = []
    rows = max(1, _DRAWN_AT_ONCE // len(files))
    for start in range(0, resamples, rows):
        drawn = random.integers(len(files), size=(min(rows, resamples - start), len(files)))
        means.append(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1))
    low, high = np.percentile(np.concatenate(means), INTERVAL)
    return float(low), float(high)

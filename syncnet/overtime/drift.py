"""A robust line through offsets along a file, and the names of known ratios."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syncnet.overtime.points import Points

TRACK_SPREAD_MS = 20.0
"""Standard deviation of the offset from face to face in files that are in sync."""
POINT_SPREAD_MS = 12.0
"""Standard deviation of a point within a track."""
_OUTLIER_MS = 120.0
_MOST_PAIRS = 200
KNOWN_RATIOS = (
    (1 / 1001, "1000/1001"),
    (41 / 1001, "24000/1001 against 25"),
    (0.04, "24 against 25"),
)
"""How far the ratio of two rates is from one, and its name."""
_RATIO_TOLERANCE = 0.01


@dataclass(frozen=True, slots=True)
class Line:
    """Offset in milliseconds = at_zero + slope * seconds."""

    at_zero: float
    slope: float
    """Milliseconds a second."""
    slope_error: float
    """Standard error."""

    def at(self, seconds: np.ndarray | float) -> np.ndarray:
        """(n,) milliseconds."""
        return np.asarray(self.at_zero + self.slope * np.asarray(seconds))


def fit_line(points: Points) -> Line | None:
    """Theil and Sen's line, then least squares without what lies far from it; None where that leaves less than a line.

    Between offsets that change to and fro the line lies in the middle, far from every point.

    The tracks of a file differ in their offset by some milliseconds, and the points of one by less; both count in the
    weights and in the error. Sources: Theil, 1950; Sen, 1968; Aitken, "On least squares", 1935.
    """
    slope = _median_slope(points.seconds, points.ms)
    at_zero = float(np.median(points.ms - slope * points.seconds))
    near = np.abs(points.ms - at_zero - slope * points.seconds) <= _OUTLIER_MS
    kept = points.chosen(near)
    if len(np.unique(kept.seconds)) < 2:
        return None
    design = np.stack([np.ones(len(kept.ms)), kept.seconds], axis=1)
    same_track = kept.track[:, None] == kept.track[None]
    covariance = TRACK_SPREAD_MS**2 * same_track + POINT_SPREAD_MS**2 * np.eye(len(kept.ms))
    weighted = np.linalg.solve(covariance, design)
    information = design.T @ weighted
    coefficients = np.linalg.solve(information, weighted.T @ kept.ms)
    residuals = kept.ms - design @ coefficients
    freedom = max(1, len(kept.ms) - 2)
    excess = max(1.0, float(residuals @ np.linalg.solve(covariance, residuals)) / freedom)
    error = float(np.sqrt(np.linalg.inv(information)[1, 1] * excess))
    return Line(float(coefficients[0]), float(coefficients[1]), error)


def _median_slope(seconds: np.ndarray, ms: np.ndarray) -> float:
    """Of all pairs of points, or of evenly chosen ones."""
    picked = np.unique(np.linspace(0, len(ms) - 1, min(len(ms), _MOST_PAIRS)).round().astype(int))
    rises, runs = (values[picked][:, None] - values[picked][None] for values in (ms, seconds))
    apart = runs > 0
    return float(np.median(rises[apart] / runs[apart])) if apart.any() else 0.0


def ratio_name(slope: float, slope_error: float) -> str:
    """Of the known ratio that a slope in milliseconds a second is, empty where there is none."""
    share = abs(slope) / 1000
    known, name = min(KNOWN_RATIOS, key=lambda ratio: abs(share - ratio[0]) / ratio[0])
    tolerance = max(_RATIO_TOLERANCE * known, min(2 * slope_error / 1000, 0.1 * known))
    return name if abs(share - known) <= tolerance else ""

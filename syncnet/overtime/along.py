"""How the offset goes along a file: constant, with jumps, as a drift, or as both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.overtime.drift import Line, fit_line, ratio_name
from syncnet.overtime.points import MOST_POINTS, Found, Points, points_along
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong
from syncnet.scoring.timing import MS_PER_FRAME

LEAST_JUMP_MS = 2.4 * MS_PER_FRAME
LEAST_DRIFT_MS = 60.0
"""Over the whole file: less is told apart from nothing by no viewer, and hardly by this."""
_SURE = 4.0
"""Standard errors that the slope of a drift is from zero."""
_NOISE_MS = 20.0
_CAPPED_MS = 150.0
"""A point that is farther off is no worse than one that is so far off."""
_NEAR_SECONDS = 2.0
"""Between segments closer than this the jump is put in the middle."""


@dataclass(frozen=True, eq=False)
class _Model:
    """An account of the points."""

    fitted: np.ndarray
    """(n,) milliseconds."""
    parameters: int
    line: Line | None = None
    levels: np.ndarray | None = None
    """(n,) int: which stretch of constant offset each point is of."""

    def cost(self, points: Points) -> float:
        """Schwarz's criterion for noise of a known least size; lower is better."""
        count = len(points.ms)
        squares = np.minimum((points.ms - self.fitted) ** 2, _CAPPED_MS**2)
        return count * math.log(float(squares.mean()) + _NOISE_MS**2) + self.parameters * math.log(max(2, count))


def offset_along(found: Sequence[Found]) -> OffsetAlong:
    """By the points of all segments with strong evidence."""
    return along_of(points_along(found))


def along_of(points: Points) -> OffsetAlong:
    """The account of the points that costs least."""
    if not len(points.ms):
        return OffsetAlong("none")
    step = math.ceil(len(points.ms) / MOST_POINTS)
    points = points.chosen(np.arange(len(points.ms)) % step == 0)
    best = min(_models(points), key=lambda model: model.cost(points))
    jumps = tuple(_jumps(points, best))
    drift = _drift(points, best.line) if best.line else None
    if drift:
        return OffsetAlong("mixed" if jumps else "drift", jumps=jumps, drift=drift)
    if jumps:
        return OffsetAlong("jumps", jumps=jumps)
    return OffsetAlong("constant", offset_ms=round(float(np.median(points.ms)), 1))


def _models(points: Points) -> Iterator[_Model]:
    yield _Model(np.full(len(points.ms), float(np.median(points.ms))), 1)
    yield _stepped(points, None)
    span = float(np.ptp(points.seconds))
    if span > 0:
        line = fit_line(points)
        if _is_drift(line, span):
            yield _Model(line.at(points.seconds), 2, line)
        inner = _slope_within(points)
        if inner and _is_drift(inner, span):
            yield _stepped(points, inner)


def _is_drift(line: Line, span_seconds: float) -> bool:
    return abs(line.slope) * span_seconds >= LEAST_DRIFT_MS and abs(line.slope) >= _SURE * line.slope_error


def _stepped(points: Points, line: Line | None) -> _Model:
    """Stretches of constant offset, beside the slope of a line."""
    rise = line.slope * points.seconds if line else np.zeros(len(points.ms))
    flat = points.ms - rise
    levels = _levels(flat, points.segment)
    fitted = np.array([np.median(flat[levels == level]) for level in levels]) + rise
    return _Model(fitted, 2 * int(levels.max()) + 1 + bool(line), line, levels)


def _levels(ms: np.ndarray, segment: np.ndarray) -> np.ndarray:
    """Which stretch each point is of, (n,) int: segment by segment, a new one where the offset jumps."""
    levels = np.zeros(len(ms), int)
    start = 0
    for number in np.unique(segment):
        own = np.flatnonzero(segment == number)
        if own[0] > start and abs(np.median(ms[own]) - np.median(ms[start : own[0]])) >= LEAST_JUMP_MS:
            levels[own[0] :] += 1
            start = own[0]
    return levels


def _slope_within(points: Points) -> Line | None:
    """The slope that the points have within tracks, whatever the tracks' own offsets are."""
    middles = {track: points.track == track for track in np.unique(points.track)}
    seconds, ms = points.seconds.copy(), points.ms.copy()
    for mask in middles.values():
        seconds[mask] -= seconds[mask].mean()
        ms[mask] -= np.median(ms[mask])
    squares = float(seconds @ seconds)
    freedom = len(ms) - len(middles) - 1
    if squares <= 0 or freedom < 3:
        return None
    slope = float(seconds @ ms) / squares
    spread = max(_NOISE_MS / 2, float(np.sqrt(((ms - slope * seconds) ** 2).sum() / freedom)))
    return Line(0.0, slope, spread / math.sqrt(squares))


def _jumps(points: Points, model: _Model) -> Iterator[Jump]:
    if model.levels is None:
        return
    for before, after in itertools.pairwise(range(len(points.ms))):
        if model.levels[before] == model.levels[after]:
            continue
        number = int(points.segment[before])
        last, first = points.segments[number], points.segments[int(points.segment[after])]
        at = first.start_seconds
        if at - last.end_seconds <= _NEAR_SECONDS:
            at = (last.end_seconds + at) / 2
        elif number in points.broken_off:
            at = last.end_seconds
        earliest = min(last.end_seconds, at)
        old, new = (round(float(model.fitted[place]), 1) for place in (before, after))
        yield Jump(round(at, 2), round(earliest, 2), old, new)


def _drift(points: Points, line: Line) -> Drift:
    start, end = points.segments[0].start_seconds, max(one.end_seconds for one in points.segments)
    middle = float(np.median(points.ms - line.slope * points.seconds))
    rate, error = 60 * line.slope, 60 * line.slope_error
    return Drift(
        round(rate, 2),
        (round(rate - 1.96 * error, 2), round(rate + 1.96 * error, 2)),
        start,
        round(middle + line.slope * start, 1),
        end,
        round(middle + line.slope * end, 1),
        ratio_name(line.slope, line.slope_error),
    )

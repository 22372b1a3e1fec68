"""How the offset goes along a file: constant, with jumps, as a drift, or as both."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.overtime.drift import POINT_SPREAD_MS, Line, fit_line, ratio_name
from syncnet.overtime.points import MOST_POINTS, Found, Points, points_along
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong
from syncnet.scoring.timing import MS_PER_FRAME

LEAST_JUMP_MS = 2.4 * MS_PER_FRAME
LEAST_DRIFT_MS = 60.0
"""Over the whole file: less is told apart from nothing by no viewer, and hardly by this."""
FEWEST_SEGMENTS = 6
"""Of a drift that is not seen within the tracks themselves."""
_SURE = 4.0
"""Standard errors that the slope of a drift is from zero."""
_SEGMENT_SPREAD_MS = 20.0
"""Standard deviation of the offset from segment to segment where it is constant."""
_LEVEL_COST = 10.0
"""In natural units of likelihood, that a further level has to be worth; a slope has to be worth _SLOPE_COST."""
_SLOPE_COST = 3.0
_MOST_COST = 40.0
"""No segment is surer than that."""
_CHANCE_ODDS = 8.0
"""What a wrong voice has somewhere in its lips and shifts: so much less speaks for the offset of a segment."""
_LEVEL_STEP_MS = 10.0
_NEAR_SECONDS = 2.0
"""Between segments closer than this the jump is put in the middle."""


@dataclass(frozen=True, eq=False)
class _Model:
    """An account of the points."""

    fitted: np.ndarray
    """(n,) milliseconds."""
    line: Line | None = None
    levels: np.ndarray | None = None
    """(n,) int: which stretch of constant offset each point is of."""
    kept: np.ndarray | None = None
    """(n,) bool: whether its segment has the offset of the stretch."""

    def cost(self, points: Points) -> float:
        """By the middles of the segments: log likelihood, and what is paid for levels and slope; lower is better."""
        misses = _by_segment(points.ms - self.fitted, points.segment)
        likelihood = np.minimum((misses / _SEGMENT_SPREAD_MS) ** 2 / 2, _most_costs(points)).sum()
        levels = 0 if self.levels is None else int(self.levels.max())
        return float(likelihood) + _LEVEL_COST * levels + (_SLOPE_COST if self.line else 0.0)


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
    yield _Model(np.full(len(points.ms), float(np.median(points.ms))))
    yield _stepped(points, None)
    span = float(np.ptp(points.seconds))
    if span > 0:
        line, inner = fit_line(points), _slope_within(points)
        # Through few segments there is always a line, also where the offset jumps between them.
        known = len(np.unique(points.segment)) >= FEWEST_SEGMENTS or (inner is not None and _is_drift(inner, span))
        if known and line and _is_drift(line, span):
            yield _Model(line.at(points.seconds), line)
        if inner and _is_drift(inner, span):
            yield _stepped(points, inner)


def _is_drift(line: Line, span_seconds: float) -> bool:
    return abs(line.slope) * span_seconds >= LEAST_DRIFT_MS and abs(line.slope) >= _SURE * line.slope_error


def _stepped(points: Points, line: Line | None) -> _Model:
    """Stretches of constant offset, beside the slope of a line."""
    rise = line.slope * points.seconds if line else np.zeros(len(points.ms))
    flat = points.ms - rise
    _, place = np.unique(points.segment, return_inverse=True)
    levels, kept = (one[place] for one in _levels(_by_segment(flat, points.segment), _most_costs(points)))
    middles = [float(np.median(flat[kept & (levels == level)])) for level in range(int(levels.max()) + 1)]
    return _Model(np.array(middles)[levels] + rise, line, levels, kept)


def _most_costs(points: Points) -> np.ndarray:
    """What each segment with points costs at most, (n,): what it takes to believe that chance has made it."""
    return np.asarray(np.clip(points.odds[np.unique(points.segment)] - _CHANCE_ODDS, 1.0, _MOST_COST))


def _by_segment(values: np.ndarray, segment: np.ndarray) -> np.ndarray:
    """The median of each segment's points, in order of time."""
    return np.array([np.median(values[segment == number]) for number in np.unique(segment)])


def _levels(ms: np.ndarray, most_costs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which stretch each segment is of, (n,) int, and whether it has the offset of the stretch, (n,) bool.

    The cheapest way to part them, in steps that are jumps. Source: Viterbi's algorithm over possible offsets, whose
    best source is found without a table of all pairs: beside the slope of a drift, hours have thousands of offsets.
    """
    grid = np.arange(ms.min(), ms.max() + _LEVEL_STEP_MS, _LEVEL_STEP_MS)
    far = int(np.searchsorted(grid - grid[0], LEAST_JUMP_MS))
    best, came_from = np.minimum(_miss_costs(ms[0], grid), most_costs[0]), []
    for own_ms, most_cost in zip(ms[1:], most_costs[1:], strict=True):
        source, best = _cheapest_ways(best, far)
        came_from.append(source)
        best += np.minimum(_miss_costs(own_ms, grid), most_cost)
    path = [int(best.argmin())]
    for source in came_from[::-1]:
        path.append(int(source[path[-1]]))
    places = np.array(path[::-1])
    levels = np.cumsum(np.diff(places, prepend=places[0]) != 0)
    return levels, _miss_costs(ms, grid[places]) <= most_costs


def _miss_costs(ms: np.ndarray | float, level_ms: np.ndarray) -> np.ndarray:
    return np.asarray(((ms - level_ms) / _SEGMENT_SPREAD_MS) ** 2 / 2)


def _cheapest_ways(costs: np.ndarray, far: int) -> tuple[np.ndarray, np.ndarray]:
    """To each place from the cheapest one: itself, or for the price of a jump one that is ``far`` places away or more.

    ``costs`` (g,) of being at each place before -> sources (g,) int32, and costs (g,). Of equals the first is taken.
    """
    count = len(costs)
    ways = np.full((3, count), np.inf)
    sources = np.tile(np.arange(count, dtype=np.int32), (3, 1))
    ways[1] = costs
    if far < count:
        below, above = _first_of_least(costs), count - 1 - _last_of_least(costs[::-1])[::-1]
        sources[0, far:], sources[2, :-far] = below[:-far], above[far:]
        ways[0, far:] = costs[sources[0, far:]] + _LEVEL_COST
        ways[2, :-far] = costs[sources[2, :-far]] + _LEVEL_COST
    chosen, places = ways.argmin(axis=0), np.arange(count)
    return sources[chosen, places], ways[chosen, places]


def _first_of_least(values: np.ndarray) -> np.ndarray:
    """For each place, the first place up to it with the least value so far."""
    least = np.minimum.accumulate(values)
    falls = np.concatenate([[True], least[1:] < least[:-1]])
    return np.asarray(np.maximum.accumulate(np.where(falls, np.arange(len(values)), 0)))


def _last_of_least(values: np.ndarray) -> np.ndarray:
    """For each place, the last place up to it with the least value so far."""
    least = np.minimum.accumulate(values)
    return np.asarray(np.maximum.accumulate(np.where(values == least, np.arange(len(values)), 0)))


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
    spread = max(POINT_SPREAD_MS, float(np.sqrt(((ms - slope * seconds) ** 2).sum() / freedom)))
    return Line(0.0, slope, spread / math.sqrt(squares))


def _jumps(points: Points, model: _Model) -> Iterator[Jump]:
    if model.levels is None or model.kept is None:
        return
    for before, after in itertools.pairwise(np.flatnonzero(model.kept).tolist()):
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

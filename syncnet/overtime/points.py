"""Segments of a file -> the offset at places along it, finer than by frames."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import FPS
from syncnet.overtime.timeline import Segment
from syncnet.scoring.evidence import WINDOW_LENGTH_FRAMES
from syncnet.scoring.timing import MS_PER_FRAME, mean_curve, parabola_offsets

BLOCK_WINDOWS = 10
"""Neighbouring windows that make one point: four seconds."""
MOST_POINTS = 400
SURE_ODDS = 18.0
"""Log odds of all lips of a range: chance alone rarely reaches them at any of the 29 offsets."""
_FARTHEST_MS = 2.5 * MS_PER_FRAME
"""Of a point from the offset of its segment: its windows found something else."""


@dataclass(frozen=True, eq=False)
class Found:
    """A segment whose lips fit, with its windows. Of two hours of faces they are 2 MB, their distances 22."""

    segment: Segment
    window_starts: np.ndarray
    """(n,) int: frames of the video at which its windows start."""
    curves: np.ndarray
    """(n, 31): of the windows."""
    odds: float
    """Log odds that its lips fit at its offset, against fitting nowhere: the sum over its lips."""
    broken_off: bool = False
    """Whether the lips end to fit while the track and the speech go on."""


@dataclass(frozen=True, eq=False)
class Points:
    """Offsets along a file, in order of time."""

    seconds: np.ndarray
    """(n,) middles of the blocks."""
    ms: np.ndarray
    """(n,) offsets; positive: the sound comes early."""
    track: np.ndarray
    """(n,) int: positions of the tracks."""
    segment: np.ndarray
    """(n,) int: positions of the segments in ``segments``."""
    segments: tuple[Segment, ...]
    """Those with points, in order of time."""
    odds: np.ndarray
    """(segments,): log odds that each is a match at all."""
    broken_off: frozenset[int] = frozenset()
    """Positions of segments that end while their track and the speech go on."""

    def chosen(self, mask: np.ndarray) -> Points:
        """Some of them."""
        return Points(
            self.seconds[mask],
            self.ms[mask],
            self.track[mask],
            self.segment[mask],
            self.segments,
            self.odds,
            self.broken_off,
        )


def points_along(found: Sequence[Found]) -> Points:
    """A point for every four seconds of each segment that has strong evidence, or lips that say as much."""
    seconds, ms, segment, odds = [], [], [], []
    segments: list[Segment] = []
    broken_off = set()
    for one in sorted(found, key=lambda one: one.segment.start_seconds):
        sure = one.segment.evidence == "strong" or one.odds >= SURE_ODDS
        if not sure or one.segment.offset_frames is None:
            continue
        starts, curves = one.window_starts, one.curves
        middle_ms = one.segment.offset_frames * MS_PER_FRAME
        parts = max(1, round(len(curves) / BLOCK_WINDOWS))
        added = False
        for block, first in zip(np.array_split(curves, parts), np.array_split(starts, parts), strict=True):
            if not len(block):
                continue
            offset = float(parabola_offsets(mean_curve(block)[None])[0]) * MS_PER_FRAME
            if abs(offset - middle_ms) <= _FARTHEST_MS:
                seconds.append((float(first.mean()) + WINDOW_LENGTH_FRAMES / 2) / FPS)
                ms.append(offset)
                segment.append(len(segments))
                added = True
        if added:
            if one.broken_off:
                broken_off.add(len(segments))
            segments.append(one.segment)
            odds.append(one.odds)
    numbers = np.array(segment, int)
    tracks = np.array([one.track for one in segments], int)
    return Points(
        np.array(seconds),
        np.array(ms),
        tracks[numbers],
        numbers,
        tuple(segments),
        np.array(odds),
        frozenset(broken_off),
    )

"""Where a jump is, by the lips around it: also by those that say too little to be a segment."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.overtime.matches import SeenFace
from syncnet.overtime.timeline import Jump, OffsetAlong
from syncnet.scoring.timing import MS_PER_FRAME
from syncnet.scoring.turns import TrackTable

AROUND_SECONDS = 5.0
"""So far before the last segment of the old offset and behind the first one of the new."""
CUT_GAIN = 2.5
"""In natural units of likelihood: more edits are made at cuts than elsewhere."""
LEAST_GAIN = 3.0
"""For a place to be better than the one that the segments give."""

Told = Callable[[TrackTable], tuple[np.ndarray, np.ndarray]]
"""Of a track, the frames of its lips that count, (n,) int, and their log odds by shift, (31, n)."""


def place_jumps(along: OffsetAlong, faces: Sequence[SeenFace], told: Told) -> OffsetAlong:
    """The same jumps at their likeliest places."""
    return replace(along, jumps=tuple(_placed(along.jumps, faces, told)))


def _placed(jumps: Sequence[Jump], faces: Sequence[SeenFace], told: Told) -> Iterator[Jump]:
    reached = 0.0
    for place, jump in enumerate(jumps):
        last = jumps[place + 1].earliest_seconds if place + 1 < len(jumps) else jump.at_seconds + AROUND_SECONDS
        start = max(reached, min(jump.earliest_seconds, jump.at_seconds) - AROUND_SECONDS)
        end = min(last, jump.at_seconds + AROUND_SECONDS)
        placed = _likeliest(jump, round(start * FPS), round(end * FPS), faces, told) if start < end else jump
        reached = placed.at_seconds
        yield placed


def _likeliest(jump: Jump, start: int, end: int, faces: Sequence[SeenFace], told: Told) -> Jump:
    """``start``, ``end``: frames between which it may be."""
    gains = np.zeros(end - start + 1)
    """By the place of the jump: what all lips before it say for the old offset rather than the new one."""
    old, new = (MAX_SHIFT_FRAMES - round(ms / MS_PER_FRAME) for ms in (jump.before_ms, jump.after_ms))
    for face in faces:
        if face.first_frame < end and face.end_frame > start and face.table is not None:
            frames, odds = told(face.table)
            inside = (frames >= start) & (frames < end)
            gains[frames[inside] - start + 1] += (odds[old] - odds[new])[inside]
    gains = gains.cumsum()
    cuts = {frame - start for face in faces for frame in (face.first_frame, face.end_frame) if start <= frame <= end}
    gains[sorted(cuts)] += CUT_GAIN
    known = min(max(round(jump.at_seconds * FPS), start), end) - start
    if gains.max() - gains[known] < LEAST_GAIN:
        return jump
    best = np.flatnonzero(gains >= gains.max() - 1e-6)
    at_seconds = float(start + best[np.abs(best - known).argmin()]) / FPS
    return replace(jump, at_seconds=at_seconds, earliest_seconds=min(jump.earliest_seconds, at_seconds))

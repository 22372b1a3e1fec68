"""At which offset the lips of a track fit the sound, lip by lip, and where they fit at none."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES

NO_MATCH = -1
_ROWS = 2 * MAX_SHIFT_FRAMES - 1
"""Shifts but the two at the edges of the search, which mean that nothing was found."""
_LEAVE = math.log(0.01)
"""That a match ends at a lip: once in four seconds. A face that speaks in sync mostly goes on to its cut."""
_ENTER = math.log(0.01 / _ROWS)
_LEAP = math.log(0.002 / _ROWS)
"""That one offset follows another at once: an edit of the sound."""
_STEP = math.log(0.002)
"""That the next offset follows: a drift crosses the border between two frames."""
_FIRST = math.log(0.5)
"""That the first lip of a track is in a match, and that it is in none."""
_HELD_FRAMES = 1
"""An offset may differ by so much from that at which its run began: noise at the border of two frames."""


def match_path(told: np.ndarray, known_rows: Collection[int] = ()) -> np.ndarray:
    """The likeliest row of ``told`` at each lip, (n,) int, or NO_MATCH.

    ``told`` (31, n): log odds that a lip fits the sound at the shift of a row, against fitting nowhere. ``known_rows``:
    those that a match of this track most likely has, by what else is known of it.
    Source: Viterbi's algorithm; Rabiner, "A tutorial on hidden Markov models", 1989, section III B.
    """
    rows, count = told.shape
    none, stay = rows, np.arange(rows)
    came_from = np.empty((count, rows + 1), np.int8)
    enter = np.full(rows, _ENTER)
    for known_row in known_rows:
        enter[max(0, known_row - _HELD_FRAMES) : known_row + _HELD_FRAMES + 1] = _LEAVE
    told = told.T.copy()
    told[:, [0, -1]] = -np.inf
    # A shot begins in a match as likely as not.
    odds, odds_none = enter + (_FIRST - _LEAVE), _FIRST
    odds[[0, -1]] = -np.inf
    # Ways into each row: to stay, out of no match, from the best row, and from the next ones.
    ways = np.full((5, rows), -np.inf)
    sources = np.stack([stay, np.full(rows, none), stay, stay + 1, stay - 1]).astype(np.int8)
    for lip in range(count):
        best = int(odds.argmax())
        highest = float(odds[best])
        ways[0], ways[1], ways[2], sources[2] = odds, odds_none + enter, highest + _LEAP, best
        ways[3, :-1], ways[4, 1:] = odds[1:] + _STEP, odds[:-1] + _STEP
        chosen = ways.argmax(axis=0)
        came_from[lip, :rows] = sources[chosen, stay]
        came_from[lip, none] = none if odds_none >= highest + _LEAVE else best
        odds_none = max(odds_none, highest + _LEAVE)
        odds = ways[chosen, stay] + told[lip]
    return _traced(came_from, int(odds.argmax()) if odds.max() > odds_none else none, none)


def _traced(came_from: np.ndarray, state: int, none: int) -> np.ndarray:
    path = np.empty(len(came_from), np.int64)
    for lip in range(len(came_from) - 1, -1, -1):
        path[lip] = NO_MATCH if state == none else state
        state = int(came_from[lip, state])
    return path


def matched_runs(path: np.ndarray, lips: np.ndarray) -> list[tuple[int, int]]:
    """Half-open ranges of ``path`` at whose lips the offset holds, with no pause of more than a second in them.

    ``lips`` (n,) int: the frame of each lip of the path, rising.
    """
    runs: list[tuple[int, int]] = []
    level = NO_MATCH
    pairs = itertools.pairwise([int(lips[0]) if len(lips) else 0, *lips.tolist()])
    for place, (row, (before, lip)) in enumerate(zip(path.tolist(), pairs, strict=True)):
        goes_on = level != NO_MATCH and row != NO_MATCH and abs(row - level) <= _HELD_FRAMES and lip - before <= FPS
        if goes_on:
            runs[-1] = (runs[-1][0], place + 1)
        elif row == NO_MATCH:
            level = NO_MATCH
        else:
            level = row
            runs.append((place, place + 1))
    return runs

"""Where along a track the lips fit the sound, and where somebody speaks and they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES

_CLEAR_QUANTILE = 0.75
"""How well a track fits where it fits: that of its seconds. Half of a track may have another voice."""
_CHANGE_COST = 6.0
"""In lips that fit, or do not, as well as a clear one. A change of state that pays less is noise."""
_CLEAR_LIPS = FPS
_BORDER = 0.35
"""Of a clear fit: below it a lip speaks against the match."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the video in which somebody speaks beside a face."""

    start_seconds: float
    end_seconds: float
    speech_seconds: float
    matched: bool
    """Whether the lips fit the sound at the offset."""


def find_stretches(
    distances: np.ndarray, offsets: np.ndarray, speech: np.ndarray, first_frame: int
) -> tuple[Stretch, ...]:
    """Stretches in order, of the lips that count.

    ``distances`` (31, W): NaN for lips that do not count. ``offsets`` (W,) int: the offset that holds at each lip.
    ``speech`` (W,) bool: whether somebody speaks at it. ``first_frame``: the video's frame of lip 0.
    """
    lips = np.flatnonzero(np.isfinite(distances).any(axis=0))
    if not len(lips):
        return ()
    matched = _likeliest_states(_fit(distances[:, lips], offsets[lips]))
    starts = np.flatnonzero(np.diff(matched, prepend=not matched[0]) | (np.diff(lips, prepend=lips[0]) > FPS))
    stretches = []
    for start, end in zip(starts, [*starts[1:], len(lips)], strict=True):
        spoken = lips[start:end][speech[lips[start:end]]]
        if len(spoken):
            first, last = (float(first_frame + lip) / FPS for lip in (lips[start], lips[end - 1] + 1))
            stretches.append(Stretch(first, last, len(spoken) / FPS, bool(matched[start])))
    return tuple(stretches)


def leave_to_others(stretches: Sequence[Stretch], others: Sequence[Stretch]) -> tuple[Stretch, ...]:
    """The stretches without the parts of unmatched ones that the lips of another face fit, which speaks there."""
    left: list[Stretch] = []
    taken = sorted((other.start_seconds, other.end_seconds) for other in others if other.matched)
    for stretch in stretches:
        if stretch.matched:
            left.append(stretch)
            continue
        start = stretch.start_seconds
        for first, last in [*taken, (stretch.end_seconds, stretch.end_seconds)]:
            end = min(max(first, start), stretch.end_seconds)
            if end > start:
                left.append(_part(stretch, start, end))
            start = max(start, min(last, stretch.end_seconds))
    return tuple(left)


def _part(stretch: Stretch, start: float, end: float) -> Stretch:
    share = (end - start) / (stretch.end_seconds - stretch.start_seconds)
    return replace(stretch, start_seconds=start, end_seconds=end, speech_seconds=share * stretch.speech_seconds)


def _fit(distances: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """How well each lip fits at its offset, (W,): 1 about where it fits clearly, 0 about for a stranger's voice."""
    places = MAX_SHIFT_FRAMES - offsets
    own = distances[places, np.arange(distances.shape[1])]
    depth = np.nan_to_num(np.nanmedian(distances, axis=0) - own)
    seconds = np.convolve(depth, np.full(min(_CLEAR_LIPS, len(depth)), 1 / min(_CLEAR_LIPS, len(depth))), "valid")
    clear = float(np.quantile(seconds, _CLEAR_QUANTILE))
    return depth / clear if clear > 0 else np.zeros(len(depth))


def _likeliest_states(fit: np.ndarray) -> np.ndarray:
    """Whether each lip is in a stretch that matches, bool: the fewest changes that explain most (Viterbi)."""
    gains = np.stack([_BORDER - fit, fit - _BORDER], axis=1)
    totals = gains[0].copy()
    stays = np.ones((len(fit), 2), bool)
    for lip in range(1, len(fit)):
        changed = totals[::-1] - _CHANGE_COST
        stays[lip] = totals >= changed
        totals = np.where(stays[lip], totals, changed) + gains[lip]
    states = np.empty(len(fit), bool)
    state = int(totals[1] >= totals[0])
    for lip in range(len(fit) - 1, -1, -1):
        states[lip] = bool(state)
        state = state if stays[lip, state] else 1 - state
    return states

"""Where along a track the lips fit the sound, and where somebody speaks and they do not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.scoring.lips import lip_medians, spread_around
from syncnet.scoring.speech import LONG_PAUSE_FRAMES, pauses

_BORDER = 0.6
"""Of the spread of a track's distances: so deep a lip speaks for neither. Those of speakers in sync lie 1.3 below their
median in the mean, those of strangers 0.05, and both scatter by 1 (98 clips)."""
_WEIGHT = 0.4
"""Log odds that a lip is worth for each unit beyond the border. Alone it would be worth three times as much, but
neighbours share ten of their eleven frames."""
_SEEN_FRAMES = 5
"""To either side of a lip, by its embedding and that of the sound."""
_CHANGE_CHANCE = 0.02
"""That a match begins or ends at a lip: once in two seconds."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the video in which somebody speaks beside a face."""

    start_seconds: float
    end_seconds: float
    speech_seconds: float
    matched_seconds: float
    """Of these, as likely as the lips fit the sound at the offset in each frame."""

    @property
    def matched(self) -> bool:
        """Whether the lips fit."""
        return self.matched_seconds >= self.speech_seconds / 2


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
    medians = lip_medians(distances)
    own = distances[MAX_SHIFT_FRAMES - offsets[lips], lips]
    told = _told(own, medians[lips], spread_around(distances, medians), _beside_pause(speech)[lips])
    chances = _match_chances(told)
    matched = chances >= 0.5
    starts = np.flatnonzero(np.diff(matched, prepend=not matched[0]) | (np.diff(lips, prepend=lips[0]) > FPS))
    stretches = []
    for start, end in zip(starts, [*starts[1:], len(lips)], strict=True):
        first, last = (float(first_frame + lip) / FPS for lip in (lips[start], lips[end - 1] + 1))
        spoken = chances[start:end][speech[lips[start:end]]]
        if len(spoken):
            stretches.append(Stretch(first, last, len(spoken) / FPS, float(spoken.sum()) / FPS))
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
    return Stretch(start, end, share * stretch.speech_seconds, share * stretch.matched_seconds)


def told_by_shift(distances: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """Log odds (31, W) that a lip fits the sound at a shift, against fitting it nowhere.

    By how far its distance lies below the median of its distances, in the spread of all distances of the track.
    """
    medians = lip_medians(distances)
    return _told(distances, medians, spread_around(distances, medians), _beside_pause(speech))


def _told(distances: np.ndarray, medians: np.ndarray, spread: float, beside_pause: np.ndarray) -> np.ndarray:
    """Of some distances (..., n) of lips whose medians are (n,), by the spread of all distances of the track."""
    # In place: of two hours each copy takes 22 MB.
    told: np.ndarray = medians - distances
    told /= spread if spread > 0 else np.inf
    np.nan_to_num(told, copy=False)
    told -= _BORDER
    told *= _WEIGHT
    told[..., beside_pause] = np.maximum(told[..., beside_pause], 0.0)
    return told


def _beside_pause(speech: np.ndarray) -> np.ndarray:
    """Frames whose embedding sees into a long pause, bool: one shift looks like another there."""
    near = np.zeros(len(speech), bool)
    for start, end in pauses(speech):
        if end - start >= LONG_PAUSE_FRAMES:
            near[max(0, start - _SEEN_FRAMES) : end + _SEEN_FRAMES] = True
    return near


def _match_chances(told: np.ndarray) -> np.ndarray:
    """How likely each lip fits, (W,), by what all before and behind it tell: forward-backward over two states.

    ``told``: the log odds of each lip. Source: Rabiner, "A tutorial on hidden Markov models", 1989, section III A.
    """
    before, behind = _carried(told.tolist()), _carried(told[::-1].tolist())[::-1]
    odds = np.array(before) + told + np.array(behind)
    return np.asarray(1 / (1 + np.exp(-odds)))


def _carried(told: Sequence[float]) -> list[float]:
    """What the lips before each one say of it, as log odds."""
    carried, odds = [0.0], 0.0
    for own in told[:-1]:
        match = math.exp(min(50.0, max(-50.0, odds + own)))
        odds = math.log(((1 - _CHANGE_CHANCE) * match + _CHANGE_CHANCE) / (_CHANGE_CHANCE * match + 1 - _CHANGE_CHANCE))
        carried.append(odds)
    return carried

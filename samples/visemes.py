"""How the mouth moves for a row of phonemes: a target of the articulators for each, blended by coarticulation.

The blend is that of Cohen and Massaro, "Modeling coarticulation in synthetic visual speech" (1993): each phoneme pulls
the articulators to its target with a dominance that falls off exponentially before and after it, so that short sounds
between strong ones are undershot and lips round ahead of a rounded vowel. Two things a blend cannot give are laid over
it: lips that truly close for p, b and m while the sound is stopped, and a lower lip that truly touches the teeth for f
and v. Lengths are pixels of the portrait, whose face is about 113 pixels from forehead to chin (1 pixel: 1.6 mm).
"""

# The phonetic alphabet has letters that look like others on purpose.
# ruff: noqa: RUF001

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from scipy.ndimage import gaussian_filter1d
from speech import CONSONANTS, Phoneme

STEPS_PER_SECOND = 1000

LIPS_CLOSED = frozenset({"p", "b", "m"})
LIP_ON_TEETH = frozenset({"f", "v"})
LIP_TRAVEL_SECONDS, LEAST_LIP_TRAVEL_SECONDS = 0.1, 0.055
"""Lips need so long from a vowel to their closure and back; hurried, between two closures, down to the second."""
TRANSITION_SECONDS = 0.05
"""The formants of a vowel move for about this long after the consonant before it, and before the one after it."""
SMOOTHING_SECONDS = 0.012
"""Sigma of what the inertia of lips and jaw leaves of any corner in the blended curves."""
POSTURE_LEAD_SECONDS = 0.025
"""A posture is seen before its sound is heard: by -20 to 70 ms in chained syllables (Schwartz and Savariaux, 2014), of
which this is the middle. Closures are not moved by it, they are in the sound itself."""
HEAD_SECONDS, TAIL_SECONDS = 0.25, 0.25
"""A mouth prepares its first sound, and returns to rest after its last one, within about this time."""


@dataclass(frozen=True)
class Shape:
    """Where the articulators stand."""

    gap_px: float
    """Between the lips, at their middle."""
    jaw_px: float
    """By which the chin is lowered."""
    width_px: float
    """Of the mouth, between its corners."""
    rounding: float = 0.0
    """0: lips spread flat; 1: lips pushed out, as for u."""
    tongue: float = 0.0
    """Height of the tongue's tip: 0 behind the lower teeth, 1 at the upper ones."""
    tuck: float = 0.0
    """1: lower lip under the upper teeth."""
    press: float = 0.0
    """1: lips pressed upon each other and thinner."""

    def as_array(self) -> np.ndarray:
        """The values in the order of the fields."""
        return np.array([getattr(self, field.name) for field in fields(self)])


FIELDS = tuple(field.name for field in fields(Shape))
REST = Shape(gap_px=0.0, jaw_px=0.0, width_px=36.0)
_OPEN, _SPREAD, _MID = Shape(14.5, 12.0, 35.0), Shape(5.5, 2.5, 42.5), Shape(7.0, 5.0, 36.0)
_ROUND, _NARROW = Shape(10.5, 8.5, 29.5, 0.7), Shape(3.4, 3.0, 24.5, 1.0)
_SHORT_I, _SHORT_U = Shape(6.0, 3.8, 40.0), Shape(4.5, 3.5, 28.0, 0.75)

VOWELS: dict[str, tuple[Shape, ...]] = {
    "ɑː": (_OPEN,),
    "ɑ": (_OPEN,),
    "a": (_OPEN,),
    "æ": (Shape(12.5, 10.0, 40.5),),
    "ʌ": (Shape(10.0, 7.5, 35.5),),
    "ɛ": (Shape(9.5, 6.5, 39.0),),
    "iː": (_SPREAD,),
    "i": (_SPREAD,),
    "ɪ": (_SHORT_I,),
    "ᵻ": (_SHORT_I,),
    "uː": (_NARROW,),
    "u": (_NARROW,),
    "ʊ": (_SHORT_U,),
    "ɔː": (_ROUND,),
    "ɔ": (Shape(11.5, 9.5, 31.5, 0.5),),
    "o": (Shape(7.5, 5.5, 27.5, 0.85),),
    "ə": (_MID,),
    "ɐ": (_MID,),
    "ɜː": (Shape(6.5, 4.5, 32.5, 0.45),),
    "ɚ": (Shape(6.0, 4.0, 32.5, 0.4),),
    "əl": (Shape(6.5, 4.0, 36.0, tongue=0.8),),
    "eɪ": (Shape(9.0, 6.5, 39.5), _SPREAD),
    "aɪ": (_OPEN, _SHORT_I),
    "aʊ": (_OPEN, _SHORT_U),
    "oʊ": (Shape(9.0, 6.5, 28.5, 0.75), _NARROW),
    "ɔɪ": (_ROUND, _SHORT_I),
    "oːɹ": (Shape(9.0, 7.0, 28.5, 0.8), Shape(5.5, 3.5, 30.0, 0.6)),
    "ɔːɹ": (_ROUND, Shape(5.5, 3.5, 30.0, 0.6)),
    "ɑːɹ": (_OPEN, Shape(6.0, 4.0, 32.0, 0.45)),
    "ɛɹ": (Shape(9.0, 6.5, 38.5), Shape(6.0, 4.0, 32.0, 0.45)),
    "ɪɹ": (_SHORT_I, Shape(6.0, 4.0, 32.0, 0.45)),
}
"""A diphthong has one target for its first part and one for its second."""

_TONGUE_TIP = Shape(5.5, 1.8, 38.0, tongue=0.85)
_HUSH = Shape(6.0, 1.2, 29.5, 0.75)
_BACK = Shape(7.0, 4.5, 36.5)
_HISS = Shape(5.0, 0.8, 39.0)
TARGETS: dict[str, Shape] = {
    **dict.fromkeys(("p", "b", "m"), Shape(6.0, 2.0, 35.5, press=1.0)),
    **dict.fromkeys(("f", "v"), Shape(3.0, 2.0, 36.5, tuck=1.0)),
    **dict.fromkeys(("θ", "ð"), Shape(5.5, 3.0, 37.0, tongue=1.0)),
    **dict.fromkeys(("t", "d", "n", "ɾ"), _TONGUE_TIP),
    **dict.fromkeys(("s", "z"), _HISS),
    **dict.fromkeys(("ʃ", "ʒ", "tʃ", "dʒ"), _HUSH),
    **dict.fromkeys(("k", "ɡ", "ŋ", "h", "ʔ"), _BACK),
    "l": Shape(7.0, 4.0, 36.5, tongue=0.95),
    "ɹ": Shape(4.5, 3.0, 29.0, 0.65),
    "w": Shape(2.6, 2.5, 23.0, 1.0),
    "j": Shape(5.0, 2.2, 41.0),
    "": REST,
}

_WEAK = Shape(0.35, 0.35, 0.25, 0.25, 0.5, 1.0, 1.0)
_STRENGTHS: dict[str, Shape] = {
    # The lips' gap of a bilabial is laid over the blend. Beneath its closure the mouth moves from vowel to vowel
    # (Öhman, 1966): a labial leaves the jaw free (Keating and others, 1994), and the corners of the mouth too.
    **dict.fromkeys(("p", "b", "m"), Shape(0.05, 0.25, 0.15, 0.05, 0.1, 1.0, 1.0)),
    **dict.fromkeys(("f", "v"), Shape(0.1, 0.4, 0.3, 0.15, 0.1, 1.0, 1.0)),
    **dict.fromkeys(("s", "z"), Shape(0.9, 1.0, 0.5, 0.4, 0.8, 1.0, 1.0)),
    **dict.fromkeys(("ʃ", "ʒ", "tʃ", "dʒ"), Shape(0.9, 1.0, 1.0, 1.0, 0.6, 1.0, 1.0)),
    **dict.fromkeys(("t", "d", "n", "θ", "ð"), Shape(0.7, 0.7, 0.3, 0.25, 1.0, 1.0, 1.0)),
    **dict.fromkeys(("l", "ɾ"), Shape(0.5, 0.5, 0.3, 0.25, 1.0, 1.0, 1.0)),
    **dict.fromkeys(("ɹ", "j"), Shape(0.8, 0.6, 0.9, 0.9, 0.5, 1.0, 1.0)),
    "w": Shape(1.3, 0.8, 1.5, 1.5, 0.3, 1.0, 1.0),
    "": Shape(0.5, 0.5, 0.5, 0.5, 0.5, 1.0, 1.0),
    "ə": Shape(0.6, 0.6, 0.4, 0.4, 0.5, 1.0, 1.0),
    "ɐ": Shape(0.6, 0.6, 0.4, 0.4, 0.5, 1.0, 1.0),
}
"""How strongly a sound pulls each articulator: 1 as a vowel does."""
_REACH_AHEAD_SECONDS = Shape(0.045, 0.06, 0.09, 0.1, 0.04, 0.03, 0.03)
_REACH_BEHIND_SECONDS = Shape(0.03, 0.035, 0.04, 0.045, 0.03, 0.03, 0.03)
"""Within which the pull falls to 1/e, before the sound and after it. A sound is prepared longer than it is left, and
rounded lips longest (Bell-Berti and Harris, 1982); the jaw is heavier than the lips."""


def move_mouth(phonemes: Sequence[Phoneme], times: np.ndarray) -> list[Shape]:
    """The articulators at ``times``, in seconds of the speech; times before and after it are shown at rest."""
    first, last = times.min() - HEAD_SECONDS, times.max() + TAIL_SECONDS
    grid = np.arange(first, last, 1 / STEPS_PER_SECOND)
    curves = _blend(phonemes, grid)
    curves = gaussian_filter1d(curves, SMOOTHING_SECONDS * STEPS_PER_SECOND, axis=0, mode="nearest")
    values = dict(zip(FIELDS, curves.T, strict=True))
    closed = _hold(phonemes, grid, LIPS_CLOSED)
    tuck = _hold(phonemes, grid, LIP_ON_TEETH)
    values["tuck"], values["press"] = tuck, closed
    # Lip on teeth: the gap that remains is the one that shows the teeth's edge above the lip.
    values["gap_px"] = (values["gap_px"] * (1 - tuck) + 2.6 * tuck) * (1 - closed)
    sampled = {name: np.interp(times, grid, curve) for name, curve in values.items()}
    return [replace(REST, **{name: float(sampled[name][k]) for name in FIELDS}) for k in range(len(times))]


def _blend(phonemes: Sequence[Phoneme], grid: np.ndarray) -> np.ndarray:
    """Weighted mean of all targets, (times, articulators)."""
    weights = np.full((len(grid), len(FIELDS)), 1e-6)
    total = weights * REST.as_array()
    ahead, behind = _REACH_AHEAD_SECONDS.as_array(), _REACH_BEHIND_SECONDS.as_array()
    rests = [Phoneme("", -9.0, -HEAD_SECONDS / 2), Phoneme("", phonemes[-1].end + TAIL_SECONDS / 2, 99.0)]
    for phoneme in (*rests, *phonemes):
        if not phoneme.name and phoneme.end - phoneme.start < HEAD_SECONDS / 2:
            continue
        strength = _STRENGTHS.get(phoneme.name, _WEAK if phoneme.name in CONSONANTS else Shape(*[1.0] * 7)).as_array()
        for target, start, end in _targets(phoneme):
            seen = grid + POSTURE_LEAD_SECONDS
            before, after = np.maximum(start - seen, 0.0)[:, None], np.maximum(seen - end, 0.0)[:, None]
            pull = strength * np.exp(-before / ahead - after / behind)
            weights += pull
            total += pull * target.as_array()
    return total / weights


def _targets(phoneme: Phoneme) -> list[tuple[Shape, float, float]]:
    """Each target of the sound, and from when to when it pulls with its whole strength."""
    shapes = VOWELS[phoneme.name] if phoneme.name in VOWELS else (TARGETS[phoneme.name],)
    part = (phoneme.end - phoneme.start) / len(shapes)
    # A short sound has its target at its middle; a long one holds it for all but the ways there and back.
    margin = min(part / 2, TRANSITION_SECONDS) if phoneme.name else 0.0
    return [
        (shape, phoneme.start + part * index + margin, phoneme.start + part * (index + 1) - margin)
        for index, shape in enumerate(shapes)
    ]


def _hold(phonemes: Sequence[Phoneme], grid: np.ndarray, names: frozenset[str]) -> np.ndarray:
    """1 from start to end of each of these sounds, with the lips' way there before it and their way back after it."""
    held = np.zeros(len(grid))
    spans = [_span(phonemes, index) for index, phoneme in enumerate(phonemes) if phoneme.name in names]
    for index, (start, end) in enumerate(spans):
        before = start - spans[index - 1][1] if index else np.inf
        after = spans[index + 1][0] - end if index + 1 < len(spans) else np.inf
        closing = np.clip((grid - start) / _travel_seconds(before) + 1, 0, 1)
        opening = np.clip((end - grid) / _travel_seconds(after) + 1, 0, 1)
        # Lips meet, and part, at full speed: their movement aims beyond the contact (Löfqvist and Gracco, 1997).
        held = np.maximum(held, 1 - np.cos(np.pi / 2 * np.minimum(closing, opening)))
    return held


def _span(phonemes: Sequence[Phoneme], index: int) -> tuple[float, float]:
    """From when to when the sound's lips are together: those of a first sound do not open from rest to close again."""
    phoneme = phonemes[index]
    rested = phoneme.name in LIPS_CLOSED and (index == 0 or not phonemes[index - 1].name)
    return phoneme.start - (HEAD_SECONDS if rested else 0.0), phoneme.end


def _travel_seconds(between: float) -> float:
    """Time of the lips' way from or to a closure that lies ``between`` seconds from the next one."""
    return float(np.clip(between / 2, LEAST_LIP_TRAVEL_SECONDS, LIP_TRAVEL_SECONDS))

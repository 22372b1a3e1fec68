"""Scores in sync and scores of wrong sound -> the pair of thresholds that tells them apart best, and how well."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.report.run import WrongSound
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds
from syncnet.verdict import judge

FOLDS = 10
Z_95 = 1.96
_NEVER = MAX_SHIFT_FRAMES + 1


@dataclass(frozen=True)
class Rate:
    """A share that was counted."""

    count: int
    total: int

    @property
    def interval(self) -> tuple[float, float]:
        """Of 95 %."""
        return wilson(self.count, self.total)


@dataclass(frozen=True)
class Suggestion:
    """A pair of thresholds."""

    thresholds: Thresholds
    kept: Rate
    """Of the videos in sync, each judged by the pair that the others suggest."""
    passed_wrong: Rate
    """Of the faces with wrong sound, each judged by the pair that the other faces suggest."""


def wilson(hits: int, total: int) -> tuple[float, float]:
    """95 % interval of a share. Source: Wilson, 1927."""
    if not total:
        return math.nan, math.nan
    share = hits / total
    middle = share + Z_95**2 / (2 * total)
    spread = Z_95 * math.sqrt(share * (1 - share) / total + Z_95**2 / (4 * total**2))
    return (middle - spread) / (1 + Z_95**2 / total), (middle + spread) / (1 + Z_95**2 / total)


def limits_around(centre: int, confidence: float, limit: int) -> Thresholds:
    """So much confidence, and offsets so far from the centre at most, in frames."""
    if centre == 0:
        return Thresholds(confidence, limit)
    return Thresholds(confidence, limit, centre - limit, centre + limit)


def suggest(own: Sequence[SyncScore], wrong: Sequence[WrongSound], centre: int = 0) -> Suggestion:
    """The pair with the smallest sum of two shares: of videos in sync that it loses, and of wrong sounds it lets pass.

    Neither may be empty. ``centre``: the offset of videos in sync, in frames. What to expect of it is found by cross
    validation: a pair that was chosen for the very scores it is tried with would look better than it is.
    """
    kept = _Judged.of(own, np.arange(len(own)), centre)
    passed = _Judged.of([each.score for each in wrong], np.array([each.face for each in wrong]), centre)
    folds = min(FOLDS, len(own))
    hits = [0, 0]
    for fold in range(folds if folds > 1 else 0):
        pair = _choose(kept.without(fold, folds), passed.without(fold, folds))
        hits[0] += kept.only(fold, folds).count(*pair)
        hits[1] += passed.only(fold, folds).count(*pair)
    chosen = limits_around(centre, *_choose(kept, passed))
    return Suggestion(chosen, Rate(hits[0], len(own)), Rate(hits[1], len(wrong)))


@dataclass(frozen=True, eq=False)
class _Judged:
    """Scores as all thresholds see them."""

    confidences: np.ndarray
    """(n,) float."""
    limits: np.ndarray
    """(n,) int: the least limit of offset at which each passes, if its confidence is enough; 16 for never."""
    faces: np.ndarray
    """(n,) int: whose each is."""

    @classmethod
    def of(cls, scores: Sequence[SyncScore], faces: np.ndarray, centre: int) -> _Judged:
        steps = range(MAX_SHIFT_FRAMES + 1)
        limits = [
            next((m for m in steps if judge(score, limits_around(centre, 0.0, m)).passed), _NEVER) for score in scores
        ]
        return cls(np.array([score.confidence for score in scores], float), np.array(limits, int), faces)

    def _where(self, chosen: np.ndarray) -> _Judged:
        return _Judged(self.confidences[chosen], self.limits[chosen], self.faces[chosen])

    def only(self, fold: int, folds: int) -> _Judged:
        return self._where(self.faces % folds == fold)

    def without(self, fold: int, folds: int) -> _Judged:
        return self._where(self.faces % folds != fold)

    def count(self, confidence: float, limit: int) -> int:
        """How many pass."""
        return int(((self.confidences >= confidence) & (self.limits <= limit)).sum())

    def counts(self, confidences: np.ndarray, limit: int) -> np.ndarray:
        """How many pass at each of these confidences."""
        usable = np.sort(self.confidences[(self.limits <= limit) & np.isfinite(self.confidences)])
        return len(usable) - np.searchsorted(usable, confidences, "left")


def _choose(own: _Judged, wrong: _Judged) -> tuple[float, int]:
    """Of equals the pair that lets fewer wrong sounds pass, then the narrowest limit, then the middle confidence."""
    finite = own.confidences[np.isfinite(own.confidences)]
    steps = np.arange(math.floor(max(finite, default=0.0) * 10) + 1) / 10
    ranked = []
    for limit in range(MAX_SHIFT_FRAMES + 1):
        lost = 1 - own.counts(steps, limit) / max(1, len(own.limits))
        passing = wrong.counts(steps, limit)
        errors = np.round(lost + passing / max(1, len(wrong.limits)), 12)
        least = (float(errors.min()), int(passing[errors == errors.min()].min()))
        equal = steps[(errors == least[0]) & (passing == least[1])]
        ranked.append((*least, limit, float(equal[(len(equal) - 1) // 2])))
    _, _, limit, confidence = min(ranked)
    return confidence, limit

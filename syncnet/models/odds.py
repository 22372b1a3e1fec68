"""How likely a score is right, from signs of it: two logistic regressions that training/odds.py fits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

SIGN_COUNT = 5
"""See ``syncnet.scoring.signs``."""


@dataclass(frozen=True, slots=True)
class Odds:
    """As if every second video had the sound of another one; where yours differ, so do the odds."""

    p_in_sync: float
    """That the offset is within a frame of the true one, 0..1."""
    p_belongs: float
    """That lips and sound belong together, at whatever offset, 0..1."""


@dataclass(frozen=True, eq=False)
class OddsTable:
    """Coefficients of a constant and of each sign, both (1 + SIGN_COUNT,)."""

    in_sync: np.ndarray
    belongs: np.ndarray

    def odds_of(self, signs: np.ndarray) -> Odds:
        """``signs`` (SIGN_COUNT,). Whoever is in sync belongs, so the second is never below the first."""
        in_sync, belongs = (_probability(coefficients, signs) for coefficients in (self.in_sync, self.belongs))
        return Odds(round(in_sync, 4), round(max(in_sync, belongs), 4))


def _probability(coefficients: np.ndarray, signs: np.ndarray) -> float:
    return float(1 / (1 + np.exp(-(coefficients[0] + coefficients[1:] @ signs))))

"""What tells, beside the confidence, how far a score can be trusted, and the level of evidence that follows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.models.odds import Odds
from syncnet.scoring.evidence import LEAST_AGREEMENT, Evidence

LONGEST_SPEECH_SECONDS = 8.0
"""More was not seen when the odds were fitted, and longer speech is surer, not less."""
SHORTEST_SPEECH_SECONDS = 0.5
STRONG_P, LEAST_P = 0.9, 0.1
"""Of ``p_in_sync``. By the windows alone four in ten wrong sounds of 4 s would be strong; of these, by the odds, one in
forty is, and no preset loses a clip in sync (training/odds.py)."""
NEIGHBOUR_FRAMES = 3
"""Shifts so near the best one are low with it."""


def signs_of(offset_frames: int, confidence: float, curve: np.ndarray, evidence: Evidence) -> np.ndarray:
    """(5,): confidence, log of the seconds of speech, their product, gap of the curve, share of agreeing windows.

    The gap is how far the second lowest place of the curve (31,), away from the lowest, stands above it, as a share of
    its depth. Of few windows the share says little, so one that agrees and one that does not are added.
    """
    length = float(np.log(np.clip(evidence.speech_seconds, SHORTEST_SPEECH_SECONDS, LONGEST_SPEECH_SECONDS)))
    agreeing = (evidence.agreeing + 1) / (evidence.windows + 2)
    return np.array([confidence, length, confidence * length, _gap(curve, MAX_SHIFT_FRAMES - offset_frames), agreeing])


def grade(evidence: Evidence, odds: Odds | None) -> Evidence:
    """The evidence with the level that the odds give, where they are known.

    They are of a whole track. Where only a stretch of it agrees, or the offset changes, its windows say more.
    """
    whole = evidence.agreeing >= LEAST_AGREEMENT * evidence.windows and not evidence.pieces
    if odds is None or evidence.level == "none" or not whole:
        return evidence
    if odds.p_in_sync < LEAST_P:
        return replace(evidence, level="none", problem="such a match is chance nine times in ten", stretches=())
    return replace(evidence, level="strong" if odds.p_in_sync >= STRONG_P else "weak")


def _gap(curve: np.ndarray, place: int) -> float:
    depth = float(np.nanmedian(curve) - curve[place])
    away = np.abs(np.arange(len(curve)) - place) > NEIGHBOUR_FRAMES
    rival = float(np.nanmin(curve[away & np.isfinite(curve)], initial=np.inf))
    return (rival - float(curve[place])) / depth if depth > 0 and np.isfinite(rival) else 0.0

"""The monotone table that brings the embedded model's raw confidence to the familiar SyncNet scale."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from syncnet.errors import ModelFileError
from syncnet.models.odds import SIGN_COUNT, OddsTable

MOST_ZERO_MS = 100.0
"""More is no matter of a constant."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """Points of equal confidence, for several lengths of speech.

    The curve of little speech is rougher, so chance alone puts its minimum further below its median: the same raw
    confidence is worth less there.
    """

    speech_seconds: np.ndarray
    """(T,) of the lips that count, rising."""
    raw: np.ndarray
    """(T, P) raw confidences, rising along each row."""
    confidence: np.ndarray
    """(P,) what they stand for, rising."""
    odds: OddsTable | None = None
    """None in a table that is being made."""
    zero_ms: float = 0.0
    """By how much the network reads sound as early that is in sync: it is delayed by so much first."""

    def confidence_of(self, raw: float, speech_seconds: float) -> float:
        """Linear between the points, and in the logarithm of the length between the rows; the ends hold beyond."""
        lengths = self.speech_seconds
        at = np.log(np.clip(speech_seconds, lengths[0], lengths[-1]))
        row = [np.interp(at, np.log(lengths), column) for column in self.raw.T]
        return float(np.interp(raw, row, self.confidence))


def read_calibration(path: Path) -> Calibration:
    """The table of a JSON file; ModelFileError where it holds none whose columns rise and fit together."""
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        lengths, raw, confidence = (np.array(table[key], float) for key in ("speech_seconds", "raw", "confidence"))
        odds = _read_odds(table["odds"]) if "odds" in table else None
        calibration = Calibration(lengths, raw, confidence, odds, float(table.get("zero_ms", 0.0)))
        if not _fits_together(calibration):
            raise ValueError("its columns do not increase, or differ in length")
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise ModelFileError(
            f"{path} is not a calibration table ({error})", path=path, cure="restore it with `git checkout weights/`"
        ) from error
    return calibration


def _read_odds(table: dict[str, list[float]]) -> OddsTable:
    in_sync, belongs = (np.array(table[key], float) for key in ("in_sync", "belongs"))
    if not all(one.shape == (1 + SIGN_COUNT,) and np.isfinite(one).all() for one in (in_sync, belongs)):
        raise ValueError(f"its odds are not {1 + SIGN_COUNT} numbers each")
    return OddsTable(in_sync, belongs)


def _fits_together(calibration: Calibration) -> bool:
    lengths, raw, confidence = calibration.speech_seconds, calibration.raw, calibration.confidence
    return (
        lengths.ndim == confidence.ndim == 1
        and raw.shape == (len(lengths), len(confidence))
        and raw.size > 0
        and abs(calibration.zero_ms) <= MOST_ZERO_MS
        and bool(lengths[0] > 0)
        # Comparisons with NaN are false, so that a NaN does not rise.
        and all(bool((np.diff(column) > 0).all()) for column in (lengths, raw, confidence))
    )

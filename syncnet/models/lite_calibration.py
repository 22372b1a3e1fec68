"""The monotone table that brings the embedded model's raw confidence to the familiar SyncNet scale."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True, eq=False)
class Calibration:
    """Points of equal confidence, for tracks of several lengths.

    A short track's curve is rougher, so chance alone puts its minimum further below its median: the same raw
    confidence is worth less there.
    """

    frames: np.ndarray
    """(T,) lengths in frames, rising."""
    raw: np.ndarray
    """(T, P) raw confidences, rising along each row."""
    confidence: np.ndarray
    """(P,) what they stand for, rising."""

    def confidence_of(self, raw: float, frame_count: int) -> float:
        """Linear between the points, and in the logarithm of the length between the rows; the ends hold beyond."""
        at = np.log(np.clip(frame_count, self.frames[0], self.frames[-1]))
        row = [np.interp(at, np.log(self.frames), column) for column in self.raw.T]
        return float(np.interp(raw, row, self.confidence))


def read_calibration(path: Path) -> Calibration:
    table = json.loads(path.read_text(encoding="utf-8"))
    return Calibration(*(np.array(table[key], float) for key in ("frames", "raw", "confidence")))

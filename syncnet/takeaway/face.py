"""A face track -> square pictures that follow the face smoothly, as data sets of talking heads have them."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np

from syncnet.conventions import FPS
from syncnet.faces.crops import smooth_boxes

MARGIN = 0.4
"""Of the face box's longer side, on each side of it."""
_SIGMA_FRAMES = 10.0
"""Of the Gaussian along time: what a detector's boxes tremble by is gone, and a head that moves is followed."""


class FaceCrops:
    """Of one track, at any time."""

    def __init__(self, first_frame: int, boxes: np.ndarray, size_px: tuple[int, int], side_px: int) -> None:
        """``boxes`` (L, 4): xyxy in pixels of the pictures, a box a frame of 1/25 s; ``size_px``: of the pictures,
        width and height; ``side_px``: of what comes out."""
        self._frames = first_frame + np.arange(len(boxes))
        self._places = _smooth_along(smooth_boxes(boxes))
        self._size_px = size_px
        self._side_px = side_px

    def square_at(self, seconds: Fraction) -> tuple[float, float, float]:
        """Left, top and side of the square, in pixels; within the picture, moved or made smaller for that."""
        at = float(seconds * FPS)
        x, y, half = (float(np.interp(at, self._frames, values)) for values in self._places.T)
        width, height = self._size_px
        side = min(2 * half * (1 + 2 * MARGIN), width, height)
        return min(max(x - side / 2, 0.0), width - side), min(max(y - side / 2, 0.0), height - side), side

    def picture(self, seconds: Fraction, frame_bgr: np.ndarray) -> np.ndarray:
        """The square of a frame (H, W, 3) uint8 BGR, (side, side, 3) uint8 BGR."""
        left, top, side = self.square_at(seconds)
        # What is made much smaller is first averaged in whole squares, whose grid stands still.
        step = max(1, int(side / self._side_px))
        x0, y0 = int(left) // step * step, int(top) // step * step
        part = frame_bgr[y0 : int(top + side) + step + 1, x0 : int(left + side) + step + 1]
        if step > 1:
            rows, columns = (max(1, length // step) for length in part.shape[:2])
            part = cv2.resize(part[: rows * step, : columns * step], (columns, rows), interpolation=cv2.INTER_AREA)
        scale = side / step / self._side_px
        # Centres of pixels: (u + 1/2) * scale + edge - 1/2.
        shift = (scale - 1) / 2
        edges = [[scale, 0.0, (left - x0) / step + shift], [0.0, scale, (top - y0) / step + shift]]
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        square = (self._side_px, self._side_px)
        return cv2.warpAffine(part, np.array(edges), square, flags=how, borderMode=cv2.BORDER_REPLICATE)


def _smooth_along(places: np.ndarray) -> np.ndarray:
    """Each column of (L, n) under a Gaussian; the ends repeat their values."""
    reach = round(3 * _SIGMA_FRAMES)
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) / _SIGMA_FRAMES) ** 2)
    padded = np.pad(places, ((reach, reach), (0, 0)), mode="edge")
    columns = [np.convolve(column, weights / weights.sum(), mode="valid") for column in padded.T]
    return np.stack(columns, axis=1)

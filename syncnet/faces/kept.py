"""Pixels around the faces that were seen, held so that a short video need not be decoded a second time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from detectors.protocol import Detections

MOST_KEPT_BYTES = 256 << 20
"""Of one video. A face of 200 px takes 0.4 MB a frame, so half a minute of it is kept."""
_REACH_UP, _REACH_ASIDE, _REACH_DOWN = 1.4, 1.8, 2.2
"""From the centre of a box, in half-sizes of it. A crop reaches 1, 1.4 and 1.8 (syncnet/faces/crops.py); the rest
is for the smoothing of boxes, which moves it."""

_Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom."""


@dataclass(frozen=True)
class KeptFrame:
    """Parts of a frame. Where they reach it reads like the frame: ``shape`` and ``frame[top:bottom, left:right]``."""

    shape: tuple[int, ...]
    """Of the whole frame: (H, W, 3)."""
    parts: tuple[tuple[int, int, np.ndarray], ...]
    """Left edge, top edge and pixels (h, w, 3) of each."""

    def holds(self, top: int, bottom: int, left: int, right: int) -> bool:
        """Whether one part has all that the frame has of this rectangle, which may reach beyond the frame."""
        return self._part(top, bottom, left, right) is not None

    def __getitem__(self, area: tuple[slice, slice]) -> np.ndarray:
        """The pixels of a rectangle that it holds. Raises KeyError for any other."""
        rows, columns = area
        part = self._part(rows.start, rows.stop, columns.start, columns.stop)
        if part is None:
            raise KeyError(f"rows {rows}, columns {columns} were not kept")
        x, y, pixels = part
        return pixels[rows.start - y : rows.stop - y, columns.start - x : columns.stop - x]

    def _part(self, top: int, bottom: int, left: int, right: int) -> tuple[int, int, np.ndarray] | None:
        top, left = max(top, 0), max(left, 0)
        bottom, right = min(bottom, self.shape[0]), min(right, self.shape[1])
        for x, y, pixels in self.parts:
            if x <= left and y <= top and right <= x + pixels.shape[1] and bottom <= y + pixels.shape[0]:
                return x, y, pixels
        return None


class KeptFaces:
    """What was kept of one video, or nothing once that would be too much."""

    def __init__(self, min_face_px: float, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._min_face_px = min_face_px
        self._most_bytes = most_bytes
        self._bytes = 0
        self._frames: dict[int, KeptFrame] = {}

    def keep(self, frames: Mapping[int, np.ndarray], seen: Iterable[Detections]) -> None:
        """Parts of the frames (H, W, 3) around all faces that were seen in some of them or just before."""
        if self._bytes > self._most_bytes:
            return
        boxes = np.concatenate([detections.boxes for detections in seen])
        rectangles = _reaches(boxes[_sides(boxes) >= self._min_face_px])
        for index, frame in frames.items():
            parts = tuple(_cut(frame, rectangle) for rectangle in rectangles)
            self._frames[index] = KeptFrame(frame.shape, parts)
            self._bytes += sum(pixels.nbytes for _, _, pixels in parts)
            if self._bytes > self._most_bytes:
                self._frames.clear()
                return

    def frame(self, index: int) -> KeptFrame | None:
        return self._frames.get(index)


def _sides(boxes: np.ndarray) -> np.ndarray:
    sides: np.ndarray = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    return sides


def _reaches(boxes: np.ndarray) -> list[_Rectangle]:
    """One rectangle for each group of boxes that touch: they are one face on its way, or too near to tell."""
    groups: list[tuple[_Rectangle, _Rectangle]] = []
    for box in boxes.tolist():
        box_and_reach = tuple(box), _reach(box)
        apart = []
        for group in groups:
            if _touch(group[0], box_and_reach[0]):
                box_and_reach = _union(group[0], box_and_reach[0]), _union(group[1], box_and_reach[1])
            else:
                apart.append(group)
        groups = [*apart, box_and_reach]
    return [reach for _, reach in groups]


def _reach(box: list[float]) -> _Rectangle:
    left, top, right, bottom = box
    x, y, s = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) / 2
    return x - _REACH_ASIDE * s, y - _REACH_UP * s, x + _REACH_ASIDE * s, y + _REACH_DOWN * s


def _touch(one: _Rectangle, other: _Rectangle) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _union(one: _Rectangle, other: _Rectangle) -> _Rectangle:
    return min(one[0], other[0]), min(one[1], other[1]), max(one[2], other[2]), max(one[3], other[3])


def _cut(frame: np.ndarray, rectangle: _Rectangle) -> tuple[int, int, np.ndarray]:
    left, top = max(int(rectangle[0]), 0), max(int(rectangle[1]), 0)
    right, bottom = max(int(rectangle[2]), 0), max(int(rectangle[3]), 0)
    return left, top, frame[top:bottom, left:right].copy()

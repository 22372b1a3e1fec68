"""Track + frames -> the published 224 x 224 face crops.

Geometry of the published pipeline (Chung and Zisserman, 2016): centre and half-size of the face box, median-filtered
over time; the crop is a square of side 2.8 half-sizes, the face in its upper half.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

import cv2
import numpy as np

from syncnet.conventions import CROP_SIZE_PX
from syncnet.faces.tracks import Track
from syncnet.media.picture import Frame, Picture, part_of

_MEDIAN_FRAMES = 13
MEDIAN_REACH = _MEDIAN_FRAMES // 2
"""So many frames before and after one move its crop."""
_CROP_MARGIN = 0.4
"""The crop reaches 1 + margin half-sizes to the sides and 1 + 2 margins down, but only 1 up."""
_GREY = (110, 110, 110)
"""Colour of what lies outside the frame."""
_FULL_RANGE = np.clip(np.round((np.arange(256) - 16) * 255 / 219), 0, 255).astype(np.uint8)
"""Of brightness that is stored as 16 to 235 (ITU-R BT.601)."""


def smooth_boxes(boxes: np.ndarray, beyond: Literal["edge", "constant"] = "edge") -> np.ndarray:
    """Centre x, centre y and half-size s = max(width, height) / 2 of each box, (L, 4) -> (L, 3), float64.

    Each is median-filtered over 13 frames. At the ends of the track the first and last values are repeated (``edge``),
    where the published pipeline pads with zeros (``constant``): those pull the crop of the first and last frames
    towards the corner.
    """
    left, top, right, bottom = np.asarray(boxes, dtype=np.float64).T
    xys = np.stack([(left + right) / 2, (top + bottom) / 2, np.maximum(right - left, bottom - top) / 2], axis=1)
    padded = np.pad(xys, ((MEDIAN_REACH, MEDIAN_REACH), (0, 0)), mode=beyond)
    smoothed: np.ndarray = np.median(np.lib.stride_tricks.sliding_window_view(padded, _MEDIAN_FRAMES, axis=0), axis=-1)
    return smoothed


class FaceCrop:
    """The 224 x 224 crop of one frame around the face with half-size s and its centre (x, y) inside it, in pixels."""

    def __init__(self, frame: Frame, x: float, y: float, s: float) -> None:
        self._frame = frame
        self._place = x, y, s

    def bgr(self) -> np.ndarray:
        """(224, 224, 3) uint8."""
        height, width = self._frame.shape[:2]
        return _resized(partial(part_of, self._frame), width, height, *self._place)

    def grey(self) -> np.ndarray:
        """(224, 224) uint8: of the brightness that was decoded, where that is at hand, and not of the colours."""
        luma = self._frame.luma() if isinstance(self._frame, Picture) else None
        if luma is None:
            return cv2.cvtColor(self.bgr(), cv2.COLOR_BGR2GRAY)
        plane, limited = luma

        def part(rows: slice, columns: slice) -> np.ndarray:
            inside = plane[rows, columns]
            return cv2.LUT(np.ascontiguousarray(inside), _FULL_RANGE) if limited else inside

        return _resized(part, plane.shape[1], plane.shape[0], *self._place)


def crop_face(frame_bgr: np.ndarray, x: float, y: float, s: float) -> np.ndarray:
    """See ``FaceCrop.bgr``.

    Gives the published crop pixel by pixel: corners are truncated after a border of int(1.8 s) is added around the
    frame. Only the part of that border that the crop needs is made here.
    """
    return FaceCrop(frame_bgr, x, y, s).bgr()


def _resized(
    part: Callable[[slice, slice], np.ndarray], width: int, height: int, x: float, y: float, s: float
) -> np.ndarray:
    """The crop of a frame of that size, of which ``part`` gives some rows and columns, (h, w, 3) or (h, w)."""
    top, bottom, left, right = _square(x, y, s, width, height)
    inside = part(slice(max(top, 0), bottom), slice(max(left, 0), right))
    face = cv2.copyMakeBorder(
        inside,
        max(-top, 0),
        max(bottom - height, 0),
        max(-left, 0),
        max(right - width, 0),
        cv2.BORDER_CONSTANT,
        value=_GREY,
    )
    return cv2.resize(face, (CROP_SIZE_PX, CROP_SIZE_PX))


def _square(x: float, y: float, s: float, width: int, height: int) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of the crop in the frame's pixels, where it may reach beyond the frame."""
    border = int(s * (1 + 2 * _CROP_MARGIN))
    centre_x, centre_y = x + border, y + border
    side = s * (1 + _CROP_MARGIN)
    top, bottom = _span(centre_y - s, centre_y + s * (1 + 2 * _CROP_MARGIN), border, height)
    left, right = _span(centre_x - side, centre_x + side, border, width)
    return top, bottom, left, right


def _span(start: float, end: float, border: int, size: int) -> tuple[int, int]:
    """Whole-pixel range on the bordered frame, truncated as published, moved to the frame's own coordinates."""
    first = max(int(start), 0)
    last = min(int(end), size + 2 * border)
    return first - border, last - border


class TrackCropper:
    """Crops of one track, frame by frame, in any order."""

    def __init__(self, track: Track) -> None:
        self._first_frame = track.first_frame
        self._xys = smooth_boxes(track.boxes)

    def crop(self, frame_index: int, frame_bgr: np.ndarray) -> np.ndarray:
        """The (224, 224, 3) uint8 crop of this frame of the video. Raises IndexError outside the track."""
        return self.face_crop(frame_index, frame_bgr).bgr()

    def face_crop(self, frame_index: int, frame: Frame) -> FaceCrop:
        """The same, to be made when it is needed."""
        x, y, s = self._place(frame_index)
        return FaceCrop(frame, x, y, s)

    def _place(self, frame_index: int) -> np.ndarray:
        position = frame_index - self._first_frame
        if not 0 <= position < len(self._xys):
            raise IndexError(f"frame {frame_index} lies outside the track")
        place: np.ndarray = self._xys[position]
        return place

"""Decoded frames -> upright BGR arrays."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import VideoReformatter

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

SQUARE = Fraction(1)
MOST_ASPECT = Fraction(4)
"""Wider or narrower pixels than this are a broken header."""
LEAST_ASPECT = Fraction(2, 100)
"""What differs from a square by less is a size that was rounded."""


@dataclass(frozen=True)
class Orientation:
    """How a stored picture is made upright: first swap rows and columns, then reverse each."""

    swap_axes: bool
    reverse_rows: bool
    reverse_columns: bool

    @property
    def clockwise_degrees(self) -> int:
        """0, 90, 180 or 270; a mirroring from left to right may follow (front cameras)."""
        return 90 * self.swap_axes + 180 * self.reverse_rows

    def apply(self, stored: np.ndarray) -> np.ndarray:
        """The picture (H, W, 3) upright, a view."""
        upright = stored.transpose(1, 0, 2) if self.swap_axes else stored
        return upright[:: -1 if self.reverse_rows else 1, :: -1 if self.reverse_columns else 1]


UPRIGHT = Orientation(False, False, False)


def orientation_of(frame: VideoFrame) -> Orientation:
    """What the file asks for, to the nearest quarter turn."""
    (a, b), (c, d) = _display_matrix(frame)[:2, :2].astype(float)
    # A stored point (x, y) is shown at x' = a x + c y, y' = b x + d y.
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, bool(b < 0), bool(c < 0))
    return Orientation(False, bool(d < 0), bool(a < 0))


def _display_matrix(frame: VideoFrame) -> np.ndarray:
    """The 3 x 3 matrix of FFmpeg's display.h: rows [a b u], [c d v], [x y w]."""
    try:
        # frame.side_data would close a circle from the frame to itself, and leave the memory of its picture, and of the
        # pool that this came from, to the garbage collector. PyAV's types do not tell of the argument.
        listed = SideDataContainer(frame)  # type: ignore[call-arg]
        side_data = cast("bytes | None", listed.get("DISPLAYMATRIX"))
    except ValueError:
        # The frame carries a kind of side data that PyAV does not know, and then it lists none at all.
        side_data = None
    if side_data is None:
        turn = np.deg2rad(frame.rotation)
        return np.array([[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]])
    return np.frombuffer(side_data, np.int32).reshape(3, 3)


def shown_size(
    width: int, height: int, orientation: Orientation = UPRIGHT, pixel_aspect: Fraction = SQUARE
) -> tuple[int, int]:
    """Width and height of a stored picture once it is shown: its pixels made square, none of them lost, and upright."""
    if pixel_aspect > 1:
        width = round(width * pixel_aspect)
    else:
        height = round(height / pixel_aspect)
    return (height, width) if orientation.swap_axes else (width, height)


def believed_aspect(stated: Fraction | None) -> Fraction:
    """Width over height of a pixel as a file states it, where that is no nonsense."""
    if stated is None or not 1 / MOST_ASPECT <= stated <= MOST_ASPECT or abs(stated - 1) < LEAST_ASPECT:
        return SQUARE
    return stated


class PicturesGrowError(Exception):
    """A picture comes that is larger than those before it, so that these should have been brought to its size."""


class FrameConverter:
    """Turns decoded frames into arrays of one size and orientation."""

    def __init__(
        self,
        size_px: tuple[int, int] | None = None,
        pixel_aspect: Fraction = SQUARE,
        *,
        may_grow: bool = False,
    ) -> None:
        """``size_px``: width and height of what comes out; None: as the first frame is shown.

        ``may_grow``: a frame that does not fit is an error, and is not reduced.
        """
        self._reformatter = VideoReformatter()
        self._size_px = size_px
        self._pixel_aspect = pixel_aspect
        self._may_grow = may_grow
        self._orientation: Orientation | None = None

    def convert(self, frame: VideoFrame) -> np.ndarray:
        """The frame as (H, W, 3) uint8 BGR, upright and contiguous; black beside it where its shape is another.

        A frame of another size than the rest is brought to theirs, its shape kept. The orientation is that of the
        first one. Raises PicturesGrowError.
        """
        if self._orientation is None:
            self._orientation = orientation_of(frame)
        shown = shown_size(frame.width, frame.height, self._orientation, self._pixel_aspect)
        if self._size_px is None:
            self._size_px = shown
        width, height = self._size_px
        if self._may_grow and (shown[0] > width or shown[1] > height):
            raise PicturesGrowError
        scale = min(Fraction(width, shown[0]), Fraction(height, shown[1]))
        inner = max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale))
        picture = self._upright(frame, inner)
        if inner == (width, height):
            return np.ascontiguousarray(picture)
        canvas = np.zeros((height, width, 3), np.uint8)
        left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
        canvas[top : top + inner[1], left : left + inner[0]] = picture
        return canvas

    def _upright(self, frame: VideoFrame, size_px: tuple[int, int]) -> np.ndarray:
        orientation = self._orientation or UPRIGHT
        width, height = size_px[::-1] if orientation.swap_axes else size_px
        # One thread: the workers beside this one already share the cores.
        stored = self._reformatter.reformat(frame, width, height, "bgr24", threads=1).to_ndarray()
        return orientation.apply(stored)

"""Decoded frames -> upright pictures, as BGR arrays of their size or smaller."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias, cast

import cv2
import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import ColorRange, Interpolation, VideoReformatter

from syncnet.media.cut_out import cut_out

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
        """The picture (H, W, 3) or (H, W) upright, a view."""
        upright = stored.swapaxes(0, 1) if self.swap_axes else stored
        return upright[:: -1 if self.reverse_rows else 1, :: -1 if self.reverse_columns else 1]

    def stored(self, rows: range, columns: range, size_px: tuple[int, int]) -> tuple[range, range]:
        """Where these rows and columns of an upright picture of that width and height are stored."""
        width, height = size_px
        if self.reverse_rows:
            rows = range(height - rows.stop, height - rows.start)
        if self.reverse_columns:
            columns = range(width - columns.stop, width - columns.start)
        return (columns, rows) if self.swap_axes else (rows, columns)


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


_WITH_LUMA = ("420p", "422p", "444p", "440p", "411p", "410p", "nv12", "nv16")
"""Formats of 8 bits that begin with a plane of brightness, behind "yuv" or "yuvj"."""
_AS_IN_OPENCV = {cv2.INTER_AREA: Interpolation.AREA, cv2.INTER_LINEAR: Interpolation.FAST_BILINEAR}
"""OpenCV's linear one takes a pixel here and there of a larger picture; so does this one, along rows."""


class Picture:
    """One frame, upright, whose pixels are made when they are asked for."""

    def __init__(self, frame: VideoFrame, converter: FrameConverter, inner_px: tuple[int, int]) -> None:
        """``inner_px``: width and height of what is not black."""
        self._frame = frame
        self._converter = converter
        self._inner_px = inner_px

    @property
    def shape(self) -> tuple[int, int, int]:
        """Of ``bgr``."""
        width, height = self._converter.size_px
        return height, width, 3

    @cached_property
    def nbytes(self) -> int:
        """What it takes."""
        return sum(plane.buffer_size for plane in self._frame.planes)

    def bgr(self) -> np.ndarray:
        """(H, W, 3) uint8, contiguous."""
        return self._converter.whole(self._frame, self._inner_px)

    def part(self, rows: slice, columns: slice) -> np.ndarray:
        """``bgr()[rows, columns]``; where that comes to the same, nothing else is converted."""
        return self._converter.part(self._frame, self._inner_px, rows, columns)

    def reduced(self, size_px: tuple[int, int], interpolation: int) -> np.ndarray:
        """(height, width, 3) uint8 BGR; ``interpolation`` is one of OpenCV's, or what comes near to it."""
        larger = size_px[0] > self._inner_px[0] or size_px[1] > self._inner_px[1]
        if larger or self._inner_px != self._converter.size_px or interpolation not in _AS_IN_OPENCV:
            return cv2.resize(self.bgr(), size_px, interpolation=interpolation)
        return self._converter.upright(self._frame, size_px, _AS_IN_OPENCV[interpolation])

    def luma(self) -> tuple[np.ndarray, bool] | None:
        """Brightness as it was decoded, (H, W) uint8, a view, and whether 16 to 235 stand for black to white.

        None where it is not stored in a plane of its own, in this size.
        """
        frame, name = self._frame, self._frame.format.name
        plane = frame.planes[0]
        if name.removeprefix("yuvj").removeprefix("yuv") not in _WITH_LUMA or plane.line_size < frame.width:
            return None
        stored = np.frombuffer(cast("bytes", plane), np.uint8).reshape(-1, plane.line_size)[
            : frame.height, : frame.width
        ]
        upright = self._converter.orientation.apply(stored)
        if upright.shape[::-1] != self._inner_px or self._inner_px != self._converter.size_px:
            return None
        return upright, not (name.startswith("yuvj") or frame.color_range == ColorRange.JPEG)


Frame: TypeAlias = "np.ndarray | Picture"
"""(H, W, 3) uint8 BGR, or what becomes it. Both have ``shape`` and ``nbytes``."""


def bgr_of(frame: Frame) -> np.ndarray:
    """(H, W, 3) uint8 BGR."""
    return frame.bgr() if isinstance(frame, Picture) else frame


def part_of(frame: Frame, rows: slice, columns: slice) -> np.ndarray:
    """``bgr_of(frame)[rows, columns]``."""
    return frame.part(rows, columns) if isinstance(frame, Picture) else frame[rows, columns]


def reduce(frame: Frame, size_px: tuple[int, int], interpolation: int) -> np.ndarray:
    """The frame in another size (width and height), BGR; ``interpolation`` is one of OpenCV's."""
    if (frame.shape[1], frame.shape[0]) == size_px:
        return bgr_of(frame)
    if isinstance(frame, Picture):
        return frame.reduced(size_px, interpolation)
    return cv2.resize(frame, size_px, interpolation=interpolation)


class FrameConverter:
    """Turns decoded frames into pictures of one size and orientation."""

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
        self._reformatters: dict[tuple[int, int], VideoReformatter] = {}
        self._size_px = size_px
        self._pixel_aspect = pixel_aspect
        self._may_grow = may_grow
        self._orientation: Orientation | None = None
        self._last: tuple[VideoFrame, np.ndarray] | None = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of what comes out; there was a frame."""
        return cast("tuple[int, int]", self._size_px)

    @property
    def orientation(self) -> Orientation:
        """That of the first frame."""
        return self._orientation or UPRIGHT

    def convert(self, frame: VideoFrame) -> np.ndarray:
        """The frame as (H, W, 3) uint8 BGR, upright and contiguous; black beside it where its shape is another.

        A frame of another size than the rest is brought to theirs, its shape kept. The orientation is that of the
        first one. Raises PicturesGrowError.
        """
        return self.picture(frame).bgr()

    def picture(self, frame: VideoFrame) -> Picture:
        """The same, to be converted when it is needed. Raises PicturesGrowError."""
        if self._orientation is None:
            self._orientation = orientation_of(frame)
        shown = shown_size(frame.width, frame.height, self._orientation, self._pixel_aspect)
        if self._size_px is None:
            self._size_px = shown
        width, height = self._size_px
        if self._may_grow and (shown[0] > width or shown[1] > height):
            raise PicturesGrowError
        if shown == self._size_px:
            return Picture(frame, self, shown)
        scale = min(Fraction(width, shown[0]), Fraction(height, shown[1]))
        return Picture(frame, self, (max(1, round(shown[0] * scale)), max(1, round(shown[1] * scale))))

    def whole(self, frame: VideoFrame, inner_px: tuple[int, int]) -> np.ndarray:
        """See ``Picture.bgr``. Several that ask for one picture one after the other get the same array."""
        if self._last is None or self._last[0] is not frame:
            self._last = frame, self._on_canvas(self.upright(frame, inner_px))
        return self._last[1]

    def part(self, frame: VideoFrame, inner_px: tuple[int, int], rows: slice, columns: slice) -> np.ndarray:
        """See ``Picture.part``."""
        at_hand = self._last is not None and self._last[0] is frame
        orientation, size_px = self.orientation, self.size_px
        if not at_hand and inner_px == size_px == shown_size(frame.width, frame.height, orientation):
            wanted = range(size_px[1])[rows], range(size_px[0])[columns]
            stored = cut_out(frame, *orientation.stored(*wanted, size_px))
            if stored is not None:
                return np.ascontiguousarray(orientation.apply(stored))
        return self.whole(frame, inner_px)[rows, columns]

    def upright(
        self, frame: VideoFrame, size_px: tuple[int, int], interpolation: Interpolation = Interpolation.BILINEAR
    ) -> np.ndarray:
        """The frame in a size of its own, BGR, contiguous."""
        orientation = self.orientation
        width, height = size_px[::-1] if orientation.swap_axes else size_px
        reformatter = self._reformatters.setdefault((width, height), VideoReformatter())
        # One thread: the workers beside this one already share the cores.
        stored = reformatter.reformat(frame, width, height, "bgr24", interpolation=interpolation, threads=1)
        return np.ascontiguousarray(orientation.apply(stored.to_ndarray()))

    def _on_canvas(self, picture: np.ndarray) -> np.ndarray:
        width, height = self.size_px
        inner_height, inner_width = picture.shape[:2]
        if (inner_width, inner_height) == (width, height):
            return picture
        canvas = np.zeros((height, width, 3), np.uint8)
        left, top = (width - inner_width) // 2, (height - inner_height) // 2
        canvas[top : top + inner_height, left : left + inner_width] = picture
        return canvas

"""Decoded frames -> upright BGR arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from av.sidedata.sidedata import SideDataContainer
from av.video.reformatter import VideoReformatter

if TYPE_CHECKING:
    from av.video.frame import VideoFrame


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


class FrameConverter:
    """Turns decoded frames into arrays of one size and orientation, those of the first."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()
        self._stored_size_px: tuple[int, int] | None = None
        self._orientation = Orientation(False, False, False)

    def convert(self, frame: VideoFrame) -> np.ndarray:
        """The frame as (H, W, 3) uint8 BGR, upright and contiguous."""
        if self._stored_size_px is None:
            self._stored_size_px = frame.width, frame.height
            self._orientation = orientation_of(frame)
        width, height = self._stored_size_px
        # One thread: the workers beside this one already share the cores.
        stored = self._reformatter.reformat(frame, width, height, "bgr24", threads=1).to_ndarray()
        return np.ascontiguousarray(self._orientation.apply(stored))

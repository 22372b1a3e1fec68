"""A rectangle of a decoded frame as BGR, without a conversion of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
from av.video.frame import VideoFrame
from av.video.reformatter import Interpolation, VideoReformatter

if TYPE_CHECKING:
    from av.video.plane import VideoPlane

_HALVED_COLOURS = ("yuv420p", "yuvj420p")


def cut_out(frame: VideoFrame, rows: range, columns: range) -> np.ndarray | None:
    """These pixels of the whole frame as swscale makes them in its size, (rows, columns, 3) uint8 BGR, a view.

    None where pixels depend on others than those of their own square of 2 x 2: such a part would differ.
    """
    # At an odd height swscale takes another way, which blends the colours of neighbours. Fields have their own colours.
    even = frame.width % 2 == frame.height % 2 == 0
    if frame.format.name not in _HALVED_COLOURS or not even or frame.interlaced_frame or not (rows and columns):
        return None
    planes = frame.planes
    if any(plane.line_size < plane.width for plane in planes):
        # Stored from the bottom to the top.
        return None
    top, left = rows.start // 2, columns.start // 2
    bottom, right = (rows.stop + 1) // 2, (columns.stop + 1) // 2
    part = VideoFrame(2 * (right - left), 2 * (bottom - top), frame.format.name)
    part.color_range, part.colorspace = frame.color_range, frame.colorspace
    for whole, cut, scale in zip(planes, part.planes, (2, 1, 1), strict=True):
        taken = _pixels(whole)[scale * top : scale * bottom, scale * left : scale * right]
        _pixels(cut)[:, : taken.shape[1]] = taken
    # A new one costs a tenth of the conversion, and every part has a size of its own.
    made = VideoReformatter().reformat(part, format="bgr24", interpolation=Interpolation.BILINEAR, threads=1)
    bgr = made.to_ndarray()
    return bgr[rows.start - 2 * top :, columns.start - 2 * left :][: len(rows), : len(columns)]


def _pixels(plane: VideoPlane) -> np.ndarray:
    return np.frombuffer(cast("bytes", plane), np.uint8).reshape(plane.height, plane.line_size)

"""Interlaced pictures, whose two fields were taken one after the other: half a field later than their stamp says."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from syncnet.conventions import FPS

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

MOST_FRAMES = 50
ENOUGH_PIXELS = 20_000
MOVED = 20
"""Levels of brightness, of 255, by which a pixel differs from that of the next picture where something moves."""
LEAST_PIXELS = 1_000
PROGRESSIVE_SHARE = 0.75
"""Where fields of one picture fit each other so much better than those of two, both were taken at once."""


def field_delay(frames: Iterable[VideoFrame], picture_rate: Fraction | None) -> Fraction:
    """Seconds from a picture's stamp to the middle of the times at which its two fields were taken; 0 for whole ones.

    ``frames`` are those of the start, as many as it takes. Many films are whole pictures in a stream that says it has
    fields; so where something moves it is compared which fields fit each other. Where nothing moves the stream
    is believed.
    """
    shares, pixels = [], 0
    for (even, odd), (next_even, next_odd) in pairwise(_fields(frame) for frame in islice(frames, MOST_FRAMES)):
        moving = ((np.abs(even - next_even) > MOVED) | (np.abs(odd - next_odd) > MOVED))[:-1]
        crossed = min(_misfit(next_even, odd, moving), _misfit(even, next_odd, moving))
        if crossed > 0:
            shares.append(_misfit(even, odd, moving) / crossed)
            pixels += int(moving.sum())
        if pixels >= ENOUGH_PIXELS:
            break
    # Of fields taken in turn each is as near in time to one of the next picture as to the other one of its own. The
    # median, since at a cut those of two pictures have nothing to do with each other.
    if pixels >= LEAST_PIXELS and float(np.median(shares)) < PROGRESSIVE_SHARE:
        return Fraction(0)
    return 1 / (4 * (picture_rate or Fraction(FPS)))


def _fields(frame: VideoFrame) -> tuple[np.ndarray, np.ndarray]:
    """Brightness of the even lines and of the odd ones."""
    lines = frame.reformat(format="gray", threads=1).to_ndarray().astype(np.int16)
    lines = lines[: len(lines) // 2 * 2]
    return lines[::2], lines[1::2]


def _misfit(even: np.ndarray, odd: np.ndarray, where: np.ndarray) -> float:
    """How far each odd line lies from the mean of the even ones around it."""
    between = (even[:-1] + even[1:]) // 2
    return float(np.abs(odd[:-1] - between)[where].sum())

"""The pictures of a video at its own frame rate, on the clock that it was scored by."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import numpy as np

from syncnet.conventions import FPS
from syncnet.media.clock import forward_only
from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import opened, picture_stream
from syncnet.media.opening import Media
from syncnet.media.picture import FrameConverter
from syncnet.media.rates import rate_of

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

HIGHEST_FPS = 60
"""Of recordings at more frames a second some are left out: nobody sees them, and they would be many."""


def source_frames(media: Media) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Seconds since the start of the clock, and the frame, (H, W, 3) uint8 BGR, upright. Raises DamagedVideoError."""
    with opened(media.path) as container:
        picture = picture_stream(container, media.path)
        # Read along as in scoring.
        others = media.own_sound(container)
        decoder = StreamDecoder(media.path, container, picture, *others, threads=media.threads, stop=media.stop)
        converter = FrameConverter((media.info.width, media.info.height), media.pixel_aspect)
        usual = 1 / (rate_of(picture) or Fraction(media.info.source_fps or FPS))
        earliest = Fraction(0)
        for seconds, _, frame in forward_only((time, usual, frame) for time, frame in decoder.frames()):
            if seconds >= earliest:
                # A little less than a frame's time, since stamps are rounded.
                earliest = seconds + Fraction(9, 10 * HIGHEST_FPS)
                yield max(seconds - media.phase, Fraction(0)), converter.convert(cast("VideoFrame", frame))


def frame_at(seconds: Fraction) -> int:
    """The frame of the 25 fps clock that is nearest to this time."""
    return round(seconds * FPS)

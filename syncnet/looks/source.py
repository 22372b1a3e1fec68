"""The pictures of a video at its own frame rate, on the clock that it was scored by."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """A picture of the file, and from when to when it is shown, in seconds on the clock of ``Media``."""

    shown: Fraction
    """The first ones may come before the clock begins, by less than a tick."""
    until: Fraction
    """When the next one comes, or the last one ends."""
    decoded: VideoFrame


def decoded_frames(media: Media) -> Iterator[SourceFrame]:
    """All pictures of the file, as they were decoded. Raises DamagedVideoError and Interrupted."""
    with opened(media.path) as container:
        picture = picture_stream(container, media.path)
        # Read along as in scoring.
        others = media.own_sound(container)
        decoder = StreamDecoder(media.path, container, picture, *others, threads=media.threads, stop=media.stop)
        usual = 1 / (rate_of(picture) or Fraction(media.info.source_fps or FPS))
        last: SourceFrame | None = None
        for time, _, frame in forward_only((time, usual, frame) for time, frame in decoder.frames()):
            shown = time - media.phase
            if last is not None:
                yield SourceFrame(last.shown, shown, last.decoded)
            last = SourceFrame(shown, shown + usual, cast("VideoFrame", frame))
        if last is not None:
            yield last


def converter_of(media: Media) -> FrameConverter:
    """For all pictures of a video: of one size, upright, their pixels square."""
    return FrameConverter((media.info.width, media.info.height), media.pixel_aspect)


def source_frames(media: Media) -> Iterator[tuple[Fraction, np.ndarray]]:
    """Seconds since the start of the clock, and the frame, (H, W, 3) uint8 BGR, upright. Raises DamagedVideoError."""
    converter = converter_of(media)
    earliest: Fraction | None = None
    for frame in decoded_frames(media):
        if earliest is None or frame.shown >= earliest:
            # A little less than a frame's time, since stamps are rounded.
            earliest = frame.shown + Fraction(9, 10 * HIGHEST_FPS)
            yield max(frame.shown, Fraction(0)), converter.convert(frame.decoded)


def frame_at(seconds: Fraction) -> int:
    """The frame of the 25 fps clock that is nearest to this time."""
    return round(seconds * FPS)

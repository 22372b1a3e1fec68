"""Pictures and sound -> an MP4 file that browsers play: H.264 and AAC, its index in front."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from syncnet.conventions import SAMPLE_RATE
from syncnet.system.atomic import NewFile

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

VIDEO_TICKS = 90_000
"""Of a second; whole for every usual frame rate, and it keeps the times of frames that come at no rate."""
SOUND_RATE = 48_000
"""An AAC encoder starts with 1,024 samples of silence: at the 16 kHz of the samples a player that takes them for sound
would be 64 ms late, here 21."""
_SOUND_PIECE = SAMPLE_RATE // 5
_MUXER_OPTIONS = {"movflags": "+faststart"}
_ENCODER_OPTIONS = {"crf": "21", "preset": "veryfast", "g": "60"}


class Movie:
    """A file in the making, under a temporary name; holds a few frames at a time.

    Takes pictures in the order of their times, and writes the sound beside them. Every method may raise OSError, of
    which ``av.FFmpegError`` is one.
    """

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int],
        fps: float,
        samples: np.ndarray,
        *,
        threads: int = 1,
        comment: str = "",
    ) -> None:
        """Makes the folder. ``size_px``: width and height, both even; ``samples``: (S,) int16, 16 kHz mono, the first
        at time 0."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = NewFile(path)
        # Absolute, so that no name is taken for a protocol's.
        self._container = av.open(
            os.path.abspath(self._file.temporary), "w", format="mp4", options=dict(_MUXER_OPTIONS)
        )
        self._container.metadata["comment"] = comment
        self._samples = samples
        self._sound_at = 0
        self._last_tick = -1
        self._picture = _picture_stream(self._container, size_px, fps, threads)
        self._sound: AudioStream | None = None
        if len(samples):
            self._sound = self._container.add_stream("aac", rate=SOUND_RATE, layout="mono")
            self._sound.bit_rate = 96_000

    def add(self, seconds: Fraction | float, picture_bgr: np.ndarray) -> None:
        """A picture of the size given, (H, W, 3) uint8 BGR, and when it is shown."""
        tick = max(round(seconds * VIDEO_TICKS), self._last_tick + 1)
        self._last_tick = tick
        frame = av.VideoFrame.from_ndarray(picture_bgr, format="bgr24")
        frame.pts, frame.time_base = tick, Fraction(1, VIDEO_TICKS)
        self._container.mux(self._picture.encode(frame))
        self._write_sound(float(seconds))

    def finish(self) -> None:
        """The movie stands under its name; what is left of the sound goes on after the last picture."""
        self._write_sound(len(self._samples) / SAMPLE_RATE)
        self._container.mux(self._picture.encode(None))
        if self._sound is not None:
            self._container.mux(self._sound.encode(None))
        self._container.close()
        self._file.put()

    def discard(self) -> None:
        """Nothing of it stays."""
        with contextlib.suppress(OSError):
            self._container.close()
        self._file.discard()

    def _write_sound(self, until_seconds: float) -> None:
        if self._sound is None:
            return
        while self._sound_at < min(len(self._samples), until_seconds * SAMPLE_RATE):
            piece = np.ascontiguousarray(self._samples[self._sound_at : self._sound_at + _SOUND_PIECE])
            frame = av.AudioFrame.from_ndarray(piece[None], format="s16", layout="mono")
            frame.sample_rate = SAMPLE_RATE
            frame.pts, frame.time_base = self._sound_at, Fraction(1, SAMPLE_RATE)
            self._container.mux(self._sound.encode(frame))
            self._sound_at += len(piece)


def _picture_stream(container: OutputContainer, size_px: tuple[int, int], fps: float, threads: int) -> VideoStream:
    # FFmpeg's name for whichever H.264 encoder it was built with; in PyAV's wheels that is libx264.
    stream = container.add_stream("h264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height = size_px
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, VIDEO_TICKS)
    stream.codec_context.thread_count = threads
    if stream.codec.name == "libx264":
        stream.options = dict(_ENCODER_OPTIONS)
    return stream


@contextmanager
def open_movie(
    path: Path, size_px: tuple[int, int], fps: float, samples: np.ndarray, *, threads: int = 1, comment: str = ""
) -> Iterator[Movie]:
    """A movie that stands under its name, whole, when the block ends well, and not at all when it does not."""
    movie = Movie(path, size_px, fps, samples, threads=threads, comment=comment)
    try:
        yield movie
        movie.finish()
    except BaseException:
        movie.discard()
        raise


def read_comment(path: Path) -> str:
    """The comment of a movie; empty where there is no such file, or it cannot be read."""
    try:
        with av.open(os.path.abspath(path), format="mp4") as container:
            return container.metadata.get("comment", "")
    except (OSError, av.FFmpegError):
        return ""

"""Pictures and sound -> an MP4 file that browsers play: H.264 and AAC, its index in front."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

import av
import numpy as np
from av.codec.context import Flags
from av.video.reformatter import ColorRange, Colorspace

from syncnet.conventions import Samples
from syncnet.media.sound import SCORED, SoundForm
from syncnet.system.atomic import NewFile

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.video.stream import VideoStream

VIDEO_TICKS = 120_000
"""Of a second; whole for every usual frame rate, and it keeps the times of frames that come at no rate."""
LOOK_SOUND_RATE = 48_000
"""An AAC encoder starts with 1,024 samples of silence: at the 16 kHz of the samples a player that takes them for sound
would be 64 ms late, here 21."""
SOUND_BITS = 96_000
"""A second, for each channel."""
LOOK_CRF = 21
VP9_CRF_MORE = 10
"""Its scale goes to 63, that of H.264 to 51."""
_PIECES_A_SECOND = 5
_MUXER_OPTIONS = {"movflags": "+faststart"}
_ENCODER_OPTIONS = {"preset": "veryfast", "g": "60"}
_MATRIX = int(Colorspace.ITU709)
"""What players take for granted in large pictures; it is written into the file."""


class EncoderNotFoundError(OSError):
    """Neither of the two encoders is there."""

    def __init__(self) -> None:
        super().__init__(errno.ENOSYS, "this build of FFmpeg writes neither H.264 nor VP9")


class MovieSound(Protocol):
    """Where the sound of a movie is from."""

    @property
    def form(self) -> SoundForm:
        """Of the samples."""

    @property
    def seconds(self) -> Fraction | None:
        """How long it is; None: as long as the pictures."""

    def read(self, first: int, end: int) -> np.ndarray:
        """Samples since the movie's start, (end - first, channels) int16; each is asked for once, in order."""


class HeldSound:
    """The samples that a video was scored with."""

    form = SCORED

    def __init__(self, samples: Samples) -> None:
        """``samples``: (S,) int16, 16 kHz mono, the first at time 0."""
        self._samples = samples
        self.seconds = Fraction(len(samples), SCORED.rate)

    def read(self, first: int, end: int) -> np.ndarray:
        return self._samples[first:end][:, None]


class Movie:
    """A file in the making, under a temporary name; holds a few frames at a time.

    Takes pictures in the order of their times, and writes the sound beside them. Every method may raise OSError, of
    which ``av.FFmpegError`` is one.
    """

    def __init__(
        self,
        path: Path,
        size_px: tuple[int, int],
        fps: float | Fraction,
        sound: MovieSound | None,
        *,
        sound_rate: int | None = None,
        crf: int = LOOK_CRF,
        threads: int = 1,
        comment: str = "",
    ) -> None:
        """Makes the folder. ``size_px``: width and height, both even; ``sound_rate``: None for that of the sound."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = NewFile(path)
        # Absolute, so that no name is taken for a protocol's.
        self._container = av.open(
            os.path.abspath(self._file.temporary), "w", format="mp4", options=dict(_MUXER_OPTIONS)
        )
        self._container.metadata["comment"] = comment
        self._source = sound
        self._sound_at = 0
        self._last_tick, self._end = -1, Fraction(0)
        self._picture = _picture_stream(self._container, size_px, fps, crf, threads)
        self._sound: AudioStream | None = None
        if sound is not None:
            rate = sound_rate or sound.form.rate
            self._sound = self._container.add_stream("aac", rate=rate, layout=sound.form.layout)
            self._sound.bit_rate = SOUND_BITS * sound.form.channels

    def add(self, seconds: Fraction | float, picture_bgr: np.ndarray, duration_seconds: Fraction | None = None) -> None:
        """A picture of the size given, (H, W, 3) uint8 BGR, when it is shown, and for how long."""
        tick = max(round(seconds * VIDEO_TICKS), self._last_tick + 1)
        self._last_tick = tick
        frame = av.VideoFrame.from_ndarray(picture_bgr, format="bgr24")
        frame = frame.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, threads=1)
        frame.pts, frame.time_base = tick, Fraction(1, VIDEO_TICKS)
        if duration_seconds is not None:
            self._end = Fraction(seconds) + duration_seconds
            frame.duration = max(1, round(self._end * VIDEO_TICKS) - tick)
        self._container.mux(self._picture.encode(frame))
        self._write_sound(seconds, whole=False)

    def finish(self) -> None:
        """The movie stands under its name, with all of its sound."""
        if self._source is not None:
            self._write_sound(self._end if self._source.seconds is None else self._source.seconds, whole=True)
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

    def _write_sound(self, until_seconds: Fraction | float, *, whole: bool) -> None:
        """Up to that time in pieces of one length, the last one of which is left for later unless ``whole``."""
        if self._sound is None or self._source is None:
            return
        form = self._source.form
        until, piece = round(until_seconds * form.rate), form.rate // _PIECES_A_SECOND
        while self._sound_at + (1 if whole else piece) <= until:
            end = min(self._sound_at + piece, until)
            samples = np.ascontiguousarray(self._source.read(self._sound_at, end))
            frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=form.layout)
            frame.sample_rate = form.rate
            frame.pts, frame.time_base = self._sound_at, Fraction(1, form.rate)
            self._container.mux(self._sound.encode(frame))
            self._sound_at = end


def _picture_stream(
    container: OutputContainer, size_px: tuple[int, int], fps: float | Fraction, crf: int, threads: int
) -> VideoStream:
    stream = cast("VideoStream", container.add_stream(find_encoder(), rate=Fraction(fps).limit_denominator(1001)))
    stream.width, stream.height = size_px
    stream.pix_fmt = "yuv420p"
    stream.time_base = stream.codec_context.time_base = Fraction(1, VIDEO_TICKS)
    context = stream.codec_context
    context.colorspace, context.color_range = _MATRIX, int(ColorRange.MPEG)
    context.flags |= Flags.frame_duration
    context.thread_count = threads
    if stream.codec.name == "libx264":
        stream.options = {**_ENCODER_OPTIONS, "crf": str(crf)}
    elif stream.codec.name == "libvpx-vp9":
        stream.options = {"crf": str(crf + VP9_CRF_MORE), "deadline": "realtime", "cpu-used": "6", "g": "60"}
    return stream


def find_encoder() -> str:
    """H.264, which every browser plays; VP9 where FFmpeg cannot write it. Raises OSError."""
    # FFmpeg's name for whichever H.264 encoder it was built with; in PyAV's wheels that is libx264.
    for name in ("h264", "libvpx-vp9"):
        with contextlib.suppress(ValueError):
            av.Codec(name, "w")
            return name
    raise EncoderNotFoundError


def look_movie(
    path: Path,
    size_px: tuple[int, int],
    fps: float,
    samples: Samples,
    *,
    threads: int = 1,
    comment: str = "",
    crf: int = LOOK_CRF,
) -> Movie:
    """One with the sound that was scored, (S,) int16, 16 kHz mono, the first sample at time 0."""
    sound = HeldSound(samples) if len(samples) else None
    return Movie(path, size_px, fps, sound, sound_rate=LOOK_SOUND_RATE, crf=crf, threads=threads, comment=comment)


@contextmanager
def open_movie(
    path: Path,
    size_px: tuple[int, int],
    fps: float,
    samples: Samples,
    *,
    threads: int = 1,
    comment: str = "",
    crf: int = LOOK_CRF,
) -> Iterator[Movie]:
    """A ``look_movie`` that stands under its name, whole, when the block ends well, and not at all when it does not."""
    movie = look_movie(path, size_px, fps, samples, threads=threads, comment=comment, crf=crf)
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

"""The sample in sync in odd shapes, written with PyAV: whatever the shape, lips and sound fit as they did before."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np

from synthetic.source_clip import SOUND_RATE, SourceClip, read_source

SAMPLE = Path(__file__).resolve().parent.parent / "samples" / "in_sync.mp4"
SECONDS = 2.4
"""60 frames at 25 a second: ten more than a track needs."""
SIDE_PX = 224
"""Half of the sample's: its face stays above 50 px."""


@cache
def talking() -> SourceClip:
    """The first seconds of the sample, at half its size."""
    return read_source(SAMPLE, SECONDS, lambda _width, _height: 0.5)


@dataclass(frozen=True)
class Sound:
    """One sound track."""

    codec: str = "aac"
    rate: int = SOUND_RATE
    layout: str = "mono"
    voice_in: Sequence[int] | None = None
    """Channels, by their number in the layout, that carry the voice; None: all of them. The others are silent."""
    shift_seconds: float = 0.0
    """How much later the voice is than it should be."""
    seconds: float = SECONDS
    start_seconds: float = 0.0
    """Where the track starts; what would be heard before is left out."""


@dataclass(frozen=True)
class Shape:
    """What becomes of the sample."""

    fps: Fraction | int = 25
    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    options: tuple[tuple[str, str], ...] = (("preset", "ultrafast"),)
    size_px: tuple[int, int] = (SIDE_PX, SIDE_PX)
    seconds: float = SECONDS
    start_seconds: float = 0.0
    """Added to every time stamp."""
    sounds: Sequence[Sound] = (Sound(),)
    cover_first: bool = False
    """Whether a still picture stands before the moving one."""
    container: str | None = None
    """FFmpeg's name of the format; by default it follows from the extension."""
    muxer_options: tuple[tuple[str, str], ...] = ()


Timed = tuple[float, int, Any, Any]
"""Time in seconds, order at equal times, stream, frame or packet."""


def write_shape(path: Path, shape: Shape = Shape()) -> Path:
    """Writes the sample in this shape and returns its path."""
    with av.open(f"file:{path}", "w", format=shape.container, options=dict(shape.muxer_options)) as container:
        cover = _add_cover(container) if shape.cover_first else None
        sources = [_picture(container, shape)]
        sources += [_sound(container, shape, sound, number) for number, sound in enumerate(shape.sounds, start=1)]
        if cover is not None:
            still = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 90, np.uint8), format="bgr24")
            container.mux([*cover.encode(still), *cover.encode(None)])
        for _, _, stream, frame in heapq.merge(*sources, key=lambda item: item[:2]):
            container.mux(stream.encode(frame))
        for stream in container.streams:
            if stream is not cover:
                container.mux(stream.encode(None))  # type: ignore[attr-defined]
    return path


def _add_cover(container: av.container.OutputContainer) -> Any:
    cover: Any = container.add_stream("mjpeg", rate=25)
    cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
    cover.disposition = av.stream.Disposition.attached_pic
    return cover


def _picture(container: av.container.OutputContainer, shape: Shape) -> Iterator[Timed]:
    stream: Any = container.add_stream(shape.codec, rate=shape.fps, options=dict(shape.options))
    stream.width, stream.height = shape.size_px
    stream.pix_fmt = shape.pix_fmt
    stream.codec_context.thread_count = 1
    tick = stream.codec_context.time_base = 1 / Fraction(shape.fps)
    source = talking()

    def frames() -> Iterator[Timed]:
        for number in range(max(1, round(shape.seconds * shape.fps))):
            seen = av.VideoFrame.from_ndarray(source.frame_at(float(number * tick)), format="yuv420p")
            frame = seen.reformat(*shape.size_px, format=shape.pix_fmt)
            frame.pts, frame.time_base = number + round(shape.start_seconds / tick), tick
            yield float(number * tick), 0, stream, frame

    return frames()


def _sound(container: av.container.OutputContainer, shape: Shape, sound: Sound, order: int) -> Iterator[Timed]:
    stream: Any = container.add_stream(sound.codec, rate=sound.rate, layout=sound.layout)
    stream.codec_context.open()
    samples = _voice(sound)
    chunk = stream.codec_context.frame_size or 1024
    layout = av.AudioLayout(sound.layout)
    loud = range(layout.nb_channels) if sound.voice_in is None else sound.voice_in

    def frames() -> Iterator[Timed]:
        for first in range(round(sound.start_seconds * sound.rate), len(samples), chunk):
            part = samples[first : first + chunk]
            planes = np.zeros((layout.nb_channels, len(part)), np.int16)
            planes[list(loud)] = part
            frame = av.AudioFrame.from_ndarray(planes.T.reshape(1, -1), format="s16", layout=sound.layout)
            frame.sample_rate = sound.rate
            frame.pts, frame.time_base = first + round(shape.start_seconds * sound.rate), Fraction(1, sound.rate)
            yield first / sound.rate, order, stream, frame

    return frames()


def _voice(sound: Sound) -> np.ndarray:
    """(S,) int16 at the track's rate."""
    voice = talking().sound_delayed(sound.shift_seconds, sound.seconds)
    if sound.rate == SOUND_RATE:
        return voice
    resampler = av.AudioResampler(format="s16", layout="mono", rate=sound.rate)
    frame = av.AudioFrame.from_ndarray(voice[None], format="s16", layout="mono")
    frame.sample_rate = SOUND_RATE
    blocks = [block.to_ndarray()[0] for block in [*resampler.resample(frame), *resampler.resample(None)]]
    return np.concatenate(blocks)

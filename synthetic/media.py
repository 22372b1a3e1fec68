"""Small clips with a known truth, written with PyAV: each frame shows its own number, the sound is silence with clicks.

The truth is set on one clock, in seconds: frame k is shown at ``frame_times[k]``, a click is centred on each of
``click_times``. ``read_frame_number`` and ``find_clicks`` read both back from what was decoded, so that a test knows
which source frame it was given, and where the sound lies, without trusting any time stamp.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.container import OutputContainer

WIDTH_PX, HEIGHT_PX = 160, 120
NUMBER_BITS = 10
"""Bars of 16 pixels in the lower part of the picture, black for 0 and white for 1: wide enough for any codec."""
MARKER_PX = 32
"""Side of the white square in the upper left corner, which shows the orientation."""
CLICK_SIGMA_SECONDS = 0.002
CLICK_HZ = 1000.0
"""A click is a tone burst under a Gaussian: symmetric, so its centroid is its time, in the band that codecs keep."""

Timed = tuple[float, int, Any, Any]
"""Time in seconds, order at equal times, stream, frame."""
Draw = Callable[[int], av.VideoFrame]
"""The picture of frame k, of the clip's size."""


@dataclass(frozen=True)
class Clip:
    """What ``write_clip`` writes. Times are in seconds on the clip's clock."""

    fps: Fraction | int = 25
    seconds: float = 2.0
    frame_times: Sequence[float] | None = None
    """Times of the frames where the rate varies; otherwise frame k is shown at k / fps."""
    video_start: float = 0.0
    """Added to the time of every frame, rounded to whole frames: above zero, the picture starts later than the file;
    below zero, MP4 hides what comes before zero by an edit list."""
    audio_start: float = 0.0
    """The sound before this time is left out of the file."""
    audio_end: float | None = None
    sound_shift: float = 0.0
    """Added to the time of every click: above zero, the sound is late."""
    sound_gap: tuple[float, float] | None = None
    """No sound packet is written between these times."""
    click_times: Sequence[float] = (0.5, 1.0, 1.5)
    container: str | None = None
    """FFmpeg's name of the format; by default it follows from the extension."""
    muxer_options: tuple[tuple[str, str], ...] = ()
    title: str = ""
    video_codec: str | None = "libx264"
    video_options: tuple[tuple[str, str], ...] = ()
    size_px: tuple[int, int] = (WIDTH_PX, HEIGHT_PX)
    pixel_aspect: Fraction | None = None
    """Width over height of a pixel, as the stream states it."""
    background_bgr: tuple[int, int, int] = (0, 0, 0)
    audio_codec: str | None = "aac"
    sample_rate: int = 48_000
    layout: str = "mono"
    counter_clockwise_degrees: int = 0
    """The rotation that the file asks players to apply."""
    mirrored: bool = False

    def times_of_frames(self) -> list[Fraction]:
        """When each frame is shown, in seconds."""
        tick = self.tick()
        start = round(self.video_start / tick) * tick
        if self.frame_times is not None:
            return [start + round(time / tick) * tick for time in self.frame_times]
        return [start + k * tick for k in range(round(self.seconds * self.fps))]

    def tick(self) -> Fraction:
        """Unit of the frames' times, in seconds: a frame, or a millisecond where the rate varies."""
        return Fraction(1, 1000) if self.frame_times is not None else 1 / Fraction(self.fps)

    def times_of_clicks(self) -> list[float]:
        """When each click is heard, in seconds."""
        return [time + self.sound_shift for time in self.click_times]


def draw_frame(number: int, background_bgr: tuple[int, int, int] = (0, 0, 0)) -> np.ndarray:
    """The picture of one frame, (120, 160, 3) uint8 BGR: a marker in the upper left corner, bars below."""
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), background_bgr, np.uint8)
    picture[:MARKER_PX, :MARKER_PX] = 255
    bar = WIDTH_PX // NUMBER_BITS
    for bit in range(NUMBER_BITS):
        if number >> bit & 1:
            picture[HEIGHT_PX // 2 :, bit * bar : (bit + 1) * bar] = 255
    return picture


def read_frame_number(frame_bgr: np.ndarray) -> int:
    """The number that ``draw_frame`` drew, from a decoded upright frame of any size."""
    height, width = frame_bgr.shape[:2]
    line = frame_bgr[int(height * 0.6) : int(height * 0.9)].mean(axis=(0, 2))
    centres = [int((bit + 0.5) * width / NUMBER_BITS) for bit in range(NUMBER_BITS)]
    return sum(int(line[x] > 128) << bit for bit, x in enumerate(centres))


def draw_sound(clip: Clip) -> np.ndarray:
    """The whole sound of the clip, (S,) int16 at its sample rate, from time zero to its end."""
    end = clip.seconds if clip.audio_end is None else clip.audio_end
    seconds = np.arange(round(end * clip.sample_rate)) / clip.sample_rate
    wave = np.zeros(len(seconds))
    for time in clip.times_of_clicks():
        since = seconds - time
        wave += np.exp(-0.5 * (since / CLICK_SIGMA_SECONDS) ** 2) * np.cos(2 * np.pi * CLICK_HZ * since)
    return (wave * 16_000).astype(np.int16)


def find_clicks(samples: np.ndarray, sample_rate: int = 16_000) -> list[float]:
    """Times of the clicks in seconds, to a few hundredths of a millisecond: the centroid of each burst's energy."""
    energy = samples.astype(np.float64) ** 2
    reach = round(4 * CLICK_SIGMA_SECONDS * sample_rate)
    floor = 0.1 * 16_000.0**2
    times = []
    while len(energy) and energy.max() > floor:
        peak = int(energy.argmax())
        first, end = max(peak - reach, 0), min(peak + reach + 1, len(energy))
        burst = energy[first:end].copy()
        burst[burst < 0.01 * burst.max()] = 0.0
        times.append(float((np.arange(first, end) * burst).sum() / burst.sum() / sample_rate))
        energy[max(peak - 2 * reach, 0) : peak + 2 * reach] = 0.0
    return sorted(times)


def write_clip(path: Path, clip: Clip, draw: Draw | None = None, sound: np.ndarray | None = None) -> Path:
    """Write the clip and return its path.

    ``draw`` and ``sound`` take the place of numbered pictures and clicks; sound is (S,) int16 from time zero on.
    """
    with av.open(f"file:{path}", "w", format=clip.container, options=dict(clip.muxer_options)) as container:
        if clip.title:
            container.metadata["title"] = clip.title
        sources: list[Iterator[Timed]] = []
        if clip.video_codec is not None:
            sources.append(_picture(container, clip, draw or (lambda number: _numbered(number, clip))))
        if clip.audio_codec is not None:
            sources.append(_sound(container, clip, draw_sound(clip) if sound is None else sound))
        for _, _, stream, frame in heapq.merge(*sources, key=lambda item: item[:2]):
            container.mux(stream.encode(frame))
        for stream in container.streams:
            container.mux(stream.encode(None))  # type: ignore[attr-defined]
    return path


def _numbered(number: int, clip: Clip) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(draw_frame(number, clip.background_bgr), format="bgr24")


def _picture(container: OutputContainer, clip: Clip, draw: Draw) -> Iterator[Timed]:
    stream: Any = container.add_stream(str(clip.video_codec), rate=clip.fps, options=dict(clip.video_options))
    stream.width, stream.height = clip.size_px
    stream.pix_fmt = "yuv420p"
    if clip.pixel_aspect is not None:
        stream.codec_context.sample_aspect_ratio = clip.pixel_aspect
    # More threads than one only get into each other's way on so small a picture.
    stream.codec_context.thread_count = 1
    tick = stream.codec_context.time_base = clip.tick()
    if clip.counter_clockwise_degrees or clip.mirrored:
        stream.set_display_rotation(clip.counter_clockwise_degrees, hflip=clip.mirrored)

    def frames() -> Iterator[Timed]:
        for number, time in enumerate(clip.times_of_frames()):
            frame = draw(number)
            frame.pts, frame.time_base = round(time / tick), tick
            yield float(time), 0, stream, frame

    return frames()


def _sound(container: OutputContainer, clip: Clip, samples: np.ndarray) -> Iterator[Timed]:
    stream: Any = container.add_stream(str(clip.audio_codec), rate=clip.sample_rate, layout=clip.layout)
    stream.bit_rate = 128_000
    stream.codec_context.open()
    chunk = stream.codec_context.frame_size or 1024

    def frames() -> Iterator[Timed]:
        for first in range(round(clip.audio_start * clip.sample_rate), len(samples), chunk):
            middle = (first + chunk / 2) / clip.sample_rate
            if clip.sound_gap is not None and clip.sound_gap[0] <= middle < clip.sound_gap[1]:
                continue
            channels = av.AudioLayout(clip.layout).nb_channels
            packed = np.repeat(samples[first : first + chunk], channels)[None]
            frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=clip.layout)
            frame.sample_rate = clip.sample_rate
            frame.pts, frame.time_base = first, Fraction(1, clip.sample_rate)
            yield first / clip.sample_rate, 1, stream, frame

    return frames()

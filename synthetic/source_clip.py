"""The first seconds of a real clip, decoded without the media stage: what its variants are made from."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

SOUND_RATE = 48_000
MOVE_SECONDS = 0.6
"""So much more sound than picture is read, for variants whose sound is moved ahead."""


@dataclass(frozen=True)
class SourceClip:
    """Pictures with their times, and the sound; the clock starts at the first picture, both in seconds."""

    frame_times: list[float]
    frames: list[np.ndarray]
    """Each (3/2 H, W) uint8: yuv420p as PyAV packs it."""
    sound: np.ndarray
    """(S,) int16 mono at 48 kHz, sample 0 beside the first picture."""
    size_px: tuple[int, int]
    """Width and height of the pictures here, both even."""

    def frame_at(self, time: float) -> np.ndarray:
        """The picture whose time is nearest to ``time``; the earlier one where two are equally near."""
        after = bisect_left(self.frame_times, time)
        if after == 0:
            return self.frames[0]
        if after == len(self.frames):
            return self.frames[-1]
        is_before_nearer = time - self.frame_times[after - 1] <= self.frame_times[after] - time
        return self.frames[after - 1 if is_before_nearer else after]

    def sound_delayed(self, delay_seconds: float, seconds: float) -> np.ndarray:
        """(S,) int16: the sound of ``seconds``, each part later by ``delay_seconds``; silence where there is none."""
        shift = round(delay_seconds * SOUND_RATE)
        wanted = np.zeros(round(seconds * SOUND_RATE), np.int16)
        heard = self.sound[max(-shift, 0) :][: max(len(wanted) - max(shift, 0), 0)]
        wanted[max(shift, 0) : max(shift, 0) + len(heard)] = heard
        return wanted


def read_source(path: Path, seconds: float, scale: Callable[[int, int], float] = lambda _w, _h: 1.0) -> SourceClip:
    """Decodes the first ``seconds`` of picture and its sound; ``scale`` gives the factor for a width and height.

    The times are those of the file. A source must be upright and start its sound with a continuous stream of packets:
    true of every clip of clips.json, whose streams all start at zero.
    """
    with av.open(str(path)) as container:
        times, frames, size_px, start = _read_picture(container, seconds, scale)
    with av.open(str(path)) as container:
        sound = _read_sound(container, start, seconds + MOVE_SECONDS)
    return SourceClip(times, frames, sound, size_px)


def _read_picture(
    container: av.container.InputContainer, seconds: float, scale: Callable[[int, int], float]
) -> tuple[list[float], list[np.ndarray], tuple[int, int], float]:
    stream = container.streams.video[0]
    sides_px = stream.codec_context.width, stream.codec_context.height
    width, height = (2 * round(side * scale(*sides_px) / 2) for side in sides_px)
    times: list[float] = []
    frames: list[np.ndarray] = []
    start = 0.0
    for count, frame in enumerate(container.decode(stream)):
        if frame.rotation:
            raise ValueError(f"{container.name}: a source must be upright")
        # Old AVI has no stamps that deserve the name: its frames are evenly spaced.
        time = count / float(stream.average_rate) if container.format.name == "avi" else float(frame.time)
        start = time if count == 0 else start
        if time - start >= seconds:
            break
        times.append(time - start)
        frames.append(frame.reformat(width, height, "yuv420p").to_ndarray())
    return times, frames, (width, height), start


def _read_sound(container: av.container.InputContainer, start: float, seconds: float) -> np.ndarray:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=SOUND_RATE)
    blocks: list[np.ndarray] = []
    lead = None
    for frame in container.decode(audio=0):
        if lead is None:
            lead = round((float(frame.time) - start) * SOUND_RATE)
        blocks += [block.to_ndarray()[0] for block in resampler.resample(frame)]
        if float(frame.time) - start > seconds:
            break
    samples = np.concatenate(blocks)[: round(seconds * SOUND_RATE)]
    lead = lead or 0
    return samples[-lead:] if lead < 0 else np.concatenate([np.zeros(lead, np.int16), samples])

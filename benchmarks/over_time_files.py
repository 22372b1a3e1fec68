"""Long files with a known answer, put together from clips that are in sync, for benchmarks/over_time.py.

A file is a list of parts, each a picture and a sound, whose whole sound is then delayed along the file: by jumps, by a
drift, or by both. It is encoded as H.264 and AAC at a frame rate of choice.
"""

from __future__ import annotations

import functools
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np

from syncnet.conventions import FPS, SAMPLE_RATE
from training.robustness import Frames, read_source

WIDTH_PX, HEIGHT_PX = 640, 360
LEAD_SECONDS = 0.32
"""At the ends of a clip, left out: people start late and stop early. Whole frames, so that at 25 fps each is shown
once: between two frames rounding shows every second one twice."""

Kind = Literal["own", "stranger", "narration", "silence", "pair"]
"""``own``: a face and its own sound. ``stranger``: a face and another one's sound. ``narration``: no face, somebody
speaks. ``silence``: no face and no sound. ``pair``: two faces side by side, of which the first one speaks."""


@dataclass(frozen=True)
class Part:
    """A range of a file."""

    kind: Kind
    clip: Path | None
    """Whose face is seen (``narration``: whose voice is heard)."""
    other: Path | None
    """Whose voice is heard, or who listens."""
    seconds: float
    late_ms: float = 0.0
    """By how much its own sound is delayed."""
    speaker_left: bool = True


@dataclass(frozen=True)
class Plan:
    """A file before it is made."""

    name: str
    parts: tuple[Part, ...]
    fps: float = float(FPS)
    jumps: tuple[tuple[float, float], ...] = ()
    """(seconds, milliseconds): from when on the sound is late, and by how much in all."""
    own_early_ms: tuple[tuple[Path, float], ...] = ()
    """By how much the sounds of the clips themselves are early; they are brought into sync."""
    drift: float = 0.0
    """Share by which the sound is slower than the picture; below zero: faster."""

    @property
    def seconds(self) -> float:
        return sum(part.seconds for part in self.parts)

    def starts(self) -> Iterator[tuple[float, float, Part]]:
        """From when to when each part is."""
        start = 0.0
        for part in self.parts:
            yield start, start + part.seconds, part
            start += part.seconds

    def late_ms(self, seconds: np.ndarray) -> np.ndarray:
        """By how much the sound of the whole file is late at each time of the picture, beside what its parts are."""
        late = 1000 * seconds * self.drift / (1 + self.drift)
        starts = np.array([0.0, *(at for at, _ in self.jumps)])
        levels = np.array([0.0, *(ms for _, ms in self.jumps)])
        return late + levels[np.searchsorted(starts, seconds, side="right") - 1]


@functools.lru_cache(maxsize=10)
def _clip(path: Path) -> tuple[Frames, np.ndarray]:
    frames, samples = read_source(path)
    return [_fitted(frame, WIDTH_PX, HEIGHT_PX) for frame in frames], samples


def usable_seconds(path: Path) -> float:
    """How long a part of the clip may be."""
    frames, samples = _clip(path)
    return min(len(frames) / FPS, len(samples) / SAMPLE_RATE) - 2 * LEAD_SECONDS


def _fitted(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """The whole frame in the middle of a picture, black around it."""
    scale = min(width / frame.shape[1], height / frame.shape[0])
    small = cv2.resize(
        frame, (round(frame.shape[1] * scale), round(frame.shape[0] * scale)), interpolation=cv2.INTER_AREA
    )
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    picture = np.zeros((height, width, 3), np.uint8)
    picture[top : top + small.shape[0], left : left + small.shape[1]] = small
    return picture


def make_file(plan: Plan, path: Path) -> None:
    """Writes the file. Needs ffmpeg. Raises OSError and CalledProcessError."""
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "sound.raw"
        wave.write_bytes(make_sound(plan, lambda clip: _clip(clip)[1]).tobytes())
        rate = f"{plan.fps:.6f}"
        raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH_PX}x{HEIGHT_PX}", "-r", rate, "-i", "-"]
        sound = ["-f", "s16le", "-ar", str(SAMPLE_RATE), "-ac", "1", "-i", str(wave)]
        coded = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "20", "-pix_fmt", "yuv420p", "-c:a", "aac"]
        command = ["ffmpeg", "-v", "error", "-y", *raw, *sound, *coded, "-b:a", "96k", "-ar", "48000", str(path)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            for picture in _pictures(plan):
                process.stdin.write(picture.tobytes())
            process.stdin.close()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)


def _pictures(plan: Plan) -> Iterator[np.ndarray]:
    starts = list(plan.starts())
    place = 0
    for number in range(round(plan.seconds * plan.fps)):
        seconds = number / plan.fps
        while place + 1 < len(starts) and seconds >= starts[place][1]:
            place += 1
        start, _, part = starts[place]
        yield _picture(part, seconds - start, number)


def _picture(part: Part, seconds: float, number: int) -> np.ndarray:
    if part.kind in ("narration", "silence"):
        return _landscape(number)
    assert part.clip is not None
    own = _frame_at(part.clip, seconds)
    if part.kind != "pair" or part.other is None:
        return own
    listener = _clip(part.other)[0][0]
    pair = (own, listener) if part.speaker_left else (listener, own)
    return np.hstack([_middle(picture) for picture in pair])


def _middle(picture: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(picture[:, WIDTH_PX // 4 : 3 * WIDTH_PX // 4])


def _frame_at(path: Path, seconds: float) -> np.ndarray:
    frames, _ = _clip(path)
    return frames[min(len(frames) - 1, round((seconds + LEAD_SECONDS) * FPS))]


def _landscape(number: int) -> np.ndarray:
    """Hills that pass by: no face in it, and no cut."""
    x = np.arange(WIDTH_PX)
    heights = HEIGHT_PX * (0.55 + 0.12 * np.sin((x + 2 * number) / 90) + 0.06 * np.sin((x + 3 * number) / 37))
    below = np.arange(HEIGHT_PX)[:, None] > heights[None]
    return np.where(below[..., None], np.array((60, 120, 70), np.uint8), np.array((200, 170, 120), np.uint8))


def make_sound(plan: Plan, read_samples: Callable[[Path], np.ndarray]) -> np.ndarray:
    """(n,) int16 at 16 kHz: the sounds of the parts, delayed along the file. ``read_samples``: int16 of a clip."""
    count = round(plan.seconds * SAMPLE_RATE)
    whole = np.zeros(count, np.float32)
    for start, end, part in plan.starts():
        voice = part.clip if part.kind in ("own", "narration", "pair") else part.other
        if part.kind == "silence" or voice is None:
            continue
        samples = read_samples(voice).astype(np.float32)
        first, last = round(start * SAMPLE_RATE), min(count, round(end * SAMPLE_RATE))
        late_ms = part.late_ms + dict(plan.own_early_ms).get(voice, 0.0)
        own = np.arange(last - first) + round((LEAD_SECONDS - late_ms / 1000) * SAMPLE_RATE)
        inside = (own >= 0) & (own < len(samples))
        whole[first:last][inside] = samples[own[inside]]
    times = np.arange(count) / SAMPLE_RATE
    late = plan.late_ms(times) / 1000
    delayed = np.interp((times - late) * SAMPLE_RATE, np.arange(count), whole, left=0.0, right=0.0)
    return np.clip(np.rint(delayed), -32768, 32767).astype(np.int16)


def late_ms_at(plan: Plan, seconds: np.ndarray) -> np.ndarray:
    """By how much the sound is late at each time, (n,) milliseconds, NaN where no face speaks with its own voice."""
    late = np.full(len(seconds), np.nan)
    whole = plan.late_ms(seconds)
    for start, end, part in plan.starts():
        if part.kind in ("own", "pair"):
            inside = (seconds >= start) & (seconds < end)
            late[inside] = whole[inside] + part.late_ms
    return late

"""Ways to spoil a clip whose sync is known, for benchmarks/what_counts.py. What is left of its speech stays in sync."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from syncnet.conventions import FPS, SAMPLES_PER_FRAME
from training.robustness import Frames, mix, music

FLASH_EVERY_FRAMES, BLACK_EVERY_FRAMES = 35, 40
FLASH_LIGHT = (115, 40)
"""Added to every value of two frames in a row."""
ZOOM_EVERY_FRAMES, ZOOM = 40, 1.35
SLIDE_EVERY_FRAMES, SLIDE_FRAMES = 50, 12
PAUSES = 3
QUIET = 8.0
"""Standard deviation of the noise in a pause, of 32768."""


@dataclass(frozen=True, eq=False)
class Recording:
    """One face track with its sound."""

    name: str
    mouths: np.ndarray
    """(n, 64, 64) uint8 grey."""
    samples: np.ndarray
    """(n * 640,) int16."""


Spoilt = Callable[[Recording, np.random.Generator], Recording]


def flashes(frames: Frames) -> Frames:
    """A press flash every 1.4 s."""
    lit = list(frames)
    for first in range(7, len(frames) - len(FLASH_LIGHT), FLASH_EVERY_FRAMES):
        for step, light in enumerate(FLASH_LIGHT):
            lit[first + step] = cv2.add(frames[first + step], (light, light, light, 0))
    return lit


def black_pictures(frames: Frames) -> Frames:
    """One every 1.6 s."""
    return [f if (i + 20) % BLACK_EVERY_FRAMES else np.zeros_like(f) for i, f in enumerate(frames)]


def zooms(frames: Frames) -> Frames:
    """Closer by a third, and back again, every 1.6 s."""
    return [_closer(f) if i // ZOOM_EVERY_FRAMES % 2 else f for i, f in enumerate(frames)]


def _closer(frame: np.ndarray) -> np.ndarray:
    height, width = frame.shape[:2]
    rows, columns = round(height / ZOOM), round(width / ZOOM)
    top, left = round(0.08 * height), (width - columns) // 2
    return cv2.resize(frame[top : top + rows, left : left + columns], (width, height), interpolation=cv2.INTER_LINEAR)


def slides(frames: Frames) -> Frames:
    """A white picture for half a second of every two."""
    first = SLIDE_EVERY_FRAMES - SLIDE_FRAMES
    return [np.full_like(f, 255) if i % SLIDE_EVERY_FRAMES >= first else f for i, f in enumerate(frames)]


PICTURES: dict[str, Callable[[Frames], Frames]] = {
    "press flash every 1.4 s": flashes,
    "black picture every 1.6 s": black_pictures,
    "zoom change every 1.6 s": zooms,
    "slide for half a second of every two": slides,
}


def pauses(share: float, decibels: float | None = None) -> Spoilt:
    """So much of the whole is silence over a held picture, in three places; with music over all, so far below."""

    def hold(recording: Recording, rng: np.random.Generator) -> Recording:
        frames, own = [], []
        start, count = 0, len(recording.mouths)
        lengths = rng.multinomial(round(count * share / (1 - share)), [1 / PAUSES] * PAUSES)
        for part, length in zip(np.array_split(np.arange(count), PAUSES), lengths, strict=True):
            at = _quietest(recording.samples, int(part[0]), int(part[-1]))
            frames += [*range(start, at), *[at] * length]
            noise = rng.standard_normal(length * SAMPLES_PER_FRAME) * QUIET
            own += [recording.samples[start * SAMPLES_PER_FRAME : at * SAMPLES_PER_FRAME], noise.astype(np.int16)]
            start = at
        frames += range(start, count)
        samples = np.concatenate([*own, recording.samples[start * SAMPLES_PER_FRAME :]])
        if decibels is not None:
            samples = music(decibels)(samples, rng)
        return Recording(recording.name, recording.mouths[frames], samples)

    return hold


def _quietest(samples: np.ndarray, first: int, last: int) -> int:
    power = (samples.reshape(-1, SAMPLES_PER_FRAME).astype(np.float64) ** 2).mean(axis=1)
    return first + int(np.convolve(power, np.ones(5), "same")[first : last + 1].argmin())


def with_music(decibels: float) -> Spoilt:
    """Made-up chords, so much below the speech."""
    return lambda recording, rng: Recording(recording.name, recording.mouths, music(decibels)(recording.samples, rng))


def with_noise(decibels: float) -> Spoilt:
    """White noise, so much below the speech."""
    return lambda recording, rng: Recording(
        recording.name,
        recording.mouths,
        mix(recording.samples, rng.standard_normal(len(recording.samples)), decibels),
    )


def one_word(frames: int) -> Spoilt:
    """The middle of the clip, so short."""

    def cut(recording: Recording, _rng: np.random.Generator) -> Recording:
        first = (len(recording.mouths) - frames) // 2
        samples = recording.samples[first * SAMPLES_PER_FRAME : (first + frames) * SAMPLES_PER_FRAME]
        return Recording(recording.name, recording.mouths[first : first + frames], samples)

    return cut


SOUNDS: dict[str, Spoilt] = {
    **{f"pauses, {share:.0%} of the whole": pauses(share) for share in (0.2, 0.45, 0.7)},
    "pauses of 45%, music at 10 dB": pauses(0.45, 10),
    **{f"music at {level} dB": with_music(level) for level in (10, 0)},
    "white noise at 0 dB": with_noise(0),
    **{f"one word, {frames / FPS:.1f} s": one_word(frames) for frames in (34, 50)},
}


def voice_over(recording: Recording, stranger: np.ndarray, share: float, rng: np.random.Generator) -> Recording:
    """Another voice, as loud, over so much of the clip: its start, its middle or its end."""
    count = len(recording.mouths)
    length = round(count * share)
    first = int(rng.choice([0, (count - length) // 2, count - length])) * SAMPLES_PER_FRAME
    end = first + length * SAMPLES_PER_FRAME
    samples = recording.samples.copy()
    voice = np.resize(stranger, len(samples)).astype(np.float64)
    louder = np.std(samples.astype(np.float64)) / max(1.0, float(np.std(voice)))
    samples[first:end] = np.clip(voice[first:end] * louder, -32768, 32767)
    return Recording(recording.name, recording.mouths, samples)

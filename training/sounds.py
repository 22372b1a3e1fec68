"""Sound as rooms, lines and editors leave it: with echo, music, other voices, noise, few bands, a gain that follows."""

from __future__ import annotations

import numpy as np
from scipy.signal import fftconvolve

from syncnet.conventions import SAMPLE_RATE


def disturb_sound(sound: np.ndarray, other: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """``sound`` and another speaker's ``other`` of the same length, floats on the scale of int16; same shape."""
    power = loudness(sound)
    if rng.random() < 0.25:
        sound = _echoed(sound, rng)
    if rng.random() < 0.35:
        sound = sound + other * (power / loudness(other)) * _decibels(-rng.uniform(0, 25))
    if rng.random() < 0.25:
        sound = sound + music(len(sound), rng) * power * _decibels(-rng.uniform(0, 20))
    if rng.random() < 0.5:
        noise = rng.standard_normal(len(sound))
        if rng.random() < 0.5:
            noise = np.cumsum(noise)
            noise -= noise.mean()
        sound = sound + noise / noise.std() * power * _decibels(-rng.uniform(3, 45))
    if rng.random() < 0.25:
        sound = _through_a_line(sound, rng)
    if rng.random() < 0.3:
        sound = sound * _slow_gain(len(sound), rng)
    return sound * 10 ** rng.uniform(-0.8, 0.3)


def loudness(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound**2))) + 1.0


def _decibels(level: float) -> float:
    return float(10 ** (level / 20))


def _echoed(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """In a room: the sound itself first, so that its time does not move, and a tail that dies away."""
    tail = np.exp(-np.arange(4000) / rng.uniform(300, 1500)) * rng.standard_normal(4000)
    tail[0] = rng.uniform(3, 15)
    echoed: np.ndarray = fftconvolve(sound, tail / np.linalg.norm(tail))[: len(sound)]
    return echoed


def music(count: int, rng: np.random.Generator) -> np.ndarray:
    """Chords that change on a beat, with overtones, and a drum; of power 1."""
    beat = int(SAMPLE_RATE * rng.uniform(0.25, 0.7))
    at = np.arange(count) + rng.integers(beat)
    seconds = np.arange(count) / SAMPLE_RATE
    bed = np.zeros(count)
    for part in range(at[-1] // beat + 1):
        here = slice(max(0, part * beat - int(at[0])), max(0, (part + 1) * beat - int(at[0])))
        for note in 110 * 2 ** (rng.integers(0, 36, 3) / 12):
            for overtone in range(1, 5):
                if note * overtone < SAMPLE_RATE / 2:
                    bed[here] += np.sin(2 * np.pi * note * overtone * seconds[here]) / overtone
    bed *= np.exp(-(at % beat) / (beat * rng.uniform(0.3, 3)))
    if rng.random() < 0.5:
        bed += rng.standard_normal(count) * np.exp(-(at % beat) / 600) * rng.uniform(0.5, 3)
    return bed / (bed.std() + 1e-9)


def _through_a_line(sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As a telephone or a thrifty codec lets through: no low bands, no high ones, coarse steps. No delay."""
    low, high = rng.uniform(50, 400), rng.uniform(2500, 7000)
    bands = np.fft.rfft(sound)
    frequencies = np.fft.rfftfreq(len(sound), 1 / SAMPLE_RATE)
    bands[(frequencies < low) | (frequencies > high)] = 0
    sound = np.fft.irfft(bands, len(sound))
    if rng.random() < 0.5:
        # Logarithmic steps as in G.711, seven to eight bits.
        peak = np.abs(sound).max() + 1.0
        steps = 2.0 ** rng.integers(5, 8)
        curved = np.sign(sound) * np.log1p(255 * np.abs(sound) / peak) / np.log(256)
        curved = np.round(curved * steps) / steps
        sound = np.sign(curved) * (256 ** np.abs(curved) - 1) / 255 * peak
    return sound


def _slow_gain(count: int, rng: np.random.Generator) -> np.ndarray:
    """A gain that wanders by some decibels within a second, as automatic gain control does."""
    knots = rng.standard_normal(count // 6400 + 2) * rng.uniform(0, 6)
    gain: np.ndarray = 10 ** (np.interp(np.linspace(0, len(knots) - 1, count), np.arange(len(knots)), knots) / 20)
    return gain

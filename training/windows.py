"""Training windows: 40 frames of a clip with their sound and 15 frames more of it on both sides, augmented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from scipy.signal import fftconvolve
from torch.utils.data import IterableDataset

from syncnet.conventions import MAX_SHIFT_FRAMES, SAMPLES_PER_FRAME
from syncnet.models.features import MOUTH_SIZE_PX, WINDOW_SAMPLES, log_mel, normalise_bands
from training.corpus import MARGIN, Corpus, CorpusClip

WINDOW_FRAMES = 40
SOUND_FRAMES = WINDOW_FRAMES + 2 * MAX_SHIFT_FRAMES
SOUND_SAMPLES = SOUND_FRAMES * SAMPLES_PER_FRAME + WINDOW_SAMPLES - SAMPLES_PER_FRAME // 4
"""So that the last frame's first mel step is whole, as the last embedding needs it."""

Window = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""mouths (40, 64, 64) uint8; mel (281, 40) float32; frame_valid (40,) bool; sound_valid (70,) bool."""


class Windows(IterableDataset[Window]):
    """Endless windows of random clips, the chance of a clip growing with the square root of its length."""

    def __init__(
        self,
        corpus: Corpus,
        clips: Sequence[CorpusClip],
        seed: int,
        sound_early_frames: Mapping[str, int] | None = None,
    ) -> None:
        """``sound_early_frames``: by how much the sound of a clip, by its name, is to be delayed to be in sync."""
        self.corpus = corpus
        self.sound_early_frames = sound_early_frames or {}
        self.clips = list(clips)
        weights = np.sqrt([clip.frame_count for clip in self.clips])
        self.chances = weights / weights.sum()
        self.seed = seed

    def __iter__(self):  # type: ignore[no-untyped-def]
        cv2.setNumThreads(1)
        torch.set_num_threads(1)
        rng = np.random.default_rng(self.seed)
        while True:
            yield self._draw(rng)

    def _draw(self, rng: np.random.Generator) -> Window:
        clip = self.clips[rng.choice(len(self.clips), p=self.chances)]
        speed = float(rng.uniform(0.8, 1.25)) if rng.random() < 0.6 else 1.0
        frames_at = _pick_frames(rng, clip.frame_count, speed)
        valid = (frames_at >= 0) & (frames_at <= clip.frame_count - 1)
        mouths = _take_mouths(self.corpus.clip_mouths(clip), np.clip(frames_at, 0, clip.frame_count - 1), rng)
        sound_start = (frames_at[0] - self.sound_early_frames.get(clip.name, 0)) * SAMPLES_PER_FRAME
        positions = sound_start + (np.arange(SOUND_SAMPLES) - MAX_SHIFT_FRAMES * SAMPLES_PER_FRAME) * speed
        samples = self.corpus.clip_samples(clip)
        sound = np.interp(positions, np.arange(len(samples)), samples, left=0, right=0)
        starts = positions[: SOUND_FRAMES * SAMPLES_PER_FRAME : SAMPLES_PER_FRAME]
        sound_valid = (starts >= -1) & (starts <= len(samples) - SAMPLES_PER_FRAME * 0.5)
        sound = self._disturb_sound(sound, rng)
        mel = normalise_bands(_tilt(log_mel(np.clip(sound, -32768, 32767).astype(np.int16)), rng))
        return (
            torch.from_numpy(_disturb_mouths(mouths, rng)),
            torch.from_numpy(mel.astype(np.float32)),
            torch.from_numpy(valid),
            torch.from_numpy(sound_valid),
        )

    def _disturb_sound(self, sound: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        power = float(np.sqrt(np.mean(sound**2))) + 1.0
        if rng.random() < 0.2:
            tail = np.exp(-np.arange(4000) / rng.uniform(300, 1500)) * rng.standard_normal(4000)
            tail[0] = rng.uniform(3, 15)
            echoed = fftconvolve(sound, tail / np.linalg.norm(tail))[: len(sound)]
            sound = echoed
        if rng.random() < 0.35:
            other = self.corpus.clip_samples(self.clips[rng.integers(len(self.clips))]).astype(np.float64)
            start = rng.integers(max(1, len(other) - len(sound)))
            other = np.resize(other[start : start + len(sound)], len(sound))
            loudness = float(np.sqrt(np.mean(other**2))) + 1.0
            sound = sound + other * (power / loudness) * 10 ** (-rng.uniform(3, 25) / 20)
        if rng.random() < 0.5:
            noise = rng.standard_normal(len(sound))
            if rng.random() < 0.5:
                noise = np.cumsum(noise) * 0.02
                noise -= noise.mean()
            sound = sound + noise / noise.std() * power * 10 ** (-rng.uniform(5, 45) / 20)
        return sound * 10 ** rng.uniform(-0.6, 0.2)


def _pick_frames(rng: np.random.Generator, frame_count: int, speed: float) -> np.ndarray:
    """Positions (fractions of frames) of 40 frames; a clip too short for them is started at its beginning."""
    span = (WINDOW_FRAMES - 1) * speed
    slack = frame_count - 1 - span
    start = rng.uniform(0, slack) if slack > 0 else 0.0
    if speed == 1.0:
        start = float(int(start))
    return start + np.arange(WINDOW_FRAMES) * speed


def _take_mouths(mouths: np.ndarray, frames_at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Frames at fractional positions: blended neighbours, or the nearest ones as a rate converter gives them."""
    below = np.floor(frames_at).astype(int)
    above = np.minimum(below + 1, len(mouths) - 1)
    share = (frames_at - below)[:, None, None].astype(np.float32)
    if rng.random() < 0.5:
        share = np.round(share)
    return mouths[below] * (1 - share) + mouths[above] * share


def _tilt(mel: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random microphone: a floor under each band, which survives the normalisation as a tilt would not."""
    if rng.random() < 0.5:
        floor = np.percentile(mel, rng.uniform(0, 30)) + rng.uniform(-1, 1) * np.linspace(-1, 1, mel.shape[1])
        mel = np.logaddexp(mel, floor)
    if rng.random() < 0.2:
        band = rng.integers(0, mel.shape[1] - 6)
        mel = mel.copy()
        mel[:, band : band + rng.integers(2, 7)] = mel.mean()
    return mel


def _disturb_mouths(mouths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same random cut, turn, zoom, mirror, blur and light for all frames, with a slow wander of the box."""
    zoom_x = np.exp(rng.uniform(-0.2, 0.2))
    zoom_y = zoom_x * np.exp(rng.uniform(-0.1, 0.1))
    angle = np.deg2rad(rng.uniform(-10, 10))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([mirror * zoom_x, zoom_y])
    shift = rng.uniform(-9, 9, 2)
    wander = _wander(rng, len(mouths)) * (rng.random() < 0.5)
    middle = MARGIN + MOUTH_SIZE_PX / 2 - 0.5
    half = MOUTH_SIZE_PX / 2 - 0.5
    coarse = int(rng.integers(16, 56)) if rng.random() < 0.3 else 0
    blur = rng.uniform(0.4, 1.5) if rng.random() < 0.2 else 0.0
    gamma = np.exp(rng.uniform(-0.4, 0.4))
    light = np.clip(255 * (np.arange(256) / 255) ** gamma * rng.uniform(0.7, 1.2) + rng.uniform(-20, 20), 0, 255)
    noise = rng.uniform(0, 8) if rng.random() < 0.4 else 0.0
    hole = _hole(rng) if rng.random() < 0.15 else None
    out = np.empty((len(mouths), MOUTH_SIZE_PX, MOUTH_SIZE_PX), np.uint8)
    for index, mouth in enumerate(mouths):
        centre = middle + shift + wander[index]
        affine = np.hstack([matrix, (centre - matrix @ np.array([half, half]))[:, None]])
        cut = cv2.warpAffine(
            mouth.astype(np.float32),
            affine,
            (MOUTH_SIZE_PX, MOUTH_SIZE_PX),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        if coarse:
            small = cv2.resize(cut, (coarse, coarse), interpolation=cv2.INTER_AREA)
            cut = cv2.resize(small, (MOUTH_SIZE_PX, MOUTH_SIZE_PX), interpolation=cv2.INTER_LINEAR)
        if blur:
            cut = cv2.GaussianBlur(cut, (0, 0), blur)
        cut = light[np.clip(cut, 0, 255).astype(np.uint8)]
        if noise:
            cut = cut + rng.standard_normal(cut.shape) * noise
        if hole is not None:
            cut[hole] = light[128]
        out[index] = np.clip(cut, 0, 255)
    return out


def _wander(rng: np.random.Generator, frame_count: int) -> np.ndarray:
    """A detector's slow drift, shape (n, 2), up to about 2 px."""
    knots = rng.standard_normal((frame_count // 8 + 2, 2)) * rng.uniform(0, 1.2)
    at = np.linspace(0, len(knots) - 1, frame_count)
    return np.stack([np.interp(at, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)


def _hole(rng: np.random.Generator) -> tuple[slice, slice]:
    top, left = rng.integers(0, MOUTH_SIZE_PX - 12, 2)
    height, width = rng.integers(8, 24, 2)
    return slice(top, top + height), slice(left, left + width)

"""Training windows: 40 frames of a clip with their sound and 15 frames more of it on both sides, augmented."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import torch
from torch.utils.data import IterableDataset

from syncnet.conventions import MAX_SHIFT_FRAMES, SAMPLES_PER_FRAME
from syncnet.models.features import WINDOW_SAMPLES, log_mel, normalise_bands
from training.corpus import Corpus, CorpusClip
from training.mouths import disturb_mouths
from training.sounds import disturb_sound

WINDOW_FRAMES = 40
SOUND_FRAMES = WINDOW_FRAMES + 2 * MAX_SHIFT_FRAMES
SOUND_SAMPLES = SOUND_FRAMES * SAMPLES_PER_FRAME + WINDOW_SAMPLES - SAMPLES_PER_FRAME // 4
"""So that the last frame's first mel step is whole, as the last embedding needs it."""

Window = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""mouths (40, 64, 64) uint8; mel (281, 40) float32; frame_valid (40,) bool; sound_valid (70,) bool."""


class Windows(IterableDataset[Window]):
    """Endless windows of random clips, by their chances."""

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
        chances = np.array([clip.chance for clip in self.clips])
        self.chances = chances / chances.sum()
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
        sound = disturb_sound(sound, self._other_sound(len(sound), rng), rng)
        mel = normalise_bands(_tilt(log_mel(np.clip(sound, -32768, 32767).astype(np.int16)), rng))
        return (
            torch.from_numpy(disturb_mouths(mouths, rng)),
            torch.from_numpy(mel.astype(np.float32)),
            torch.from_numpy(valid),
            torch.from_numpy(sound_valid),
        )

    def _other_sound(self, length: int, rng: np.random.Generator) -> np.ndarray:
        """Of any clip that is trained on, repeated where it is too short."""
        other = self.corpus.clip_samples(self.clips[rng.integers(len(self.clips))]).astype(np.float64)
        start = rng.integers(max(1, len(other) - length))
        return np.resize(other[start : start + length], length)


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
    if rng.random() < 0.3:
        frames_at = np.clip(_at_another_rate(frames_at, rng), 0, len(mouths) - 1)
    below = np.floor(frames_at).astype(int)
    above = np.minimum(below + 1, len(mouths) - 1)
    share = (frames_at - below)[:, None, None].astype(np.float32)
    if rng.random() < 0.5:
        share = np.round(share)
    return mouths[below] * (1 - share) + mouths[above] * share


def _at_another_rate(frames_at: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As if filmed at 10 to 30 frames a second and brought back to 25; in half the cases some were lost on the way."""
    step = 25 / rng.uniform(10, 30)
    frames_at = np.round(frames_at / step) * step
    if rng.random() < 0.5:
        lost = rng.random(len(frames_at)) < rng.uniform(0, 0.3)
        lost[0] = False
        frames_at = frames_at[np.maximum.accumulate(np.where(lost, 0, np.arange(len(frames_at))))]
    return frames_at


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

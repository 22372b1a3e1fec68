"""Embeddings -> distances -> offset and confidence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from syncnet import MAX_SHIFT_FRAMES
from syncnet.models import Embeddings, SyncModel

SHIFT_COUNT = 2 * MAX_SHIFT_FRAMES + 1
PAIRWISE_EPSILON = 1e-6
"""Added to every difference by torch's pairwise_distance, with which the published numbers were made."""


@dataclass(frozen=True)
class SyncScore:
    """How well lips and sound of one track agree."""

    offset_frames: int
    """Positive: the sound comes early."""
    confidence: float
    """Median minus minimum of the curve, on the SyncNet scale (LSE-C)."""
    min_distance: float
    """Minimum of the curve (LSE-D where the model is the published one)."""
    curve: np.ndarray
    """(31,) float32: mean distance where lip i meets sound i + k - 15; NaN where no such pair exists."""


def score_sync(embeddings: Embeddings, model: SyncModel) -> SyncScore | None:
    """The track's score, or None where no lip stands beside any sound.

    Source: Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016, section 3.
    """
    curve = mean_distances(embeddings)
    if not np.isfinite(curve[MAX_SHIFT_FRAMES]):
        return None
    lowest = int(np.nanargmin(curve))
    raw = float(np.nanmedian(curve) - curve[lowest])
    confidence = model.confidence(raw, len(embeddings.video))
    return SyncScore(MAX_SHIFT_FRAMES - lowest, confidence, float(curve[lowest]), curve)


def mean_distances(embeddings: Embeddings) -> np.ndarray:
    """Mean distance for each shift of -15..+15 frames, shape (31,), float32."""
    measure = _cosine_distances if embeddings.metric == "cosine" else _euclidean_distances
    audio, lead = embeddings.audio, embeddings.audio_lead
    if embeddings.zero_pad_ends:
        audio = np.pad(audio, ((MAX_SHIFT_FRAMES, MAX_SHIFT_FRAMES), (0, 0)))
        lead += MAX_SHIFT_FRAMES
    curve = np.full(SHIFT_COUNT, np.nan, np.float32)
    for column in range(SHIFT_COUNT):
        start = lead + column - MAX_SHIFT_FRAMES
        first = max(0, -start)
        end = min(len(embeddings.video), len(audio) - start)
        if end > first:
            pairs = measure(embeddings.video[first:end], audio[start + first : start + end])
            curve[column] = pairs.mean()
    return curve


def _cosine_distances(video: np.ndarray, audio: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 - np.einsum("wd,wd->w", video, audio))


def _euclidean_distances(video: np.ndarray, audio: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(video - audio + PAIRWISE_EPSILON, axis=1))

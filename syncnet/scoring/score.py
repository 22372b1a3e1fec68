"""Embeddings -> distances -> offset, confidence and evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.models.odds import Odds
from syncnet.models.protocol import Embeddings, SyncModel
from syncnet.scoring.evidence import Evidence, find_offset, weigh
from syncnet.scoring.lips import lip_medians, pieces, spread_around
from syncnet.scoring.signs import grade, signs_of
from syncnet.scoring.speech import speech_beside, without_long_pauses
from syncnet.scoring.timing import Timing, time_offset

SHIFT_COUNT = 2 * MAX_SHIFT_FRAMES + 1
PAIRWISE_EPSILON = 1e-6
"""Added to every difference by torch's pairwise_distance, with which the published numbers were made."""
LEAST_COUNTED_LIPS = MAX_SHIFT_FRAMES
"""With fewer beside speech all lips count, for numbers that rest on nothing."""

Counted = Literal["speech", "all"]
"""Which lips count: those beside speech, or, as published, all."""


@dataclass(frozen=True, slots=True)
class SyncScore:
    """How well lips and sound of one track agree."""

    offset_frames: int
    """Positive: the sound comes early."""
    confidence: float
    """Median minus minimum of the curve, on the SyncNet scale (LSE-C); see ``distance_unit``."""
    min_distance: float
    """Minimum of the curve (LSE-D where the model is the published one)."""
    curve: np.ndarray
    """(31,) float32: mean distance where lip i meets sound i + k - 15; NaN where no such pair exists."""
    evidence: Evidence | None = None
    """What the offset rests on; None where it was not asked for."""
    timing: Timing | None = None
    """The offset in milliseconds; None where it was not asked for."""
    odds: Odds | None = None
    """How likely it is right; None where the model does not say."""

    @property
    def rests_on_evidence(self) -> bool:
        return self.evidence is None or self.evidence.level != "none"


def score_sync(
    embeddings: Embeddings, model: SyncModel, speech: np.ndarray | None = None, first_frame: int = 0
) -> SyncScore | None:
    """The track's score, or None where no lip stands beside any sound.

    ``speech``: whether somebody speaks, for each frame of the video, bool; with it only lips beside speech count, and
    the evidence is weighed. ``first_frame``: the video's frame at which the track starts.
    Source: Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016, section 3.
    """
    first_lip = first_frame + embeddings.middle_frame
    return score_distances(pair_distances(embeddings), embeddings.metric, model, speech, first_lip)


def score_distances(
    distances: np.ndarray,
    metric: str,
    model: SyncModel,
    speech: np.ndarray | None = None,
    first_lip: int = 0,
    counted: Counted = "speech",
) -> SyncScore | None:
    """As ``score_sync``, from distances (31, W) whose lip 0 is the video's frame ``first_lip``."""
    if speech is None:
        curve = _means(distances)
        if not np.isfinite(curve[MAX_SHIFT_FRAMES]):
            return None
        return _score_at(int(np.nanargmin(curve)), curve, distances, metric, model)
    beside = speech_beside(speech, first_lip, distances.shape[1])
    if counted == "speech":
        distances = count_lips(distances, beside)
    curve = _means(distances)
    if not np.isfinite(curve[MAX_SHIFT_FRAMES]):
        return None
    offset_frames = find_offset(distances, curve, beside)
    score = _score_at(MAX_SHIFT_FRAMES - offset_frames, curve, distances, metric, model)
    evidence, window_curves = weigh(distances, offset_frames, beside, first_lip)
    odds = model.odds(signs_of(offset_frames, score.confidence, curve, evidence))
    return replace(score, evidence=grade(evidence, odds), timing=time_offset(curve, window_curves), odds=odds)


def count_lips(distances: np.ndarray, speech: np.ndarray) -> np.ndarray:
    """The distances (31, W) with NaN for lips in long pauses; all of them where hardly anybody speaks.

    ``speech`` (W,) bool: whether somebody speaks at each lip.
    """
    counts = without_long_pauses(speech)
    heard = counts & np.isfinite(distances).any(axis=0)
    return np.where(counts, distances, np.float32(np.nan)) if heard.sum() >= LEAST_COUNTED_LIPS else distances


def _score_at(place: int, curve: np.ndarray, distances: np.ndarray, metric: str, model: SyncModel) -> SyncScore:
    raw = float(np.nanmedian(curve) - curve[place]) / distance_unit(distances, metric)
    lips = int(np.isfinite(distances).any(axis=0).sum())
    return SyncScore(MAX_SHIFT_FRAMES - place, model.confidence(raw, lips), float(curve[place]), curve)


def mean_distances(embeddings: Embeddings) -> np.ndarray:
    """Mean distance for each shift of -15..+15 frames, shape (31,), float32."""
    return _means(pair_distances(embeddings))


def pair_distances(embeddings: Embeddings) -> np.ndarray:
    """Distance of lip i and sound i + k - 15 in row k, shape (31, W), float32; NaN where no such pair exists."""
    measure = _cosine_distances if embeddings.metric == "cosine" else _euclidean_distances
    distances = np.full((SHIFT_COUNT, len(embeddings.video)), np.nan, np.float32)
    for piece in pieces(len(embeddings.video)):
        begin, lips = piece.start, embeddings.video[piece]
        first_sound, sound = _sound_beside(embeddings, begin, len(lips))
        for row in range(SHIFT_COUNT):
            start = begin + embeddings.audio_lead + row - MAX_SHIFT_FRAMES - first_sound
            first, end = max(0, -start), min(len(lips), len(sound) - start)
            if end > first:
                pairs = measure(lips[first:end], sound[start + first : start + end])
                distances[row, begin + first : begin + end] = pairs
    return distances


def _sound_beside(embeddings: Embeddings, first_lip: int, lip_count: int) -> tuple[int, np.ndarray]:
    """What some lips can meet of the sound: the place of its first row, below 0 where zero vectors stand, and rows."""
    padding = MAX_SHIFT_FRAMES if embeddings.zero_pad_ends else 0
    count = len(embeddings.audio)
    first = max(first_lip + embeddings.audio_lead - MAX_SHIFT_FRAMES, -padding)
    end = min(first_lip + embeddings.audio_lead + lip_count + MAX_SHIFT_FRAMES, count + padding)
    there = embeddings.audio[max(first, 0) : max(end, 0)]
    zeros_before = max(0, min(end, 0) - first)
    zeros_behind = max(0, end - first - zeros_before - len(there))
    return first, np.pad(there, ((zeros_before, zeros_behind), (0, 0)))


def distance_unit(distances: np.ndarray, metric: str) -> float:
    """What the depth of a curve is measured in: 1 for the published network's distances.

    Cosines lie closer together for some faces and pictures than for others, in sync or not. They are measured in
    their own spread: the standard deviation of all distances (31, W) from the median of their lip.
    """
    if metric != "cosine":
        return 1.0
    spread = spread_around(distances, lip_medians(distances))
    return spread if spread > 0 else 1.0


def _means(distances: np.ndarray) -> np.ndarray:
    means = np.full(SHIFT_COUNT, np.nan, np.float32)
    for row, pairs in enumerate(distances):
        exists = np.isfinite(pairs)
        if exists.any():
            means[row] = pairs[exists].mean()
    return means


def _cosine_distances(video: np.ndarray, audio: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 - np.einsum("wd,wd->w", video, audio))


def _euclidean_distances(video: np.ndarray, audio: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.norm(video - audio + PAIRWISE_EPSILON, axis=1))

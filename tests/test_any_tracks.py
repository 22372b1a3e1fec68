"""Distances of all kinds through all that follows from them: nothing fails, and nothing warns."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from syncnet.overtime.finding import find_over_time
from syncnet.overtime.matches import SeenFace
from syncnet.results import ordered_confidence
from syncnet.scoring.pooling import pool_tracks
from syncnet.scoring.score import score_distances
from syncnet.scoring.turns import TrackTable, find_conversation
from tests.fakes import RawModel

OFFSETS = (-14, -10, -3, 0, 4, 9, 14)


def any_distances(rng: np.random.Generator, lips: int) -> np.ndarray:
    """Noise around 1 with dips at offsets that change, and gaps of lips and of shifts."""
    distances = 1 + 0.1 * rng.standard_normal((31, lips))
    place = 0
    while place < lips:
        part = slice(place, place + int(rng.integers(5, 250)))
        place = part.stop
        if rng.random() < 0.8:
            distances[15 - rng.choice(OFFSETS), part] -= rng.choice([0.1, 0.3, 0.6])
        if rng.random() < 0.1:
            distances[: rng.integers(1, 32), part] = np.nan
        if rng.random() < 0.1:
            distances[rng.integers(0, 31) :, part] = np.nan
    return distances.astype(np.float32)


def any_speech(rng: np.random.Generator, frames: int) -> np.ndarray:
    pieces = [np.full(rng.integers(1, 200), rng.random() < 0.75) for _ in range(frames)]
    return np.concatenate(pieces)[:frames]


@pytest.mark.parametrize("side_by_side", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_any_tracks_have_an_account(seed: int, side_by_side: bool) -> None:
    rng, model = np.random.default_rng(seed), RawModel()
    faces: list[SeenFace] = []
    first = 0
    speech = any_speech(rng, 1500)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(int(rng.integers(2, 6))):
            frames = int(rng.integers(12, 300))
            distances = any_distances(rng, frames - 10)
            score = score_distances(distances, "cosine", model, speech, first + 5)  # type: ignore[arg-type]
            table = TrackTable(first + 5, distances, "cosine", ordered_confidence(score)) if score else None
            faces.append(SeenFace(first, np.tile(np.float32([0, 0, 9, 9]), (frames, 1)), table))
            first += 7 if side_by_side else frames + int(rng.integers(0, 80))
        over_time = find_over_time(faces, model, speech)  # type: ignore[arg-type]
        find_conversation([face.table for face in faces], model, speech)  # type: ignore[arg-type]
        tables = [(number, face.table) for number, face in enumerate(faces) if face.table]
        if not side_by_side and len(tables) > 1:
            groups = pool_tracks(tables, model, speech)  # type: ignore[arg-type]
            pooled = [number for group in groups for number in group.tracks]
            assert len(pooled) == len(set(pooled)) and set(pooled) <= {number for number, _ in tables}
    assert over_time.speech_seconds == pytest.approx(speech.sum() / 25)
    assert all(0 <= one.start_seconds < one.end_seconds for one in over_time.segments)

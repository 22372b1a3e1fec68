"""Numbers of lips that are taken by pieces of a track, and what they take."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from syncnet.keepsake.making import TrackPictures, frame_confidence, keep_track
from syncnet.scoring.lips import lip_medians, spread_around
from syncnet.scoring.score import score_distances
from syncnet.scoring.stretches import told_by_shift
from syncnet.scoring.turns import TrackTable
from tests.fakes import RawModel


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.scoring.lips.LIPS_AT_ONCE", 2)


@pytest.mark.usefixtures("small_pieces")
def test_spread_is_that_of_all_distances_from_the_medians_of_their_lips() -> None:
    distances = np.full((31, 5), np.nan, np.float32)
    # Residuals: -1, 0, 1 of the first lip, 0 and 4 around 2 of the last; none of the others.
    distances[:3, 0], distances[:2, 4] = (4, 5, 6), (0, 4)
    np.testing.assert_array_equal(lip_medians(distances), np.float32([5, np.nan, np.nan, np.nan, 2]))
    assert spread_around(distances, lip_medians(distances)) == pytest.approx((10 / 5) ** 0.5)
    assert spread_around(distances[:, 1:4], lip_medians(distances[:, 1:4])) == 0.0


@pytest.mark.parametrize("at_once", [1, 7, 100])
def test_what_lips_tell_does_not_depend_on_the_pieces(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    distances = np.random.default_rng(3).normal(1, 0.1, (31, 60)).astype(np.float32)
    distances[:, 20:24] = np.nan
    speech = np.ones(60, bool)
    told = told_by_shift(distances, speech)
    confidence = frame_confidence(distances, 2, 1, 62, RawModel())  # type: ignore[arg-type]
    monkeypatch.setattr("syncnet.scoring.lips.LIPS_AT_ONCE", at_once)
    np.testing.assert_array_equal(told_by_shift(distances, speech), told)
    by_pieces = frame_confidence(distances, 2, 1, 62, RawModel())  # type: ignore[arg-type]
    np.testing.assert_allclose(by_pieces, confidence, atol=1e-6)


def test_the_end_of_a_long_track_takes_few_copies_of_its_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.scoring.lips.LIPS_AT_ONCE", 1000)
    # What it takes does not depend on the length.
    monkeypatch.setattr("syncnet.scoring.timing._DRAWS", 10)
    count, model = 20_000, RawModel()
    distances = np.random.default_rng(5).normal(1, 0.1, (31, count)).astype(np.float32)
    distances[15] -= 0.5
    speech, boxes = np.ones(count, bool), np.zeros((count, 4), np.float32)
    table = TrackTable(0, distances, "cosine", 5.0)
    # What is loaded only now is not to be counted.
    short = TrackTable(0, distances[:, :100], "cosine", 5.0)
    keep_track(0, boxes[:100], short, score_of(short, speech), model, speech, TrackPictures(0))  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        score = score_of(table, speech)
        assert tracemalloc.get_traced_memory()[1] < 3 * distances.nbytes
        tracemalloc.reset_peak()
        keep_track(0, boxes, table, score, model, speech, TrackPictures(0))  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 4 * distances.nbytes
    finally:
        tracemalloc.stop()


def score_of(table: TrackTable, speech: np.ndarray):  # type: ignore[no-untyped-def]
    return score_distances(table.distances, table.metric, RawModel(), speech)  # type: ignore[arg-type]

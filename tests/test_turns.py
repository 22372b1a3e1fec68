"""Faces that speak in turns, on distances made by hand."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from syncnet.scoring.score import score_distances
from syncnet.scoring.turns import TrackTable, Turn, _join, find_conversation
from tests.fakes import RawModel

LIPS = 300
SPEECH = np.ones(400, bool)


def speaking(spans: list[tuple[int, int]], early: int, seed: int, first_lip: int = 0, lips: int = LIPS) -> TrackTable:
    """Noise around 1, with a dip of 0.5 at the offset while the face speaks."""
    distances = 1 + 0.1 * np.random.default_rng(seed).standard_normal((31, lips))
    for start, end in spans:
        distances[15 - early, start:end] -= 0.5
    distances = distances.astype(np.float32)
    score = score_distances(distances, "euclidean", RawModel(), SPEECH, first_lip)  # type: ignore[arg-type]
    assert score is not None
    return TrackTable(first_lip, distances, "euclidean", score.confidence)


def test_two_faces_in_turns_score_as_one_face_that_speaks_throughout() -> None:
    one, other = speaking([(0, 150)], 2, seed=1), speaking([(150, 300)], 2, seed=2)
    # Half of the lips dip by a half.
    assert one.confidence == pytest.approx(0.25, abs=0.03)
    found = find_conversation([one, other], RawModel(), SPEECH)  # type: ignore[arg-type]
    assert found is not None
    assert found.score.offset_frames == 2
    assert found.score.confidence == pytest.approx(0.5, abs=0.05)
    assert found.score.evidence is not None and found.score.evidence.level == "strong"
    first, second = found.turns
    assert (first.track, first.start_seconds) == (0, 0.0)
    assert (second.track, second.end_seconds) == (1, 12.0)
    # The choice is smoothed over two seconds, so that the change is found to about half a second.
    assert first.end_seconds == pytest.approx(6.0, abs=0.6)
    assert second.start_seconds == pytest.approx(6.0, abs=0.6)


def test_turns_are_told_by_the_number_of_the_track_and_the_clock_of_the_video() -> None:
    silent = speaking([], 0, seed=3, first_lip=0, lips=60)
    one, other = speaking([(0, 100), (200, 300)], 0, seed=4, first_lip=80), speaking([(100, 200)], 0, 5, first_lip=80)
    found = find_conversation([silent, None, other, one], RawModel(), SPEECH)  # type: ignore[arg-type]
    assert found is not None
    # 80 frames are 3.2 s.
    assert [turn.track for turn in found.turns] == [3, 2, 3]
    assert found.turns[0].start_seconds == 3.2
    assert found.turns[-1].end_seconds == pytest.approx(15.2)


def test_a_listener_makes_no_conversation() -> None:
    speaker, listener = speaking([(0, 300)], 1, seed=6), speaking([], 0, seed=7)
    assert find_conversation([speaker, listener], RawModel(), SPEECH) is None  # type: ignore[arg-type]


def test_faces_that_are_never_seen_together_make_none() -> None:
    one, other = speaking([(0, 150)], 2, seed=1, lips=150), speaking([(0, 150)], 2, seed=2, first_lip=140, lips=150)
    assert find_conversation([one, other], RawModel(), SPEECH) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(8))
def test_choosing_between_faces_finds_nothing_where_neither_fits(seed: int) -> None:
    tables = [speaking([], 0, seed=100 + 2 * seed + face) for face in range(2)]
    assert find_conversation(tables, RawModel(), SPEECH) is None  # type: ignore[arg-type]


def test_silence_belongs_to_nobody() -> None:
    one, other = speaking([(0, 150)], 0, seed=8), speaking([(150, 300)], 0, seed=9)
    speech = SPEECH.copy()
    speech[:100] = False
    speech[250:] = False
    found = find_conversation([one, other], RawModel(), speech)  # type: ignore[arg-type]
    assert found is not None
    assert found.turns[0].start_seconds == 4.0
    assert found.turns[-1] == Turn(1, found.turns[-1].start_seconds, 10.0)


def test_faces_of_hours_are_joined_row_by_row() -> None:
    short, *tables = [TrackTable(0, np.ones((31, n), np.float32), "cosine", 5.0) for n in (100, 90_000, 90_000)]
    # What is loaded only now is not to be counted.
    _join([short], 0, 100)
    tracemalloc.start()
    try:
        _join(tables, 0, 90_000)
        # What is told, and what it is chosen by, are 2.25 times as large as one of the tables.
        assert tracemalloc.get_traced_memory()[1] < 4 * tables[0].distances.nbytes
    finally:
        tracemalloc.stop()

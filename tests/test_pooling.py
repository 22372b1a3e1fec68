"""Pieces of one face as one score."""

from __future__ import annotations

import numpy as np
from test_stretches import noisy

from syncnet.models.protocol import Embeddings
from syncnet.scoring.pooling import pool_tracks
from syncnet.scoring.score import score_distances
from syncnet.scoring.turns import TrackTable
from tests.fakes import NoOdds


class Counting(NoOdds):
    """Passes the raw confidence on, and remembers over how many lips it was."""

    name = identity = "counting"
    min_track_frames = 1

    def __init__(self) -> None:
        self.counts: list[int] = []

    def confidence(self, raw: float, embedding_count: int) -> float:
        self.counts.append(embedding_count)
        return raw

    def embed(self, *_: object) -> Embeddings:
        raise NotImplementedError


def piece(first_lip: int, offset: int, seed: int, count: int = 40) -> TrackTable:
    return TrackTable(first_lip, noisy(np.ones(count, bool), offset, seed), "cosine", 0.0)


def test_pieces_count_together_each_lip_once() -> None:
    model = Counting()
    tables = [(0, piece(10, 1, 1)), (2, piece(60, 1, 2)), (3, piece(110, 1, 3))]
    (pooled,) = pool_tracks(tables, model, np.ones(200, bool))  # type: ignore[arg-type]
    assert pooled.tracks == (0, 2, 3)
    assert pooled.score.offset_frames == 1
    assert model.counts == [120]
    assert pooled.score.evidence and pooled.score.evidence.level == "strong"
    # The same as of the three side by side, but for the windows that reach over a gap.
    joined = np.concatenate([table.distances for _, table in tables], axis=1)
    beside = score_distances(joined, "cosine", model, np.ones(120, bool))  # type: ignore[arg-type]
    assert beside is not None
    assert pooled.score.confidence == beside.confidence


def test_a_change_of_the_offset_does_not_pool() -> None:
    tables = [
        (0, piece(0, 0, 1, 100)),
        (1, piece(100, 0, 2, 60)),
        (2, piece(160, 7, 3, 100)),
        (3, piece(262, 7, 4, 60)),
    ]
    pooled = pool_tracks(tables, Counting(), np.ones(330, bool))  # type: ignore[arg-type]
    assert [(group.tracks, group.score.offset_frames) for group in pooled] == [((0, 1), 0), ((2, 3), 7)]


def test_a_piece_without_speech_takes_nothing_away() -> None:
    """A listener between two pieces of speech: noise that no score should hold against the face."""
    silent = TrackTable(50, noisy(np.zeros(60, bool), 0, 9), "cosine", 0.0)
    speech = np.ones(160, bool)
    speech[45:115] = False
    with_silence = [(0, piece(0, 2, 1)), (1, silent), (2, piece(120, 2, 3))]
    without = [with_silence[0], with_silence[2]]
    one, other = (pool_tracks(tables, Counting(), speech)[0].score for tables in (with_silence, without))  # type: ignore[arg-type]
    assert one.confidence == other.confidence
    assert one.offset_frames == other.offset_frames == 2

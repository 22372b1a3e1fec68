"""Offset, confidence and distance on embeddings whose answers are worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from syncnet.models.protocol import Embeddings
from syncnet.scoring.score import mean_distances, pair_distances, score_distances, score_sync
from tests.fakes import NoOdds


class RawModel(NoOdds):
    """Passes the raw confidence on, doubled, so that a test sees that the model was asked."""

    name = "raw"
    identity = "none"
    min_track_frames = 1

    def confidence(self, raw: float, embedding_count: int) -> float:
        assert embedding_count == 50
        return 2 * raw


def one_hot_rows(indices: range) -> np.ndarray:
    return np.eye(200, dtype=np.float32)[list(indices)]


def shifted(shift: int, lead: int = 20, pairs: int = 50) -> Embeddings:
    """Lips that equal the sound ``shift`` frames later in the file, and no other sound."""
    video = one_hot_rows(range(lead + shift, lead + shift + pairs))
    return Embeddings(video, one_hot_rows(range(200)), lead, "cosine", zero_pad_ends=False)


@pytest.mark.parametrize("early", [-15, -3, 0, 4, 15])
def test_offset_is_positive_when_the_sound_is_early(early: int) -> None:
    score = score_sync(shifted(-early), RawModel())
    assert score is not None
    assert score.offset_frames == early
    assert score.min_distance == 0
    # Distance 0 at the right shift and 1 at every other: median 1, minimum 0. From each lip's median one distance of
    # 31 is 1 away, so their standard deviation is sqrt(30) / 31. Doubled by the model.
    assert score.confidence == pytest.approx(2 * 31 / np.sqrt(30))


def test_published_distances_are_taken_as_they_are() -> None:
    embeddings = replace(shifted(2), metric="euclidean")
    score = score_sync(embeddings, RawModel())
    assert score is not None
    assert score.confidence == pytest.approx(2 * np.sqrt(2), rel=1e-4)


def test_faces_whose_cosines_lie_closer_together_are_not_less_sure() -> None:
    clear = shifted(-2)
    # A part that all sounds have in common takes 3/4 of every cosine's range.
    common = np.full((200, 1), np.sqrt(3), np.float32)
    video = np.hstack([clear.video, common[: len(clear.video)]]) / 2
    dull = replace(clear, video=video, audio=np.hstack([clear.audio, common]) / 2)
    scores = [score_sync(embeddings, RawModel()) for embeddings in (clear, dull)]
    assert scores[0] is not None and scores[1] is not None
    assert scores[1].confidence == pytest.approx(scores[0].confidence, rel=1e-4)


def test_lips_that_all_look_alike_have_no_confidence() -> None:
    same = np.ones((100, 1), np.float32)
    score = score_sync(Embeddings(same[:50], same, 20, "cosine", zero_pad_ends=False), RawModel())
    assert score is not None
    assert score.confidence == 0


def test_pairs_that_do_not_exist_do_not_count() -> None:
    video = one_hot_rows(range(10))
    embeddings = Embeddings(video, video, 0, "cosine", zero_pad_ends=False)
    curve = mean_distances(embeddings)
    # Ten lips and ten sounds: shift 9 has one pair left, shift 10 none.
    assert np.isfinite(curve[15 - 9 : 15 + 10]).all()
    assert np.isnan(curve[: 15 - 9]).all() and np.isnan(curve[15 + 10 :]).all()
    assert curve[15] == 0 and curve[15 + 9] == 1


def test_zero_padding_counts_missing_sound_as_zero_vectors() -> None:
    video = np.array([[3.0, 4.0], [0.0, 5.0]], np.float32)
    embeddings = Embeddings(video, video.copy(), 0, "euclidean", zero_pad_ends=True)
    curve = mean_distances(embeddings)
    assert curve[15] == pytest.approx(0, abs=1e-5)
    # Shift +1: lip 0 meets sound 1 at distance sqrt(9 + 1), lip 1 meets a zero vector at distance 5.
    assert curve[16] == pytest.approx((np.sqrt(10) + 5) / 2, abs=1e-5)
    # Far shifts meet zero vectors only.
    assert curve[30] == pytest.approx(5, abs=1e-5)


def test_euclidean_distance_carries_the_published_epsilon() -> None:
    same = np.zeros((4, 100), np.float32)
    curve = mean_distances(Embeddings(same, same, 0, "euclidean", zero_pad_ends=True))
    # 100 differences of 1e-6 each: sqrt(100) * 1e-6.
    assert curve[15] == pytest.approx(1e-5, rel=1e-3)


def test_a_track_without_sound_beside_it_has_no_score() -> None:
    video = one_hot_rows(range(20))
    silent = Embeddings(video, video[:0], 0, "cosine", zero_pad_ends=False)
    assert score_sync(silent, RawModel()) is None
    ended_before = Embeddings(video, one_hot_rows(range(5)), 8, "cosine", zero_pad_ends=False)
    assert score_sync(ended_before, RawModel()) is None


@pytest.mark.parametrize("zero_pad_ends", [False, True])
@pytest.mark.parametrize(("lead", "sounds"), [(0, 40), (15, 70), (8, 5), (3, 0), (60, 40)])
def test_lips_meet_the_sound_beside_them_however_many_are_taken_at_once(
    lead: int, sounds: int, zero_pad_ends: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(2)
    lips, audio = rng.normal(size=(40, 3)).astype(np.float32), rng.normal(size=(sounds, 3)).astype(np.float32)
    expected = np.full((31, 40), np.nan)
    for row, lip in np.ndindex(31, 40):
        place = lead + lip + row - 15
        if 0 <= place < sounds:
            expected[row, lip] = np.linalg.norm(lips[lip] - audio[place])
        elif zero_pad_ends and -15 <= place < sounds + 15:
            expected[row, lip] = np.linalg.norm(lips[lip])
    monkeypatch.setattr("syncnet.scoring.lips.LIPS_AT_ONCE", 7)
    found = pair_distances(Embeddings(lips, audio, lead, "euclidean", zero_pad_ends))
    np.testing.assert_allclose(found, expected, atol=1e-5)


class Plain(RawModel):
    """Remembers over how many lips the confidence was."""

    lips = 0

    def confidence(self, raw: float, embedding_count: int) -> float:
        self.lips = embedding_count
        return raw


def test_silence_around_speech_says_nothing() -> None:
    """Lips that fit for 50 frames, alone and with 50 frames of other lips to either side that nobody speaks beside."""
    embeddings = shifted(2)
    alone = score_sync(embeddings, Plain(), np.ones(50, bool))
    still = one_hot_rows(range(150, 200))
    padded = Embeddings(
        np.concatenate([still, embeddings.video, still]),
        np.concatenate([np.zeros((50, 200), np.float32), embeddings.audio, np.zeros((50, 200), np.float32)]),
        embeddings.audio_lead,
        "cosine",
        zero_pad_ends=False,
    )
    speech = np.zeros(150, bool)
    # Lips within a frame of speech count.
    speech[51:99] = True
    model = Plain()
    around = score_sync(padded, model, speech)
    assert alone is not None and around is not None
    assert model.lips == 50
    assert around.offset_frames == alone.offset_frames
    assert around.confidence == pytest.approx(alone.confidence, rel=1e-5)
    everything = score_distances(pair_distances(padded), "cosine", Plain(), speech, counted="all")
    assert everything is not None
    assert everything.confidence < 0.6 * alone.confidence


def test_where_hardly_anybody_speaks_there_are_numbers_but_no_evidence() -> None:
    model, speech = Plain(), np.zeros(70, bool)
    speech[30:35] = True
    score = score_sync(shifted(2, pairs=70), model, speech)
    assert score is not None and score.evidence is not None
    assert (model.lips, score.offset_frames, score.evidence.level) == (70, -2, "none")
    assert score.evidence.problem == "too little speech to tell (0.2 s)"

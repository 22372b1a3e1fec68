"""Faces with each other's sound, from what scoring left behind: as if each pair had been decoded."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path, PurePath

import numpy as np
import pytest
from fakes import INFO, make_score, make_track, successful

from syncnet.command import main
from syncnet.evaluation.other_sounds import (
    MOST_PAIRS,
    have_same_sound,
    pick_pairs,
    score_other_sounds,
    score_with_sound,
)
from syncnet.keepsake.embedded import EmbeddedVideo, embedded_path, read_embedded, write_embedded
from syncnet.models.lite import LiteModel, load_lite
from syncnet.pipeline import Stages
from syncnet.results import VideoResult, VideoScore, best_score
from syncnet.scorer import SyncScorer
from syncnet.settings import ScorerSettings
from syncnet.state.ledger import look_at_ledger
from syncnet.system.interruption import Interrupted, StopFlag
from weights import WeightsPolicy

CALIBRATING = ScorerSettings(model="lite", detector="lite", device="cpu", keep_embeddings=True)


@pytest.fixture(scope="module")
def scorer() -> SyncScorer:
    return SyncScorer(CALIBRATING)


@pytest.fixture(scope="module")
def model() -> LiteModel:
    return load_lite("cpu", WeightsPolicy())


@pytest.fixture(scope="module")
def scores(scorer: SyncScorer, repository: Path) -> dict[str, VideoScore]:
    names = ("in_sync", "other_sentence", "sound_8_frames_late")
    return {name: scorer.measure(repository / "samples" / f"{name}.mp4", StopFlag()) for name in names}


def embedded(score: VideoScore) -> EmbeddedVideo:
    assert score.embedded is not None
    return score.embedded


def result_of(name: str, score: VideoScore) -> VideoResult:
    best = best_score(score)
    assert best is not None
    return replace(successful(name, best), info=score.info, tracks=score.tracks, pooled=score.pooled)


def test_a_face_with_other_sound_scores_as_if_the_file_had_that_sound(
    scorer: SyncScorer, model: LiteModel, scores: dict[str, VideoScore], repository: Path
) -> None:
    face, other = scores["in_sync"], scores["other_sentence"]
    samples = repository / "samples"
    dubbed = best_score(scorer.measure(samples / "in_sync.mp4", StopFlag(), samples / "other_sentence.mp4"))
    tried = score_with_sound(result_of("a", face), embedded(face), embedded(other), model, "speech")
    assert dubbed and tried and dubbed.evidence and tried.evidence
    assert tried.offset_frames == dubbed.offset_frames
    # Kept numbers have half the digits.
    assert tried.confidence == pytest.approx(dubbed.confidence, abs=0.02)
    assert tried.evidence.level == dubbed.evidence.level == "none"
    assert tried.evidence.speech_seconds == pytest.approx(dubbed.evidence.speech_seconds, abs=0.05)


def test_a_face_with_its_own_sound_scores_as_it_did(model: LiteModel, scores: dict[str, VideoScore]) -> None:
    for name in ("in_sync", "sound_8_frames_late"):
        score = scores[name]
        own = best_score(score)
        again = score_with_sound(result_of("a", score), embedded(score), embedded(score), model, "speech")
        assert own and again
        assert again.offset_frames == own.offset_frames
        assert again.confidence == pytest.approx(own.confidence, abs=0.02)


def test_one_recording_is_known_by_its_sound(scores: dict[str, VideoScore]) -> None:
    right, late, other = (embedded(scores[name]) for name in ("in_sync", "sound_8_frames_late", "other_sentence"))
    assert have_same_sound(right, right) and have_same_sound(right, late) and have_same_sound(late, right)
    assert not have_same_sound(right, other) and not have_same_sound(other, right)


def test_all_pairs_of_a_folder(tmp_path: Path, model: LiteModel, scores: dict[str, VideoScore]) -> None:
    for name, score in scores.items():
        write_embedded(embedded_path(tmp_path, f"{name}.mp4"), embedded(score))
    results = [result_of(f"{name}.mp4", score) for name, score in scores.items()]
    found = score_other_sounds(results, tmp_path, model, "speech", StopFlag())
    # in_sync and sound_8_frames_late are one recording: of six pairs two are none of wrong sound.
    assert found.same == 2
    assert [pair.face for pair in found.pairs] == [0, 1, 1, 2]
    # Face 1 says what these two sound like, the second of them 8 frames late; its own sound is another sentence.
    right, late = found.pairs[2].score, found.pairs[1].score
    assert min(right.confidence, late.confidence) > 5
    assert abs(right.offset_frames - late.offset_frames) == 8
    assert max(found.pairs[0].score.confidence, found.pairs[3].score.confidence) < 4
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted):
        score_other_sounds(results, tmp_path, model, "speech", stop)


def test_results_without_a_score_shift_no_face(tmp_path: Path, model: LiteModel, scores: dict[str, VideoScore]) -> None:
    for name in ("in_sync", "other_sentence"):
        write_embedded(embedded_path(tmp_path, f"{name}.mp4"), embedded(scores[name]))
    first, second = (result_of(f"{name}.mp4", scores[name]) for name in ("in_sync", "other_sentence"))
    nothing = replace(first, best=None, tracks=(), relative_path=PurePath("no_face.mp4"))
    lost = replace(first, relative_path=PurePath("its_embeddings_are_gone.mp4"))
    found = score_other_sounds([nothing, first, lost, second], tmp_path, model, "speech", StopFlag())
    assert [pair.face for pair in found.pairs] == [0, 2]


def test_a_short_sound_starts_again(model: LiteModel, scores: dict[str, VideoScore]) -> None:
    face, other = embedded(scores["in_sync"]), embedded(scores["other_sentence"])
    brief = replace(other, sound=other.sound[:50], speech=other.speech[: 50 + other.middle_frame])
    long = replace(
        other,
        sound=np.concatenate([brief.sound] * 4),
        speech=np.concatenate([brief.speech, *[brief.speech[other.middle_frame :]] * 3]),
    )
    result = result_of("a", scores["in_sync"])
    once, repeated = (score_with_sound(result, face, sound, model, "speech") for sound in (brief, long))
    assert once and repeated
    np.testing.assert_allclose(once.curve, repeated.curve, atol=1e-6)
    assert once.confidence == pytest.approx(repeated.confidence)


@pytest.mark.parametrize(("count", "each"), [(1, 0), (2, 1), (45, 44), (46, 43), (500, 4), (3000, 1)])
def test_every_face_meets_as_many_sounds(count: int, each: int) -> None:
    pairs = list(pick_pairs(count))
    assert [face for face, _ in pairs] == list(range(count))
    for face, sounds in pairs:
        assert len(set(sounds)) == len(sounds) == each
        assert face not in sounds and all(0 <= sound < count for sound in sounds)
    assert count * each <= max(MOST_PAIRS, count)
    if each == 4:
        # Spread over the folder, whose neighbours are often of one speaker.
        assert min(abs(one - two) for one, two in pairwise(sorted(pairs[0][1]))) > 100


def test_the_file_comes_back_as_it_was(tmp_path: Path) -> None:
    video = EmbeddedVideo(
        np.array([0, 40], np.int32),
        (np.ones((3, 4), np.float16), np.zeros((0, 4), np.float16)),
        np.full((9, 4), 0.5, np.float16),
        np.array([True, False, True]),
        "euclidean",
        True,
        2,
    )
    path = embedded_path(tmp_path, "a/b.mp4")
    write_embedded(path, video)
    again = read_embedded(path)
    assert again is not None
    assert (again.metric, again.zero_pad_ends, again.middle_frame) == ("euclidean", True, 2)
    for one, two in (
        (again.first_frames, video.first_frames),
        (again.sound, video.sound),
        (again.speech, video.speech),
    ):
        np.testing.assert_array_equal(one, two)
    assert [lips.shape for lips in again.lips] == [(3, 4), (0, 4)]
    whole = path.read_bytes()
    names = ("euclidean".encode("utf-32-le"), "manhattan".encode("utf-32-le"))
    assert names[0] in whole
    for damaged in (b"", b"PK", whole[: len(whole) // 2], whole.replace(*names)):
        path.write_bytes(damaged)
        assert read_embedded(path) is None
    assert read_embedded(tmp_path / "none.npz") is None


def test_nothing_is_kept_unless_it_is_asked_for(scorer: SyncScorer, scores: dict[str, VideoScore]) -> None:
    assert scorer.stages.keep_embeddings
    assert not Stages.keep_embeddings and not ScorerSettings().keep_embeddings
    # A record of a video holds its score only.
    assert "embedded" not in repr(scores["in_sync"])
    assert replace(scores["in_sync"], embedded=None) == scores["in_sync"]
    assert VideoScore(INFO, (make_track(make_score(1.0)),)).embedded is None


@pytest.mark.slow
def test_what_a_plain_run_scored_is_scored_once_more_and_then_known(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    for name in ("in_sync.mp4", "other_sentence.mp4"):
        (videos / name).write_bytes((repository / "samples" / name).read_bytes())
    flags = [
        "--output_dir",
        str(out),
        "--model",
        "lite",
        "--detector",
        "lite",
        "--score_cache",
        str(tmp_path / "cache"),
    ]

    def scored_in_all() -> int:
        with look_at_ledger(out / ".sync_filter" / "ledger.jsonl") as ledger:
            text = (out / ".sync_filter" / "ledger.jsonl").read_text()
            assert len(ledger.records) == 2
        return text.count('"fingerprint"')

    embeddings = out / ".sync_filter" / "embeddings"
    assert main(["--input_dir", str(videos), "--keep_all", *flags]) == 0
    assert (scored_in_all(), embeddings.exists()) == (2, False)
    for _ in range(2):
        capsys.readouterr()
        assert main(["--calibrate", str(videos), *flags]) == 0
        assert "with each other's sound: 2 pairs" in capsys.readouterr().out
        assert (scored_in_all(), len(list(embeddings.iterdir()))) == (4, 2)

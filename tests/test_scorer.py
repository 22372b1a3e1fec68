from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import FakeStages, score_by_name
from folders import make_videos

import syncnet
from syncnet.errors import UsageError
from syncnet.results import VideoScore
from syncnet.scorer import SyncScorer
from syncnet.settings import ScorerSettings, Thresholds, TrackSettings
from syncnet.system.interruption import Interrupted, StopFlag
from syncnet.system.memory import FreedMemory

LITE = ScorerSettings(model="lite", detector="lite", device="cpu")


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> SyncScorer:
    """Scores as the names of the files say."""
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _settings, _workers: FakeStages())
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_name)
    return SyncScorer(LITE)


def test_the_package_names_it_without_importing_anything_heavy(repository: Path) -> None:
    code = "import sys, syncnet; assert 'torch' not in sys.modules; print(syncnet.SyncScorer.__module__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout == "syncnet.scorer\n"
    with pytest.raises(AttributeError, match="no attribute 'Scorer'"):
        _ = syncnet.Scorer


@pytest.mark.slow
def test_a_pickle_holds_settings_only_and_scores_alike_elsewhere(repository: Path) -> None:
    sample = repository / "samples" / "in_sync.mp4"
    scorer = SyncScorer(LITE)
    before = len(pickle.dumps(scorer))
    first = scorer.score(sample)
    assert first.status == "success"
    assert first.passed
    assert first.best is not None
    sent = pickle.dumps(scorer)
    assert len(sent) == before
    second = pickle.loads(sent).score(str(sample))
    assert second.best is not None
    assert (second.best.offset_frames, second.best.confidence) == (first.best.offset_frames, first.best.confidence)


def test_models_are_loaded_at_the_first_video_and_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    loaded: list[tuple[object, int]] = []

    def choose(settings: object, workers: int) -> FakeStages:
        loaded.append((settings, workers))
        return FakeStages()

    monkeypatch.setattr("syncnet.stages.choose_stages", choose)
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_name)
    videos = make_videos(tmp_path, "a.mp4", "b.mp4")
    scorer = SyncScorer(LITE, device="cuda", workers=3)
    assert loaded == []
    assert [scorer.score(path).passed for path in sorted(videos.iterdir())] == [True, True]
    assert loaded == [(replace(LITE, device="cuda"), 3)]


def test_whatever_is_wrong_with_a_video_is_in_its_result(named: SyncScorer, tmp_path: Path) -> None:
    videos = make_videos(tmp_path, "damaged.mp4", "faceless.mp4", "poor.mp4")
    damaged, gone = named.score(videos / "damaged.mp4"), named.score(videos / "gone.mp4")
    assert (damaged.status, gone.status) == ("failed", "failed")
    assert "broken" in damaged.error
    assert gone.error == "no such file or directory"
    faceless, poor = named.score(videos / "faceless.mp4"), named.score(videos / "poor.mp4")
    assert (faceless.status, faceless.passed) == ("no_faces", False)
    assert (poor.status, poor.passed) == ("success", False)


def test_a_real_damaged_file_and_one_without_sound(repository: Path) -> None:
    scorer = SyncScorer(LITE)
    assert scorer.score(repository / "samples" / "damaged.mp4").status == "failed"
    assert "no sound" in scorer.score(repository / "samples" / "no_sound.mp4").error


def test_the_verdict_is_by_the_thresholds_of_the_settings(named: SyncScorer, tmp_path: Path) -> None:
    video = make_videos(tmp_path, "a.mp4") / "a.mp4"
    assert named.score(video).passed
    strict = SyncScorer(replace(LITE, thresholds=Thresholds(min_confidence=7.6)))
    assert strict.score(video).verdict is not None
    assert not strict.score(video).passed


def test_a_wrong_set_up_is_raised_and_told_of_no_video(tmp_path: Path) -> None:
    scorer = SyncScorer(replace(LITE, tracks=TrackSettings(min_track_frames=3)))
    with pytest.raises(UsageError, match="--min_track 3 is too short for the model lite"):
        scorer.score(tmp_path / "a.mp4")


def test_a_row_keeps_its_columns_and_gets_those_of_the_score(named: SyncScorer, tmp_path: Path) -> None:
    path = str(make_videos(tmp_path, "a.mp4") / "a.mp4")
    assert named({"path": path, "id": 7}) == {
        "path": path, "id": 7, "sync_status": "success", "sync_passes": True, "sync_confidence": 7.5, "sync_offset": 1,
        "sync_min_distance": 7.0, "sync_tracks": 2, "sync_reasons": "", "sync_error": "",
    }  # fmt: skip


def test_a_batch_gets_a_column_of_each(named: SyncScorer, tmp_path: Path) -> None:
    videos = make_videos(tmp_path, "a.mp4", "damaged.mp4")
    batch: dict[str, Any] = {"path": np.array([str(videos / "a.mp4"), str(videos / "damaged.mp4")], dtype=object)}
    scored = named(batch)
    assert scored["path"] is batch["path"]
    assert (scored["sync_status"], scored["sync_confidence"]) == (["success", "failed"], [7.5, None])


def test_measuring_stops_with_the_flag(named: SyncScorer, tmp_path: Path) -> None:
    assert isinstance(named.measure(tmp_path / "a.mp4", StopFlag()), VideoScore)


def test_memory_is_given_back_after_each_video_whatever_came_of_it(
    named: SyncScorer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[int] = []
    monkeypatch.setattr("syncnet.scorer.FREED_BY_PROCESS", FreedMemory(lambda: given.append(1), every_seconds=0))
    named.measure(tmp_path / "a.mp4", StopFlag())
    assert len(given) == 1
    stopped = StopFlag()
    stopped.stop()
    with pytest.raises(Interrupted):
        named.measure(tmp_path / "a.mp4", stopped)
    assert len(given) == 2

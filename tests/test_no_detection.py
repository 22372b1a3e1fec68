"""Videos that are face crops already, scored as they are."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from folders import results_in, run

from syncnet import pipeline
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.system.interruption import StopFlag
from synthetic.weights import write_seeded_syncnet_v2
from weights import WeightsPolicy


@pytest.mark.slow
def test_the_example_gives_the_golden_numbers(tmp_path: Path, test_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # All lips count there, and here those beside speech.
    monkeypatch.setattr(pipeline, "find_speech", lambda samples: np.ones(len(samples) // 640 + 1, bool))
    write_seeded_syncnet_v2(tmp_path / SYNCNET_V2_FILE, test_data)
    model = load_model("syncnet_v2", "cpu", WeightsPolicy(tmp_path, allow_unverified=True))
    (track,) = score_video(test_data / "clips" / "example.avi", Stages(model, detector=None), StopFlag()).tracks
    golden = json.loads((test_data / "goldens" / "syncnet_seeded_scores.json").read_text())["direct_decode"]
    assert track.score is not None
    assert (track.first_frame, track.frame_count, track.mean_box) == (0, 317, (0.0, 0.0, 224.0, 224.0))
    # The seeded curve is nearly flat: these are the tolerances that held between library versions.
    curve = golden["mean_distances"]
    np.testing.assert_allclose(track.score.curve, curve, atol=1e-4 * max(curve))
    assert track.score.offset_frames == golden["offset"]
    assert track.score.confidence == pytest.approx(golden["confidence"], abs=1e-3)


def test_the_command_scores_crops_and_refuses_other_pictures(tmp_path: Path, test_data: Path, repository: Path) -> None:
    videos = tmp_path / "in"
    videos.mkdir()
    shutil.copy(test_data / "clips" / "example.avi", videos)
    shutil.copy(repository / "samples" / "in_sync.mp4", videos)
    assert run(videos, tmp_path / "out", "--no_detection", "--model", "lite") == 1
    document = results_in(tmp_path / "out")
    crop, whole = document["results"]
    assert document["detector"] == {"name": "none", "identity": "none", "verified": True}
    assert (crop["status"], crop["all_tracks"][0]["frame_count"]) == ("success", 317)
    # The published network finds +3; the embedded one is known to be within a frame of it.
    assert abs(crop["offset"] - 3) <= 1
    assert whole["status"] == "failed"
    assert whole["error"].endswith("a face crop is 224 x 224")
    assert whole["cure"] == "score it without --no_detection"


def test_a_crop_shorter_than_the_gate_is_no_track(tmp_path: Path, test_data: Path) -> None:
    videos = tmp_path / "in"
    videos.mkdir()
    shutil.copy(test_data / "clips" / "example.avi", videos)
    assert run(videos, tmp_path / "out", "--no_detection", "--model", "lite", "--min_track", "400") == 0
    (crop,) = results_in(tmp_path / "out")["results"]
    assert (crop["status"], crop["error"]) == ("no_faces", "only tracks shorter than 400 frames (longest 317)")


def test_a_detector_beside_it_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, tmp_path / "out", "--no_detection", "--detector", "lite") == 2
    assert "leave out --detector lite" in capsys.readouterr().err

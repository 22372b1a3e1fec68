"""The real command line on a few real clips, where they are at hand."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

# File name -> what anyone who watches it would say.
IN_SYNC = "rizkiarm__LipNet__bbaf2n.mpg"
ALSO_IN_SYNC = "Hangz-nju-cuhk__Talking-Face_PC-AVS__00015.mp4"
WRONG_SOUND = "deeplsd__Syncnet_Analysis__merkel_video_14.avi"
NO_FACE = "mobiusml__aana_sdk__squirrel.mp4"
MOVED_BY_5 = "R-V-Abhishek__Syncnet_FCN__test_offset_5.avi"
MOVED_BY_12 = "R-V-Abhishek__Syncnet_FCN__test_offset_12.avi"
CLIPS = (IN_SYNC, ALSO_IN_SYNC, WRONG_SOUND, NO_FACE, MOVED_BY_5, MOVED_BY_12)


@pytest.fixture(scope="module")
def run(test_data: Path, repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """Output folder, and results by file name, of one run with YuNet."""
    folder = tmp_path_factory.mktemp("clips")
    for name in CLIPS:
        if not (test_data / "clips" / name).is_file():
            pytest.skip(f"{name} is not among the clips of {test_data}")
        shutil.copy(test_data / "clips" / name, folder / name)
    output = tmp_path_factory.mktemp("sorted")
    arguments = ["--input_dir", str(folder), "--output_dir", str(output), "--detector", "yunet"]
    finished = subprocess.run(
        [sys.executable, str(repository / "filter_videos_by_sync_score.py"), *arguments],
        env={**os.environ, "SYNC_FILTER_WEIGHTS": str(test_data / "weights")},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    results = json.loads((output / "sync_filter_results.json").read_text(encoding="utf-8"))["results"]
    return output, {Path(entry["video_path"]).name: entry for entry in results}


@pytest.mark.parametrize("name", [IN_SYNC, ALSO_IN_SYNC])
def test_speech_in_sync_passes(run: tuple[Path, dict[str, Any]], name: str) -> None:
    output, results = run
    assert results[name]["passes_quality"], results[name]["quality_reasons"]
    assert (output / "good_quality" / name).is_file()


def test_sound_of_another_recording_does_not_pass(run: tuple[Path, dict[str, Any]]) -> None:
    output, results = run
    assert not results[WRONG_SOUND]["passes_quality"]
    assert (output / "poor_quality" / WRONG_SOUND).is_file()


def test_a_video_without_a_face_is_said_to_have_none(run: tuple[Path, dict[str, Any]]) -> None:
    output, results = run
    assert results[NO_FACE]["status"] == "no_faces"
    assert not list(output.rglob(NO_FACE))


def test_moved_sound_is_found_where_it_was_moved_to(run: tuple[Path, dict[str, Any]]) -> None:
    # The same recording with its sound delayed by 5 and by 12 frames: 7 frames lie between the two, one more or
    # less for the rounding of each.
    _, results = run
    difference = results[MOVED_BY_5]["offset"] - results[MOVED_BY_12]["offset"]
    assert 6 <= difference <= 8
    assert not results[MOVED_BY_12]["passes_quality"]

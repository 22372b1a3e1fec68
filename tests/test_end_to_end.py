"""The real command line on the samples, whose truth is known."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def filter_videos(repository: Path, input_dir: Path, output_dir: Path, *extra: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, results file and stdout."""
    done = subprocess.run(
        [
            sys.executable,
            "filter_videos_by_sync_score.py",
            "--input_dir",
            input_dir,
            "--output_dir",
            output_dir,
            # Whatever files a machine has: the truth of the samples is known for these two.
            "--model",
            "lite",
            "--detector",
            "lite",
            # Scores of one run must not stand in for those of the next.
            "--score_cache",
            "off",
            *extra,
        ],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads((output_dir / "sync_filter_results.json").read_text()), done.stdout


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def sorted_samples(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, dict[str, Any], str]:
    """The samples after one run with the model and the detector that every machine has."""
    output_dir = tmp_path_factory.mktemp("samples") / "out"
    return output_dir, *filter_videos(repository, repository / "samples", output_dir)


def test_the_samples_are_sorted_as_they_were_made(sorted_samples: tuple[Path, int, dict[str, Any], str]) -> None:
    output_dir, code, results, summary = sorted_samples
    assert code == 1
    assert names_in(output_dir / "good_quality") == ["in_sync.mp4"]
    assert names_in(output_dir / "poor_quality") == ["other_sentence.mp4", "sound_8_frames_late.mp4"]
    statuses = {entry["video_name"]: entry["status"] for entry in results["results"]}
    assert statuses == {
        "damaged": "failed",
        "in_sync": "success",
        "no_face": "no_faces",
        "no_sound": "failed",
        "other_sentence": "success",
        "sound_8_frames_late": "success",
    }
    assert "6 of 6 videos" in summary


def test_the_samples_offsets_are_the_known_ones(sorted_samples: tuple[Path, int, dict[str, Any], str]) -> None:
    entries = {entry["video_name"]: entry for entry in sorted_samples[2]["results"]}
    # The drawn lips reach each shape at the middle of its sound; real ones, from which the model learnt, run ahead, so
    # the sound may seem a frame or two early here.
    assert abs(entries["in_sync"]["offset"]) <= 2
    # The second clip is the first with its sound moved: the rounding of two offsets makes one frame.
    assert abs(entries["in_sync"]["offset"] - entries["sound_8_frames_late"]["offset"] - 8) <= 1
    assert entries["sound_8_frames_late"]["offset_direction"] == "sound late"
    assert entries["in_sync"]["confidence"] >= 5.0 > entries["other_sentence"]["confidence"]


def test_four_workers_give_the_same_results(
    repository: Path, tmp_path: Path, sorted_samples: tuple[Path, int, dict[str, Any], str]
) -> None:
    _, results, _ = filter_videos(repository, repository / "samples", tmp_path / "out", "--max_workers", "4")
    assert timeless(results) == timeless(sorted_samples[2])


def timeless(results: dict[str, Any]) -> dict[str, Any]:
    """Without what a clock or a memory gauge says, and without the output folder."""
    this_run = {**results["this_run"], "seconds": None, "peak_memory_mb": None}
    of_the_clock = dict.fromkeys(("processing_time", "peak_memory_mb", "scored_at"))
    entries = [{**entry, **of_the_clock} for entry in placeless(results["results"])]
    return {**results, "timestamp": None, "this_run": this_run, "results": entries}


def placeless(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the folder and the name of each copy in the place of its whole path."""
    return [{**entry, "placed_path": Path(entry["placed_path"] or "").parts[-2:]} for entry in entries]


def test_a_run_that_knows_every_video_loads_no_model(
    repository: Path, sorted_samples: tuple[Path, int, dict[str, Any], str], tmp_path: Path
) -> None:
    output_dir = tmp_path / "out"
    shutil.copytree(sorted_samples[0], output_dir)
    flags = ["--input_dir", str(repository / "samples"), "--output_dir", str(output_dir)]
    flags += ["--model", "lite", "--detector", "lite"]
    program = (
        "import sys; from syncnet import command;"
        f"code = command.main({[*flags, '--score_cache', 'off', '--quiet']!r});"
        "print(code, *sorted({'torch', 'cv2', 'av', 'scipy', 'scenedetect'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")
    results = json.loads((output_dir / "sync_filter_results.json").read_text())
    told, before = placeless(results["results"]), placeless(sorted_samples[2]["results"])
    assert results["this_run"]["unchanged"] == len(told)
    assert told == before

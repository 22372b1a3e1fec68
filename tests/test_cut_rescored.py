"""A cut clip is a file of its own: scored as one it passes, and has the offset of the segment that it was cut of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks.over_time import smoke_plan
from benchmarks.over_time_files import make_file
from syncnet import command

pytestmark = pytest.mark.slow

TALKS = {
    "OpenTalker__video-retalking__face_5.mp4": "of 25 frames a second, with stereo of 44.1 kHz",
    "SAGAR0097__test_video.mp4": "upright, of 30 frames a second, with stereo of 48 kHz",
    "Zz-ww__SadTalker-Video-Lip-Sync__wav2lip.mp4": "of 22.167 frames a second, with mono of 24 kHz",
}
LEAST_FINE_MS = 20.0
"""Half a frame: a fine offset is not read more closely from the few seconds of a clip."""


def run(input_dir: Path, output_dir: Path, *flags: str) -> dict[str, dict[str, Any]]:
    """The results by relative path."""
    places = ["--input_dir", str(input_dir), "--output_dir", str(output_dir), "--recursive", "--keep_all", "--quiet"]
    # Whatever files a machine has: these two are there everywhere.
    models = ["--model", "lite", "--detector", "lite", "--score_cache", "off", "--report", "off"]
    assert command.main([*places, *models, *flags]) == 0
    results = json.loads((output_dir / "sync_filter_results.json").read_text(encoding="utf-8"))["results"]
    return {entry["relative_path"]: entry for entry in results}


def cut_and_score(tmp_path: Path, videos: Path, *flags: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Each line of the manifest, and what the clip's own score says."""
    run(videos, tmp_path / "out", *flags)
    segments = tmp_path / "out" / "segments"
    lines = [json.loads(line) for line in (segments / "manifest.jsonl").read_text().splitlines()]
    again = run(segments, tmp_path / "again")
    named = [file for line in lines for file in (line["file"], line["face_file"]) if file]
    assert sorted(again) == sorted(named)
    return [(line, again[file]) for line in lines for file in (line["file"], line["face_file"]) if file]


@pytest.fixture
def talks(tmp_path: Path, test_data: Path) -> Path:
    folder = tmp_path / "talks"
    folder.mkdir()
    for name in TALKS:
        if not (test_data / "clips" / name).is_file():
            pytest.skip(f"{name} is not among the clips of {test_data}")
        shutil.copy(test_data / "clips" / name, folder / name)
    return folder


def test_real_clips_keep_their_offset_and_pass(tmp_path: Path, talks: Path) -> None:
    scored = cut_and_score(tmp_path, talks, "--cut", "passing", "--cut_face", "256")
    assert {line["relative_path"]: line["offset"] for line, _ in scored} == dict(zip(TALKS, (2, -2, -2), strict=True))
    assert len(scored) == 6
    for line, clip in scored:
        assert clip["passes_quality"], clip["quality_reasons"]
        assert clip["offset_fine_ms"] == pytest.approx(line["offset_fine_ms"], abs=LEAST_FINE_MS)
        # One that lies between two frames may be counted as either.
        assert abs(clip["offset"] - line["offset"]) <= 1
    assert sum(clip["offset"] == line["offset"] for line, clip in scored) >= 4


def test_real_clips_whose_offset_was_taken_out_have_none(tmp_path: Path, talks: Path) -> None:
    scored = cut_and_score(tmp_path, talks, "--cut", "passing", "--cut_offset")
    assert len(scored) == 3
    for _, clip in scored:
        assert (clip["passes_quality"], clip["offset"]) == (True, 0)
        assert clip["offset_fine_ms"] == pytest.approx(0, abs=LEAST_FINE_MS)


def test_a_sample_that_is_late_passes_once_its_offset_is_taken_out(tmp_path: Path, repository: Path) -> None:
    samples = tmp_path / "samples"
    samples.mkdir()
    shutil.copy(repository / "samples" / "sound_8_frames_late.mp4", samples)
    ((line, clip),) = cut_and_score(tmp_path, samples, "--cut", "all", "--cut_offset")
    assert (line["passes"], line["offset"]) == (False, -7)
    assert (clip["passes_quality"], clip["offset"]) == (True, 0)


def test_of_a_long_file_just_what_is_in_sync_is_cut(tmp_path: Path, repository: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    videos = tmp_path / "videos"
    videos.mkdir()
    # 4.5 s in sync, 1.5 s of nobody, 4.5 s that are 320 ms late.
    make_file(smoke_plan(repository / "samples"), videos / "programme.mp4")
    ((line, clip),) = cut_and_score(tmp_path, videos, "--cut", "passing")
    assert line["cut_to"] == pytest.approx(4.5, abs=0.3)
    assert (clip["passes_quality"], clip["offset"]) == (True, line["offset"])

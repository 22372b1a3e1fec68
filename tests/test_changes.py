"""What the summary says of files that are the same video."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import make_run, make_score, successful
from folders import make_videos, run

from syncnet.report.changes import describe_changes


@pytest.mark.usefixtures("fake_scoring")
def test_files_that_are_the_same_byte_for_byte_are_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = make_videos(tmp_path / "in", "a_fine.mp4", "poor.mp4")
    for name in ("b_fine.mp4", "c_fine.mp4"):
        shutil.copyfile(videos / "a_fine.mp4", videos / name)
    for _ in range(2):
        assert run(videos, tmp_path / "out") == 0
        shown = capsys.readouterr().out
        assert "\n3 files are the same video: a_fine.mp4, b_fine.mp4, c_fine.mp4.\n" in shown
        assert shown.count("the same video") == 1


def test_of_many_the_first_few_are_named() -> None:
    one = successful("a.mp4", make_score(7.0))
    results = [replace(one, relative_path=Path(f"{k}_{n}.mp4"), content=f"{k}") for k in range(5) for n in range(4)]
    told = describe_changes(make_run([*results, replace(one, content="alone"), one, one]))
    assert told == (
        "4 files are the same video: 0_0.mp4, 0_1.mp4, 0_2.mp4 and 1 more.",
        "4 files are the same video: 1_0.mp4, 1_1.mp4, 1_2.mp4 and 1 more.",
        "4 files are the same video: 2_0.mp4, 2_1.mp4, 2_2.mp4 and 1 more.",
        "8 more files are 2 videos.",
    )

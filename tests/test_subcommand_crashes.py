"""Subcommands that score do it beside their own process, which a file that crashes the decoder leaves alone."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from folders import make_videos
from repair_clips import write_kind

IN_ITS_OWN_PROCESS = """
from syncnet import command, stages
from fakes import FakeStages, load_scorer_by_deed
from repair_fakes import load_scorer_by_clicks

stages.choose_stages = lambda *_: FakeStages()
command.load_scorer = {load_scorer}
command.run_as_process()
"""


def run(repository: Path, load_scorer: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", IN_ITS_OWN_PROCESS.format(load_scorer=load_scorer), *words],
        env={**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'tests'}"},
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.slow
def test_repair_goes_on_after_a_crash(repository: Path, tmp_path: Path) -> None:
    videos, out = tmp_path / "videos", tmp_path / "out"
    videos.mkdir()
    write_kind(videos, "MP4/AAC", sound_shift=0.24).rename(videos / "late.mp4")
    (videos / "crash.mp4").write_bytes(b"none that is read")
    finished = run(repository, "load_scorer_by_clicks", "repair", videos, "--output_dir", out)
    assert (finished.returncode, finished.stderr) == (1, "")
    assert finished.stdout.splitlines()[:4] == [
        "  refused   crash.mp4",
        "    crashed the decoder (SIGSEGV)",
        "      convert it again, or leave it out",
        "  repaired  late.mp4",
    ]
    assert (out / "repaired" / "late.mp4").is_file()


@pytest.mark.slow
def test_evaluate_goes_on_after_a_crash(repository: Path, tmp_path: Path) -> None:
    videos, out = make_videos(tmp_path / "videos", "a_fine.mp4", "b_crash.mp4", "c_fine.mp4"), tmp_path / "out"
    finished = run(repository, "load_scorer_by_deed", "evaluate", videos, "--output_dir", out)
    assert finished.returncode == 1
    with (out / "evaluation.csv").open(newline="") as table:
        told = {row["relative_path"]: row["error"] for row in csv.DictReader(table)}
    assert told == {"a_fine.mp4": "", "b_crash.mp4": "crashed the decoder (SIGSEGV)", "c_fine.mp4": ""}

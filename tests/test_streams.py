"""A process that nobody listens to, or can listen to, does its work all the same."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from folders import make_videos, results_in
from test_faults import STAND_IN

pytestmark = pytest.mark.slow
COMMAND = STAND_IN[: STAND_IN.index("sys.exit")].replace("from benchmarks import faults_worker\n", "")


@pytest.mark.parametrize(
    ("way", "quiet"),
    [
        (">&-", ""),
        ("2>&-", "--verbose"),
        (">&- 2>&- <&-", ""),
        (">&- 2>&-", "--cron --settle 0"),
        ("> /dev/full 2>&1", "--verbose"),
        ("| true", ""),
    ],
)
def test_a_run_does_its_work_whatever_becomes_of_its_words(
    tmp_path: Path, repository: Path, way: str, quiet: str
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4")
    script = f"{COMMAND.format(repository=str(repository))}\ncommand.run_as_process()"
    flags = f"--input_dir {videos} --output_dir {tmp_path}/out --score_cache off {quiet}"
    line = f'"$0" -c "$1" {flags} {way}'
    errors = tmp_path / "errors"
    with open(errors, "wb") as writer:
        code = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line, sys.executable, script], stderr=writer, check=False
        )
    assert code.returncode == 0
    assert "Traceback" not in errors.read_text()
    assert "Exception ignored" not in errors.read_text()
    assert results_in(tmp_path / "out")["good_quality"] == 1
    ledger = (tmp_path / "out" / ".sync_filter" / "ledger.jsonl").read_text().splitlines()
    assert all(line.startswith("{") for line in ledger), "no words went into a file that was opened meanwhile"


@pytest.mark.parametrize("arguments", ["--help", "rejudge --output_dir OUT", "weights", "--no_such_flag"])
def test_short_answers_end_quietly_too(tmp_path: Path, repository: Path, arguments: str) -> None:
    (tmp_path / "OUT" / ".sync_filter").mkdir(parents=True)
    (tmp_path / "OUT" / ".sync_filter" / "ledger.jsonl").write_text('{"kind": "ledger", "format": 1}\n')
    program = repository / "filter_videos_by_sync_score.py"
    for way in ("| true", "> /dev/full", ">&-"):
        line = f'"$0" {program} {arguments} {way}'
        done = subprocess.run(
            ["bash", "-c", line, sys.executable], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr

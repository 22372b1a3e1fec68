"""A process that nobody listens to, or can listen to, does its work all the same."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import FakeStages, load_scorer_by_name, score_by_name
from folders import make_videos, results_in, run
from test_faults import STAND_IN

from syncnet import command

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


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a video, ``in``, and its output, ``out``; scored by name."""
    folder = tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: FakeStages())
        patch.setattr("syncnet.pipeline.score_video", score_by_name)
        patch.setattr(command, "load_scorer", load_scorer_by_name)
        assert run(make_videos(folder / "in", "fine.mp4"), folder / "out", "--score_cache", "off") == 0
    return folder


PROGRAM = "filter_videos_by_sync_score.py"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (f"{PROGRAM} --help", 0),
        (f"{PROGRAM} rejudge --output_dir out", 0),
        (f"{PROGRAM} rejudge --output_dir out --passing -", 0),
        (f"{PROGRAM} rejudge --output_dir out --verdicts -", 0),
        (f"{PROGRAM} report --output_dir out", 0),
        (f"{PROGRAM} export --output_dir out --format csv", 0),
        (f"{PROGRAM} export --help", 0),
        ("-c SCRIPT --input_dir in --output_dir out --score_cache off --json", 0),
        (f"{PROGRAM} weights", 0),
        ("-m weights", 0),
        (f"{PROGRAM} --no_such_flag", 2),
    ],
)
def test_answers_end_quietly_too(known: Path, repository: Path, arguments: str, code: int) -> None:
    script = shlex.quote(f"{COMMAND.format(repository=str(repository))}\ncommand.run_as_process()")
    arguments = arguments.replace(PROGRAM, str(repository / PROGRAM)).replace("SCRIPT", script)
    for way in ("| true", "> /dev/full", ">&-"):
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", f'"$0" {arguments} {way}', sys.executable],
            cwd=known,
            env={**os.environ, "PYTHONPATH": str(repository)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        assert "Exception ignored" not in done.stderr
        # Of what another program is to read, a part is worse than none: a full disk is no success.
        is_full = way == "> /dev/full"
        lost = (2 if arguments.endswith(" -") else 1 if arguments.endswith(" --json") else 0) if is_full else 0
        assert done.returncode == (lost or code), done.stderr
        assert ("cannot write to stdout: No space left on device" in done.stderr) == bool(lost)

"""Scoring in child processes that do what the names of the videos say."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from fakes import make_score, scored

from syncnet.engines.failures import ExplainedError
from syncnet.engines.isolated import ChildScorers
from syncnet.engines.serving import Score
from syncnet.errors import NoAudioStreamError, TimeLimitError, UsageError
from syncnet.results import VideoScore
from syncnet.system.interruption import Deadline, Interrupted, StopFlag


def load(problem: str = "") -> Score:
    """Called in the child."""
    if problem:
        raise UsageError(problem, cure="choose another")
    return score


def score(path: Path, _stop: StopFlag, _sound: Path | None = None) -> VideoScore:
    if "crash" in path.name:
        signal.raise_signal(signal.SIGSEGV)
    if "killed" in path.name:
        signal.raise_signal(signal.SIGKILL)
    if "exit" in path.name:
        os._exit(3)
    if "hang" in path.name:
        threading.Event().wait()
    if "silent" in path.name:
        raise NoAudioStreamError("no sound in it", path=path, cure="add sound")
    if "full" in path.name:
        raise OSError(28, "No space left on device")
    return scored(make_score(7.5, os.getpid() % 7))


@pytest.fixture(scope="module")
def children() -> Iterator[ChildScorers]:
    with ChildScorers(load) as children:
        yield children


def failure_of(children: ChildScorers, name: str) -> tuple[str, str]:
    with pytest.raises(ExplainedError) as caught:
        children.score(Path(name), StopFlag())
    return caught.value.failure, caught.value.problem


def test_a_score_comes_back_and_one_child_serves_many_videos(children: ChildScorers) -> None:
    offsets = set()
    for name in ("a.mp4", os.fsdecode(b"b \xff\n.mp4")):
        track = children.score(Path(name), StopFlag()).tracks[0]
        assert track.score is not None
        assert track.score.confidence == 7.5
        offsets.add(track.score.offset_frames)
    assert len(offsets) == 1


def test_failures_come_back_as_they_were_explained(children: ChildScorers) -> None:
    assert failure_of(children, "silent.mp4") == ("file", "no sound in it")
    assert failure_of(children, "full.mp4") == ("environment", "no space left on device")


@pytest.mark.parametrize(
    ("name", "failure", "problem"),
    [
        ("crash.mp4", "crash", "crashed the decoder (SIGSEGV)"),
        ("exit.mp4", "crash", "crashed the decoder (exit code 3)"),
        ("killed.mp4", "killed", "its process was killed, most likely by the system because memory ran out"),
    ],
)
def test_the_death_of_a_child_is_told_and_the_next_video_gets_another(
    children: ChildScorers, name: str, failure: str, problem: str
) -> None:
    assert failure_of(children, name) == (failure, problem)
    assert children.score(Path("a.mp4"), StopFlag()).tracks


def test_a_child_that_hangs_is_ended_when_its_time_is_over(children: ChildScorers) -> None:
    with pytest.raises(TimeLimitError, match=r"longer than 0.3 s"):
        children.score(Path("hang.mp4"), Deadline(StopFlag(), 0.3))


def test_a_stop_ends_the_child(children: ChildScorers) -> None:
    stop = StopFlag()
    threading.Timer(0.5, stop.stop).start()
    with pytest.raises(Interrupted):
        children.score(Path("hang.mp4"), stop)


def test_a_child_that_cannot_load_is_no_fault_of_the_video() -> None:
    with ChildScorers(partial(load, "no such model")) as children:
        assert failure_of(children, "a.mp4") == ("environment", "no such model")


@pytest.mark.skipif(not shutil.which("ps"), reason="asks ps")
def test_no_child_outlives_its_parent(tmp_path: Path) -> None:
    parent = os.fork()
    if parent == 0:
        # Only system calls and the child's start: a fork of a process with threads may do little else.
        scorers = ChildScorers(partial(note_and_load, tmp_path / "pid"))
        threading.Thread(target=lambda: scorers.score(Path("hang.mp4"), StopFlag()), daemon=True).start()
        while not (tmp_path / "pid").exists():
            time.sleep(0.05)
        os._exit(0)
    os.waitpid(parent, 0)
    child = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < deadline, "the child is still there"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether there is such a process, and not only what nobody has asked about since its end."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def note_and_load(path: Path) -> Score:
    temporary = path.with_suffix(".new")
    temporary.write_text(str(os.getpid()))
    temporary.replace(path)
    return score

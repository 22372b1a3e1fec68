from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from folders import files_below, make_videos, results_in, run

# In a process of its own: "fine" videos are scored, "slow" ones take for ever, "stuck" ones do not even hear the stop

OWN_PROCESS = """
import sys, threading
from syncnet import command
from syncnet import stages as scorer_choice
from syncnet.engines import threads
from fakes import FakeStages, score_by_name
import syncnet.pipeline

def score(path, stages, stop):
    while "slow" in path.name or "stuck" in path.name:
        if "slow" in path.name:
            stop.check()
        threading.Event().wait(0.01)
    return score_by_name(path, stages, stop)

scorer_choice.choose_stages = lambda request, workers: FakeStages()
syncnet.pipeline.score_video = score
threads.run_in_threads.__kwdefaults__["grace_seconds"] = 0.5
if {slow_to_load}:
    def choose(request, workers):
        print("loading", file=sys.stderr, flush=True)
        threading.Event().wait()
    scorer_choice.choose_stages = choose
if {slow_to_leave}:
    import atexit
    atexit.register(lambda: print("leaving", file=sys.stderr, flush=True) or sys.stdin.read())
command.run_as_process()
"""


def start(
    repository: Path, input_dir: Path, output_dir: Path, *, slow_to_load: bool = False, slow_to_leave: bool = False
) -> subprocess.Popen[str]:
    program = OWN_PROCESS.format(slow_to_load=slow_to_load, slow_to_leave=slow_to_leave)
    return subprocess.Popen(
        [sys.executable, "-c", program, "--max_workers=1", "--input_dir", input_dir, "--output_dir", output_dir],
        env={**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'tests'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, "slow"), (signal.SIGTERM, "slow"), (signal.SIGTERM, "stuck")]
)
def test_an_interrupted_run_keeps_what_is_finished(tmp_path: Path, repository: Path, number: int, kind: str) -> None:
    videos = make_videos(tmp_path / "in", "a_fine.mp4", f"b_{kind}.mp4", "c_fine.mp4")
    process = start(repository, videos, tmp_path / "out")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("[1/3] a_fine.mp4: good")
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (128 + number, "")
    assert out.startswith("INTERRUPTED: 2 videos not processed; what is finished is kept.")
    document = results_in(tmp_path / "out")
    assert document["interrupted"] is True
    assert (document["total_videos"], document["good_quality"], document["not_processed"]) == (3, 1, 2)
    assert [entry["video_name"] for entry in document["results"]] == ["a_fine"]
    assert files_below(tmp_path / "out") == ["good_quality/a_fine.mp4", "sync_filter_results.json"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_models_load_ends_the_run_with_its_exit_code(
    tmp_path: Path, repository: Path, number: int
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    process = start(repository, videos, tmp_path / "out", slow_to_load=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "loading\n"
    process.send_signal(number)
    assert (process.communicate(timeout=120), process.returncode) == (("", ""), 128 + number)
    # Nothing was begun, and the lock went with the process.
    assert files_below(tmp_path / "out") == []
    assert start(repository, videos, tmp_path / "out").wait(120) == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_end_leaves_the_exit_code(tmp_path: Path, repository: Path, number: int) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    process = start(repository, videos, tmp_path / "out", slow_to_leave=True)
    assert process.stderr is not None
    assert process.stderr.readline().startswith("[1/1] fine.mp4")
    assert process.stderr.readline() == "leaving\n"
    process.send_signal(number)
    # The end of its input lets it leave.
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, "")
    assert results_in(tmp_path / "out")["interrupted"] is False


@pytest.mark.slow
def test_a_stop_does_not_wait_for_libraries_to_be_taken_down(tmp_path: Path, repository: Path) -> None:
    videos = make_videos(tmp_path / "in", "a_fine.mp4", "b_slow.mp4")
    process = start(repository, videos, tmp_path / "out", slow_to_leave=True)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stderr.readline().startswith("[1/2] a_fine.mp4: good")
    process.send_signal(signal.SIGTERM)
    # Its input stays open: what is to be done at the interpreter's end would wait for that for ever.
    assert process.wait(120) == 143
    assert process.stdout.read().startswith("INTERRUPTED: 1 video not processed")
    assert process.stderr.read() == ""
    assert results_in(tmp_path / "out")["interrupted"] is True


@pytest.mark.slow
def test_a_reader_that_left_is_no_error(tmp_path: Path, repository: Path) -> None:
    process = start(repository, make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == "[1/1] fine.mp4: good, confidence 7.5, sound 40 ms early\n"
    assert process.wait(120) == 0
    assert results_in(tmp_path / "out")["good_quality"] == 1


@pytest.mark.usefixtures("fake_scoring")
def test_signal_handlers_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_interrupt_before_the_first_video_is_exit_code_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("syncnet.stages.choose_stages", interrupted)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 130

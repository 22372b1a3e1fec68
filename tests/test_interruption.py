from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from folders import files_below, make_videos, results_in, run

# In a process of its own: "fine" videos are scored, "slow" ones take for ever, "stuck" ones do not even hear the stop

OWN_PROCESS = """
import sys, threading
from syncnet import command
from syncnet import stages as scorer_choice
from syncnet.engines import threads
from fakes import FakeStages, load_scorer_by_deed

scorer_choice.choose_stages = lambda request, workers: FakeStages()
command.load_scorer = load_scorer_by_deed
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
    repository: Path,
    input_dir: Path,
    output_dir: Path,
    *,
    slow_to_load: bool = False,
    slow_to_leave: bool = False,
    flags: Sequence[str | Path] = ("--max_workers=1",),
) -> subprocess.Popen[str]:
    program = OWN_PROCESS.format(slow_to_load=slow_to_load, slow_to_leave=slow_to_leave)
    return subprocess.Popen(
        [sys.executable, "-c", program, *flags, "--input_dir", input_dir, "--output_dir", output_dir],
        env={**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'tests'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def next_line(process: subprocess.Popen[str], *, begun: bool = True) -> str:
    """Of its stderr; ``begun``: the one that says what was found comes before."""
    assert process.stderr is not None
    if begun:
        assert process.stderr.readline().endswith("loading lite\n")
    return process.stderr.readline()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, "slow"), (signal.SIGTERM, "slow"), (signal.SIGTERM, "stuck")]
)
def test_an_interrupted_run_keeps_what_is_finished(tmp_path: Path, repository: Path, number: int, kind: str) -> None:
    videos = make_videos(tmp_path / "in", "a_fine.mp4", f"b_{kind}.mp4", "c_fine.mp4")
    process = start(repository, videos, tmp_path / "out")
    assert next_line(process).startswith("[1/3] a_fine.mp4: passes")
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
@pytest.mark.parametrize("workers", [1, 3])
def test_a_crash_of_the_decoder_leaves_the_other_videos_to_the_same_run(
    tmp_path: Path, repository: Path, workers: int
) -> None:
    names = ["a_fine.mp4", "b_crash.mp4", "c_poor.mp4", "d_aborts.mp4", "e_fine.mp4"]
    videos = make_videos(tmp_path / "in", *names)
    log = tmp_path / "run.log"
    flags = [f"--max_workers={workers}", "--log_file", log]
    process = start(repository, videos, tmp_path / "out", flags=flags)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1
    lines = sorted(line.partition(" ")[2] for line in err.splitlines() if line.startswith("["))
    assert [line.split(",")[0] for line in lines] == [
        "a_fine.mp4: passes",
        "b_crash.mp4: failed: crashed the decoder (SIGSEGV)",
        "c_poor.mp4: does not pass",
        "d_aborts.mp4: failed: crashed the decoder (SIGABRT)",
        "e_fine.mp4: passes",
    ]
    # Nothing is told twice.
    assert sorted(line.partition("]")[0] for line in err.splitlines() if line.startswith("[")) == [
        f"[{number}/5" for number in range(1, 6)
    ]
    assert out.count("d_aborts.mp4") == 1
    assert log.read_text().count("finished with exit code 1") == 1
    assert "the process that scores died (SIG" in log.read_text()
    assert files_below(tmp_path / "out") == [
        "good_quality/a_fine.mp4",
        "good_quality/e_fine.mp4",
        "poor_quality/c_poor.mp4",
        "sync_filter_results.json",
    ]
    # The next run has nothing to do: neither of the two is tried again.
    again = start(repository, videos, tmp_path / "out")
    assert (again.communicate(timeout=120)[1], again.returncode) == (f"5 videos in {videos}; 5 known\n", 0)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_the_process_that_scores_ends_with_the_command(tmp_path: Path, repository: Path) -> None:
    process = start(repository, make_videos(tmp_path / "in", "a_fine.mp4", "b_stuck.mp4"), tmp_path / "out")
    assert next_line(process).startswith("[1/2] a_fine.mp4: passes")
    children = children_of(process.pid)
    assert children
    process.kill()
    process.wait(60)
    deadline = time.monotonic() + 60
    while children & running():
        assert time.monotonic() < deadline, "a child is still there"
        time.sleep(0.05)
    # The lock went with the command: another run goes on, and what was under way is left to it alone.
    (tmp_path / "in" / "b_stuck.mp4").rename(tmp_path / "in" / "b_poor.mp4")
    assert start(repository, tmp_path / "in", tmp_path / "out").wait(120) == 0
    assert results_in(tmp_path / "out")["total_videos"] == 3 - 1


def children_of(pid: int) -> set[int]:
    return {child for child in running() if _stat(child)[1] == str(pid)}


def running() -> set[int]:
    found = {int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()}
    return {pid for pid in found if _stat(pid)[0] not in ("Z", "X", "")}


def _stat(pid: int) -> list[str]:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ["", ""]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_models_load_ends_the_run_with_its_exit_code(
    tmp_path: Path, repository: Path, number: int
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    process = start(repository, videos, tmp_path / "out", slow_to_load=True)
    assert next_line(process) == "loading\n"
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
    assert next_line(process).startswith("[1/1] fine.mp4")
    assert next_line(process, begun=False) == "leaving\n"
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
    assert next_line(process).startswith("[1/2] a_fine.mp4: passes")
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
    process.stdout.close()
    told = "[1/1] fine.mp4: passes, confidence 7.5, sound 40 ms early, in sync for 3.0 of 4.0 s\n"
    assert next_line(process) == told
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

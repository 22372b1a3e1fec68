from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path, PurePath
from typing import Any

import cv2
import pytest
import torch
from fakes import faceless, failed, make_score, successful

from syncnet.engines import threads
from syncnet.engines.threads import run_in_threads, share_cores
from syncnet.inputs.discovery import VideoFile
from syncnet.results import VideoResult
from syncnet.system.interruption import Interrupted, StopFlag


def video(name: str) -> VideoFile:
    return VideoFile(Path("in") / name, PurePath(name), 7)


def run(work: object, count: int, workers: int, stop: StopFlag | None = None, **options: Any) -> threads.Batch:
    videos = [video(f"{number}.mp4") for number in range(count)]
    return run_in_threads(
        videos,
        work,  # type: ignore[arg-type]
        workers=workers,
        stop=stop or StopFlag(),
        on_result=lambda _: None,
        **options,
    )


def result_of(item: VideoFile) -> VideoResult:
    return successful(str(item.relative_path), make_score(7.0))


def test_results_are_in_path_order_whatever_finishes_first() -> None:
    second_done = threading.Event()

    def work(item: VideoFile) -> VideoResult:
        if item.path.name == "0.mp4":
            assert second_done.wait(60)
        return result_of(item)

    heard: list[str] = []

    def hear(result: VideoResult) -> None:
        heard.append(result.path.name)
        if result.path.name == "1.mp4":
            second_done.set()

    batch = run_in_threads(
        [video("0.mp4"), video("1.mp4"), video("2.mp4")],
        work,
        workers=2,
        stop=StopFlag(),
        on_result=hear,
    )
    assert [result.path.name for result in batch.results] == ["0.mp4", "1.mp4", "2.mp4"]
    assert sorted(heard) == ["0.mp4", "1.mp4", "2.mp4"]
    assert heard.index("1.mp4") < heard.index("0.mp4")
    assert batch.abandoned == 0


def test_as_many_at_once_as_there_are_workers() -> None:
    # Three threads meet at the barrier; with fewer workers it would break after its time-out.
    barrier = threading.Barrier(3, timeout=60)

    def work(item: VideoFile) -> VideoResult:
        barrier.wait()
        return result_of(item)

    assert len(run(work, 6, 3).results) == 6


def test_two_videos_of_one_path_are_two_results() -> None:
    # Both are under way at the same time.
    barrier = threading.Barrier(2, timeout=60)

    def work(item: VideoFile) -> VideoResult:
        barrier.wait()
        return result_of(item)

    videos = [video("a.mp4"), video("a.mp4")]
    batch = run_in_threads(videos, work, workers=2, stop=StopFlag(), on_result=lambda _: None)
    assert [result.path.name for result in batch.results] == ["a.mp4", "a.mp4"]


def test_no_videos_are_no_results() -> None:
    assert run(result_of, 0, 1) == threads.Batch([], 0)


def test_a_stop_keeps_what_is_finished_and_starts_nothing_more() -> None:
    stop = StopFlag()
    started: list[str] = []

    def work(item: VideoFile) -> VideoResult:
        stop.check()
        started.append(item.path.name)
        if item.path.name == "1.mp4":
            stop.stop()
            raise Interrupted
        return result_of(item)

    batch = run(work, 50, 1, stop)
    assert [result.path.name for result in batch.results] == ["0.mp4"]
    assert started == ["0.mp4", "1.mp4"]
    assert batch.abandoned == 0


def test_a_video_under_way_may_finish_within_the_grace() -> None:
    stop = StopFlag()

    def work(item: VideoFile) -> VideoResult:
        stop.stop()
        return result_of(item)

    assert len(run(work, 1, 1, stop).results) == 1


def test_a_thread_that_hangs_is_left_behind_after_the_grace() -> None:
    stop, release = StopFlag(), threading.Event()

    def work(item: VideoFile) -> VideoResult:
        stop.stop()
        release.wait(60)
        return result_of(item)

    batch = run(work, 3, 1, stop, grace_seconds=0.0)
    release.set()
    assert batch == threads.Batch([], 1)


@pytest.mark.parametrize("late", [None, KeyboardInterrupt])
def test_a_thread_that_hangs_is_replaced_and_what_is_told_of_its_video_stands(
    late: type[BaseException] | None,
) -> None:
    release, hanging = threading.Event(), threading.Event()

    def work(item: VideoFile) -> VideoResult:
        if item.path.name == "1.mp4":
            hanging.set()
            release.wait(60)
            if late:
                raise late
        return result_of(item)

    def overdue() -> list[VideoResult]:
        if not hanging.is_set():
            return []
        hanging.clear()
        return [failed("1.mp4", "hangs"), failed("0.mp4", "came back before"), failed("1.mp4", "told already")]

    heard: list[str] = []

    def hear(result: VideoResult) -> None:
        heard.append(result.error)
        if result.error:
            # It comes back after all, before the others are done.
            release.set()

    videos = [video(f"{number}.mp4") for number in range(4)]
    batch = run_in_threads(videos, work, workers=1, stop=StopFlag(), on_result=hear, overdue=overdue)
    assert [(result.path.name, result.error) for result in batch.results] == [
        ("0.mp4", ""), ("1.mp4", "hangs"), ("2.mp4", ""), ("3.mp4", ""),
    ]  # fmt: skip
    assert sorted(heard) == ["", "", "", "hangs"]
    assert batch.abandoned == 1


def test_what_is_no_bad_video_ends_the_run_and_starts_nothing_more() -> None:
    started: list[str] = []

    def work(item: VideoFile) -> VideoResult:
        started.append(item.path.name)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(work, 5, 1)
    assert started == ["0.mp4"]


ENDS = """
import sys, threading
from pathlib import Path
from syncnet.engines.threads import run_in_threads
from syncnet.inputs.discovery import VideoFile
from syncnet.results import VideoResult
from syncnet.system.interruption import StopFlag
def result_of(item):
    return VideoResult(item.path, item.relative_path, 7, "failed", 0.0)
videos = [VideoFile(Path(name), Path(name), 7) for name in ("0.mp4", "1.mp4")]
hangs, stop = threading.Event(), StopFlag()
def work(item):
    if item.path.name == "0.mp4":
        hangs.set()
        if sys.argv[1] == "stop":
            stop.stop()
        threading.Event().wait()
    return result_of(item)
def overdue():
    return [result_of(videos[0])] if sys.argv[1] == "overdue" and hangs.is_set() else []
def interrupt(result):
    hangs.wait()
    if sys.argv[1] == "interrupt":
        raise KeyboardInterrupt
try:
    batch = run_in_threads(
        videos, work, workers=2, stop=stop, on_result=interrupt, grace_seconds=0.5, overdue=overdue
    )
    print(batch.abandoned)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(("how", "told"), [("overdue", "1"), ("stop", "1"), ("interrupt", "interrupted")])
def test_the_process_ends_without_a_thread_that_hangs(how: str, told: str, repository: Path) -> None:
    # As a program that uses the library ends: by the end of its last line. The minutes are only there to fail by.
    ended = subprocess.run(
        [sys.executable, "-c", ENDS, how], cwd=repository, capture_output=True, text=True, timeout=300
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, f"{told}\n", "")


def test_as_many_at_once_also_after_one_was_given_up() -> None:
    barrier, hanging, release = threading.Barrier(2, timeout=60), threading.Event(), threading.Event()

    def work(item: VideoFile) -> VideoResult:
        if item.path.name == "0.mp4":
            hanging.set()
            release.wait(60)
        else:
            # Two meet, though the thread of the first video never comes: its place was taken.
            barrier.wait()
        return result_of(item)

    def overdue() -> list[VideoResult]:
        return [failed("0.mp4", "hangs")] if hanging.is_set() else []

    batch = run(work, 7, 2, overdue=overdue)
    release.set()
    assert [result.error for result in batch.results] == ["hangs", "", "", "", "", "", ""]
    assert batch.abandoned == 1


def test_a_thread_that_cannot_be_started_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name.startswith("video"):
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(RuntimeError, match="can't start new thread"):
        run(result_of, 3, 2)


def test_each_worker_gets_its_share_of_the_cores_in_its_own_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads(), cv2.getNumThreads()
    monkeypatch.setattr(threads, "count_cores", lambda: 7)
    seen: list[int] = []

    def work(item: VideoFile) -> VideoResult:
        # Torch learns its number of threads at the first parallel work of each thread.
        torch.ones(10).sum()
        seen.append(torch.get_num_threads())
        return faceless(item.path.name)

    try:
        assert share_cores(2) == 3
        run(work, 2, 2)
        assert seen == [3, 3]
        assert cv2.getNumThreads() == 3
        assert share_cores(50) == 1
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])

"""What stands still is given up in time, and the others go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from folders import entries_in, make_videos, run, videos_below

from syncnet.errors import TimeLimitError
from syncnet.placement import transfer
from syncnet.state import score_store
from syncnet.system.interruption import Deadline, Interrupted, StopFlag
from syncnet.system.patience import run_within


@pytest.fixture
def released() -> Iterator[threading.Event]:
    """What stands still in a test goes on at its end."""
    event = threading.Event()
    yield event
    event.set()


def test_what_comes_back_is_handed_on_from_one_thread_after_the_other(released: threading.Event) -> None:
    flag = StopFlag()
    first, second = (run_within(flag, lambda _: threading.get_ident()) for _ in range(2))
    assert first == second != threading.get_ident()
    with pytest.raises(KeyError, match="of the work"):
        run_within(flag, lambda _: {}["of the work"])
    with pytest.raises(TimeLimitError):
        run_within(Deadline(flag, 0.3), lambda _: released.wait(30))
    assert run_within(flag, lambda _: threading.get_ident()) != first, "the other one is stuck"


def test_work_that_stands_still_is_told_from_work_that_goes_on(released: threading.Event) -> None:
    def steadily(flag: StopFlag) -> str:
        for _ in range(25):
            released.wait(0.1)
            flag.check()
        return "done"

    # Longer than it may stand still, in steps that are far shorter: a busy machine may stretch them.
    assert run_within(StopFlag(), steadily, idle_seconds=2) == "done"
    with pytest.raises(TimeLimitError, match=r"nothing could be read or written for 0.5 s") as caught:
        run_within(StopFlag(), lambda _: released.wait(30), idle_seconds=0.5)
    assert isinstance(caught.value.__cause__, OSError), "the surroundings are to blame"


def test_a_stop_is_obeyed_whatever_the_work_is_stuck_in_and_ends_it_when_it_comes_back() -> None:
    stop, stuck, ended = StopFlag(), threading.Event(), threading.Event()

    def work(flag: StopFlag) -> None:
        stop.stop()
        stuck.wait(30)
        try:
            flag.check()
        except Interrupted:
            ended.set()
            raise

    with pytest.raises(Interrupted):
        run_within(stop, work)
    stuck.set()
    assert ended.wait(10)


def test_a_file_that_cannot_be_read_to_its_end_is_given_up_and_the_others_are_scored(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch, released: threading.Event
) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4", "fine_stalled.mp4"), tmp_path / "out"
    hash_content = score_store.hash_content

    def stalled(path: Path, stop: StopFlag) -> str:
        if "stalled" in path.name:
            released.wait(60)
        return hash_content(path, stop)

    monkeypatch.setattr("syncnet.state.score_store.hash_content", stalled)
    for scored in (1, 0):
        assert run(videos, out, "--timeout", "2") == 1
        entries = entries_in(out)
        assert entries["fine_stalled.mp4"]["error"] == "reading it: it took longer than 2 s"
        assert entries["fine.mp4"]["status"] == "success"
        assert scored or videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4"}
    monkeypatch.setattr("syncnet.state.score_store.hash_content", hash_content)
    assert run(videos, out, "--timeout", "60") == 0, "the disk may be at work again, so every run tries"


def test_a_file_of_terabytes_is_given_up_in_time(tmp_path: Path, fake_scoring: None) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out"
    with open(videos / "fine_huge.mp4", "wb") as writer:
        writer.truncate(2**42)
    assert run(videos, out, "--timeout", "2") == 1
    entries = entries_in(out)
    assert entries["fine_huge.mp4"]["error"] == "reading it: it took longer than 2 s"
    assert entries["fine.mp4"]["passes_quality"] is True


def test_a_copy_that_stands_still_is_given_up_and_leaves_nothing_when_it_comes_back(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4", "fine_stalled.mp4"), tmp_path / "out"
    copy, released, back = transfer._copy_bytes, threading.Event(), threading.Event()

    def stalled(reader: Any, writer: Any, stop: StopFlag) -> None:
        if "stalled" in reader.name:
            released.wait(60)
            back.set()
        copy(reader, writer, stop)

    monkeypatch.setattr(transfer, "_copy_bytes", stalled)
    assert run(videos, out, "--score_cache", "off", "--timeout", "2") == 1
    assert entries_in(out)["fine_stalled.mp4"]["error"] == "nothing could be read or written for 2 s"
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4"}
    released.set()
    assert back.wait(10)
    monkeypatch.setattr(transfer, "_copy_bytes", copy)
    assert run(videos, out, "--score_cache", "off") == 0
    assert sorted(path.name for path in (out / "good_quality").iterdir()) == ["fine.mp4", "fine_stalled.mp4"]

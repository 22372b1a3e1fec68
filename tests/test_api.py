"""The library as other programs use it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from folders import files_below, make_videos, results_in, run

import syncnet
from syncnet import (
    FilteredVideos,
    LockedError,
    RunOptions,
    ScorerSettings,
    StopFlag,
    Thresholds,
    UsageError,
    VideoResult,
    filter_videos,
    score_video,
)
from syncnet.system.locking import hold


def test_every_public_name_is_there_and_nothing_heavy_comes_with_the_package(repository: Path) -> None:
    code = (
        "import sys, syncnet; dir(syncnet); heavy = {'torch', 'cv2', 'av', 'numpy'} & sys.modules.keys(); print(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert syncnet.__all__ == sorted(syncnet._HOMES, key=lambda name: (not name.isupper(), name))
    assert all(getattr(syncnet, name) is not None for name in syncnet.__all__)
    assert set(syncnet.__all__) <= set(dir(syncnet))


def test_one_video_is_scored_and_whatever_is_wrong_is_in_the_result(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "damaged.mp4")
    settings = ScorerSettings(model="lite", detector="lite", device="cpu")
    assert score_video(videos / "a.mp4", settings).passed
    assert not score_video(str(videos / "a.mp4"), settings, thresholds=Thresholds(min_confidence=9.0)).passed
    damaged, missing = score_video(videos / "damaged.mp4", settings), score_video(videos / "gone.mp4", settings)
    assert (damaged.status, missing.status) == ("failed", "failed")
    assert files_below(tmp_path) == ["in/a.mp4", "in/damaged.mp4"]


def test_a_folder_comes_out_as_the_command_has_it(
    fake_scoring: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "poor.mp4", "faceless.mp4", "damaged.mp4", "sub/b.mp4")
    code = run(videos, tmp_path / "command", "--preset", "high", "--recursive", "--score_cache", "off")
    capsys.readouterr()
    heard: list[str] = []
    done = filter_videos(
        videos,
        str(tmp_path / "library"),
        thresholds=syncnet.PRESETS["high"],
        recursive=True,
        options=RunOptions(score_cache="off"),
        on_result=lambda result: heard.append(result.path.name),
    )
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
    assert done.exit_code == code == 1
    assert files_below(tmp_path / "library") == files_below(tmp_path / "command")
    theirs, ours = results_in(tmp_path / "command"), results_in(tmp_path / "library")
    assert _same_by_nature(ours) == _same_by_nature(theirs)
    assert sorted(heard) == sorted(result.path.name for result in done.results)
    assert [result.path.name for result in done.passed] == ["a.mp4", "b.mp4"]
    assert (done.results_file.parent, done.interrupted, done.problems) == (tmp_path / "library", False, ())
    assert done.page is not None
    assert f"--input_dir={videos}" in done.page.read_text()


def _same_by_nature(document: dict[str, Any]) -> Any:
    """Without what differs from run to run, or is where the two were called in another way."""
    differing = {"timestamp", "seconds", "processing_time", "preset", "peak_memory_mb", "scored_at"}

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without(part) for name, part in value.items() if name not in differing}
        if isinstance(value, list):
            return [without(part) for part in value]
        return value.replace("/command/", "/library/") if isinstance(value, str) else value

    return without(document)


def test_it_runs_in_any_thread_and_leaves_signals_alone(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4")
    handlers = []
    done: list[FilteredVideos] = []

    def work() -> None:
        seen = handlers.append
        done.append(filter_videos(videos, tmp_path / "out", on_result=lambda _: seen(signal.getsignal(signal.SIGINT))))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [result.passed for result in done[0].results] == [True]
    assert handlers == [before]


def test_a_stop_keeps_what_is_finished_and_the_next_call_goes_on(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", *(f"{number:02}.mp4" for number in range(20)))
    stop = StopFlag()
    first = filter_videos(videos, tmp_path / "out", max_workers=1, on_result=lambda _: stop.stop(), stop=stop)
    assert first.interrupted
    assert first.exit_code == 130
    assert 0 < len(first.results) < 20
    second = filter_videos(videos, tmp_path / "out")
    assert (second.interrupted, len(second.passed)) == (False, 20)
    known = {result.path for result in second.results if result.source == "ledger"}
    assert {result.path for result in first.results} <= known


def test_an_interrupted_caller_has_its_exception_and_a_free_folder(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4")

    def interrupt(_result: VideoResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filter_videos(videos, tmp_path / "out", on_result=interrupt)
    assert filter_videos(videos, tmp_path / "out").exit_code == 0


def test_wrong_wishes_are_raised_as_the_command_words_them(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos, out = make_videos(tmp_path / "in", "a.mp4"), tmp_path / "out"
    with pytest.raises(UsageError, match="--max_workers 0"):
        filter_videos(videos, out, max_workers=0)
    with pytest.raises(UsageError, match="gone"):
        filter_videos(tmp_path / "gone", out)
    assert not out.exists()


def test_a_list_takes_the_place_of_the_folder(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4", "c.mp4")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{videos}/a.mp4\nin/c.mp4\n")
    done = filter_videos(None, tmp_path / "out", input_manifest=str(listed))
    assert sorted(result.path.name for result in done.passed) == ["a.mp4", "c.mp4"]
    with pytest.raises(UsageError):
        filter_videos(videos, tmp_path / "out", input_manifest=listed)


def test_a_folder_in_use_is_refused(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos, state = make_videos(tmp_path / "in", "a.mp4"), tmp_path / "out" / ".sync_filter"
    state.mkdir(parents=True)
    with hold(state / "lock"), pytest.raises(LockedError, match="another run is using"):
        filter_videos(videos, tmp_path / "out")

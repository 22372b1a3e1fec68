"""Runs that nobody watches: silence, and the log."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from folders import files_below, make_videos, results_in, run

from syncnet.errors import UsageError
from syncnet.system import log as log_module
from syncnet.system.locking import hold
from syncnet.system.log import Log

LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (INFO|ERROR) (.*)")
NOW = ("--cron", "--settle", "0")


def lines_in(path: Path) -> list[tuple[str, str]]:
    lines = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    return [(line[1], line[2]) for line in lines if line]


@pytest.mark.usefixtures("fake_scoring")
def test_nothing_is_said_where_nothing_failed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "faceless.mp4", "poor.mp4")
    assert run(videos, tmp_path / "out", *NOW) == 0
    assert capfd.readouterr() == ("", "")
    assert results_in(tmp_path / "out")["good_quality"] == 1


@pytest.mark.usefixtures("fake_scoring")
def test_only_what_failed_in_this_run_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "damaged\n.mp4")
    (videos / "gone.mp4").symlink_to("nowhere")
    assert run(videos, tmp_path / "out", *NOW) == 1
    shown = capfd.readouterr()
    assert shown.out == ""
    first, second = shown.err.splitlines()
    assert first.startswith("filter_videos_by_sync_score.py: damaged\\n.mp4: ValueError: broken")
    assert second.endswith("gone.mp4: could not be read: a link to nothing")
    (videos / "gone.mp4").unlink()
    # The next night: the damaged one is known.
    assert run(videos, tmp_path / "out", *NOW) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("fake_scoring")
def test_uploads_settle_for_a_minute_by_default(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out", "--cron") == 0
    assert len(results_in(tmp_path / "out")["pending"]) == 1


@pytest.mark.usefixtures("fake_scoring")
def test_the_log_tells_each_video_with_a_time(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "damaged.mp4", os.fsdecode(b"fine \xff\n.mp4"))
    log = tmp_path / "run.log"
    assert run(videos, tmp_path / "out", *NOW, "--log_file", str(log), "--max_workers", "1") == 1
    levels_and_words = [(level, text.split(":")[0]) for level, text in lines_in(log)]
    assert levels_and_words == [
        ("INFO", f"2 of 2 videos in {videos} to be scored"),
        ("ERROR", "damaged.mp4"),
        ("INFO", "fine \\udcff\\n.mp4"),
        ("INFO", levels_and_words[3][1]),
    ]
    assert levels_and_words[3][1].startswith("finished with exit code 1 after ")
    assert len(log.read_text().splitlines()) == 4
    run(videos, tmp_path / "out", *NOW, "--log_file", str(log))
    assert len(lines_in(log)) == 6


@pytest.mark.usefixtures("fake_scoring")
def test_a_second_run_is_only_in_the_log_where_there_is_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    videos, log = make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "run.log"
    run(videos, tmp_path / "out", *NOW)
    with hold(tmp_path / "out" / ".sync_filter" / "lock"):
        assert run(videos, tmp_path / "out", *NOW, "--log_file", str(log)) == 75
        assert capfd.readouterr() == ("", "")
        assert run(videos, tmp_path / "out", *NOW) == 75
    assert "another run is using" in capfd.readouterr().err
    assert [level for level, text in lines_in(log) if "another run is using" in text] == ["INFO"]


@pytest.mark.usefixtures("fake_scoring")
def test_wrong_usage_is_in_the_log_too(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    assert run(tmp_path / "none", tmp_path / "out", "--cron", "--log_file", str(log)) == 2
    ((level, text),) = lines_in(log)
    assert level == "ERROR"
    assert "no such folder" in text


@pytest.mark.usefixtures("fake_scoring")
def test_a_log_that_cannot_be_written_is_exit_code_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out", "--log_file", str(tmp_path)) == 2
    assert f"--log_file {tmp_path}: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_old_logs_are_rotated_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MOST_BYTES", 200)
    log = Log(tmp_path / "run.log")
    for number in range(50):
        log.info(f"line {number}")
    log.close()
    assert files_below(tmp_path) == ["run.log", *(f"run.log.{number}" for number in range(1, 6))]
    assert "line 49" in (tmp_path / "run.log").read_text()
    assert all(path.stat().st_size <= 200 for path in tmp_path.iterdir())


def test_a_full_disk_does_not_end_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(Path("/dev/full"))
    log.info("no room for this")
    log.close()
    assert capsys.readouterr() == ("", "")


def test_no_log_is_asked_for_and_none_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    log = Log(None)
    log.error("nowhere")
    log.close()
    assert capsys.readouterr() == ("", "")


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file or directory: give a file that can be written to"):
        Log(tmp_path / "none" / "run.log")

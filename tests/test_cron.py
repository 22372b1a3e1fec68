"""Runs that nobody watches: silence, and the log."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from folders import files_below, make_videos, results_in, run

from syncnet.errors import UsageError
from syncnet.state.records import utc_now
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
    job = f" (output folder {tmp_path / 'out'})"
    path = f"filter_videos_by_sync_score.py: {videos}"
    assert first.startswith(f"{path}/damaged\\n.mp4: ValueError: broken")
    assert first.endswith(job)
    cure = "see that it can be read, or take it away"
    assert second == f"{path}/gone.mp4: could not be read: a link to nothing -> {cure}{job}"
    (videos / "gone.mp4").unlink()
    # The next night: the damaged one is known.
    assert run(videos, tmp_path / "out", *NOW) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("fake_scoring")
def test_a_line_of_a_mail_says_where_it_is_what_to_do_and_which_job_it_was(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    make_videos(tmp_path / "in", "fine.mp4")
    make_videos(tmp_path / "out", "good_quality/fine.mp4")
    monkeypatch.chdir(tmp_path)
    assert run(Path("in"), Path("out"), *NOW) == 1
    assert capfd.readouterr().err == (
        f"filter_videos_by_sync_score.py: {tmp_path}/in/fine.mp4: out/good_quality/fine.mp4 already exists and is not "
        "a copy of this video -> move that file away or rename the video, then run again "
        f"(output folder {tmp_path}/out)\n"
    )
    assert run(Path("nowhere"), Path("out"), *NOW) == 2
    assert capfd.readouterr().err == (
        "filter_videos_by_sync_score.py: error: --input_dir nowhere: no such folder: give the folder that holds videos "
        f"(output folder {tmp_path}/out)\n"
    )


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
    assert lines_in(log)[4] == ("INFO", f"0 of 2 videos in {videos} to be scored (2 known)")


@pytest.mark.usefixtures("fake_scoring")
def test_the_log_says_why_nothing_is_scored(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine_1.mp4", "fine_2.mp4", "fine_3.mp4")
    log = tmp_path / "run.log"
    for flags in (("--cron",), (*NOW, "--limit", "1"), ("--cron",)):
        assert run(videos, tmp_path / "out", *flags, "--log_file", str(log)) == 0
    assert [text.partition(f" videos in {videos} to be scored ") for _, text in lines_in(log) if "to be" in text] == [
        ("0 of 3", f" videos in {videos} to be scored ", "(3 still settling, 60 s)"),
        ("1 of 3", f" videos in {videos} to be scored ", "(2 beyond --limit)"),
        ("0 of 3", f" videos in {videos} to be scored ", "(1 known; 2 still settling, 60 s)"),
    ]


@pytest.mark.usefixtures("fake_scoring")
def test_what_passes_newly_is_listed_once(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "#fine.mp4", "damaged.mp4", "poor.mp4", "sub/fine.mp4")
    out, new = tmp_path / "out", tmp_path / "out" / "new_passing.txt"

    def newly(*flags: str) -> list[str]:
        assert run(videos, out, *NOW, *flags) in (0, 1)
        return [str(Path(line).relative_to(tmp_path)) for line in new.read_text().splitlines()]

    assert newly() == ["in/#fine.mp4"]
    assert newly("--recursive") == ["in/sub/fine.mp4"]
    # What one run does not look at, and what is gone for good, is nothing new; nor is a new name.
    assert newly() == []
    (videos / "#fine.mp4").rename(videos / "talk.mp4")
    assert newly("--recursive") == []
    assert newly("--recursive", "--preset", "strict") == []
    assert newly("--recursive") == ["in/sub/fine.mp4", "in/talk.mp4"]
    # Where the video itself was moved, that is where it is.
    make_videos(videos, "other_fine.mp4")
    assert newly("--recursive", "--place", "move") == ["out/good_quality/other_fine.mp4"]
    # As after a kill before the end.
    make_videos(videos, "fine_4.mp4")
    before = (out / ".sync_filter" / "passed.jsonl").read_bytes()
    assert newly() == ["in/fine_4.mp4"]
    (out / ".sync_filter" / "passed.jsonl").write_bytes(before)
    assert newly() == ["in/fine_4.mp4"]
    assert newly() == []


@pytest.mark.usefixtures("fake_scoring")
def test_a_list_of_the_users_own_is_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out"
    out.mkdir()
    (out / "new_passing.txt").write_text("mine\n")
    assert run(videos, out) == 2
    assert "new_passing.txt" in capsys.readouterr().err
    assert (out / "new_passing.txt").read_text() == "mine\n"


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed")
@pytest.mark.usefixtures("fake_scoring")
def test_the_line_of_the_document_finds_what_is_new_since_yesterday(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4"), tmp_path / "out"
    (line,) = (line for line in (repository / "docs" / "cron.md").read_text().splitlines() if line.startswith("jq "))
    line = line.replace("/srv/sorted", str(out))
    with monkeypatch.context() as patch:
        patch.setattr("syncnet.engines.video.utc_now", lambda: "2020-02-29T23:59:59Z")
        assert run(videos, out, *NOW) == 0
    assert subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout == ""
    make_videos(videos, "other_fine.mp4")
    before = utc_now()
    assert run(videos, out, *NOW, "--score_cache", str(tmp_path / "cache")) == 0
    told = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    (moment, passes, path) = told.rstrip("\n").split("\t")
    assert (passes, path) == ("true", str(videos / "other_fine.mp4"))
    assert before <= moment <= utc_now()
    with open(out / "results.csv", encoding="utf-8", newline="") as reader:
        rows = {row["relative_path"]: row["scored_at"] for row in csv.DictReader(reader)}
    assert rows == {"fine.mp4": "2020-02-29T23:59:59Z", "poor.mp4": "2020-02-29T23:59:59Z", "other_fine.mp4": moment}


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

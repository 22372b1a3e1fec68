"""The page again from what a run stored, and the command line that it shows."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from folders import make_videos, results_in, run
from test_page import blocks_of

from syncnet import RunOptions, command, filter_videos
from syncnet.report.command_line import CommandLine, note_command, quoted, read_command, without_thresholds
from syncnet.report.content import ReportContent
from syncnet.report.page import write_page
from syncnet.results import VideoResult


def report(output_dir: Path) -> int:
    return command.main(["report", "--output_dir", str(output_dir)])


@pytest.mark.usefixtures("fake_scoring")
def test_the_page_of_the_run_comes_again_without_any_video(tmp_path: Path) -> None:
    names = ["damaged.mp4", "faceless.mp4", "sub/fine.mp4", "poor.mp4"]
    videos = make_videos(tmp_path / "in", *names)
    out = tmp_path / "out"
    assert run(videos, out, "--recursive", "--min_confidence", "1", "--min_offset", "-15", "--max_offset", "2") == 1
    page = out / "report.html"
    first = blocks_of(page.read_text())
    assert first["run"]["thresholds"] == {
        "min_confidence": 1.0,
        "lowest": -15,
        "highest": 2,
        "max_distance": None,
    }
    assert [video["status"] for video in first["videos"]] == ["failed", "no_faces", "success", "success"]
    page.unlink()
    before = results_in(out)
    assert report(out) == 0
    assert blocks_of(page.read_text()) == first
    assert results_in(out) == before


@pytest.mark.usefixtures("fake_scoring")
def test_a_video_whose_copy_failed_is_told_as_failed(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    (tmp_path / "out" / "good_quality").mkdir(parents=True)
    (tmp_path / "out" / "good_quality" / "fine.mp4").write_bytes(b"somebody else's")
    assert run(videos, tmp_path / "out") == 1
    assert report(tmp_path / "out") == 0
    (video,) = blocks_of((tmp_path / "out" / "report.html").read_text())["videos"]
    assert video["status"] == "failed"
    assert "already exists" in video["error"]


@pytest.mark.usefixtures("fake_scoring")
def test_deleted_videos_stay_and_have_no_address(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    out = tmp_path / "out"
    run(videos, out, "--keep_all")
    (videos / "fine.mp4").unlink()
    assert report(out) == 0
    (video,) = blocks_of((out / "report.html").read_text())["videos"]
    assert (video["status"], video["href"]) == ("success", None)


def test_where_there_are_no_results_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert report(tmp_path / "none") == 2
    assert "sync_filter_results.json: no such file: give the --output_dir of an earlier run" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    (tmp_path / "begun" / ".sync_filter").mkdir(parents=True)
    assert report(tmp_path / "begun") == 2
    assert "begun: no video is finished yet: wait for the first one of the run" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("damage", ["{}", "[]", "no json", '{"filter_settings": {}, "results": 1}'])
def test_results_that_cannot_be_read_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out")
    (tmp_path / "out" / "sync_filter_results.json").write_text(damage)
    capsys.readouterr()
    assert report(tmp_path / "out") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "sync_filter_results.json" in line and "run" in line


@pytest.mark.usefixtures("fake_scoring")
def test_results_of_an_earlier_version_ask_for_one_more_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    run(make_videos(tmp_path / "in", "fine.mp4"), out)
    (out / ".sync_filter" / "command.json").unlink()
    assert report(out) == 2
    assert "run the filter on it again" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_scoring")
def test_the_page_of_a_run_at_work_is_made_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    videos = make_videos(tmp_path / "in", "fine_1.mp4", "fine_2.mp4")
    looks: list[tuple[int, list[str], dict[str, Any]]] = []

    def look(result: VideoResult) -> None:
        # The run holds the lock, and its ledger is open.
        code = report(out)
        blocks = blocks_of((out / "report.html").read_text())
        looks.append((code, [video["name"] for video in blocks["videos"]], blocks["run"]))

    filter_videos(videos, out, max_workers=1, on_result=look, options=RunOptions(score_cache="off"))
    (code, names, told), (_, all_names, _) = looks
    assert (code, names, told["total"], told["complete"]) == (0, ["fine_1.mp4"], 2, False)
    assert all_names == ["fine_1.mp4"], "the results of a run are renewed after ten videos"
    assert blocks_of((out / "report.html").read_text())["run"]["complete"] is True
    assert results_in(out)["this_run"]["scored"] == 2


@pytest.mark.usefixtures("fake_scoring")
def test_a_page_that_the_results_overtook_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    videos = make_videos(tmp_path / "in", "fine.mp4")
    run(videos, out)

    def meanwhile(content: ReportContent, path: Path) -> None:
        if not (videos / "second_fine.mp4").exists():
            # The run that goes on beside it ends just now, and its page is the newer one.
            run(make_videos(videos, "second_fine.mp4"), out)
        write_page(content, path)

    monkeypatch.setattr("syncnet.subcommands.report.write_page", meanwhile)
    assert report(out) == 0
    assert len(blocks_of((out / "report.html").read_text())["videos"]) == 2


# The command line

FOLDERS = ("--input_dir", "in", "--output_dir", "out")


def line_of(*arguments: str) -> str:
    return without_thresholds(CommandLine(arguments, "/home", "in"))


@pytest.mark.parametrize(
    "thresholds",
    [
        ("--preset", "high"),
        ("--pre=high", "--min_conf", "3"),
        ("--min-confidence=3", "--max-abs-offset", "2"),
        ("--min_offset", "-3", "--max_offset=5"),
        ("--rescan",),
        ("--res",),
        ("--decisions", "of yesterday.jsonl"),
        ("--decis=of_yesterday.jsonl",),
    ],
)
def test_thresholds_and_rescan_are_left_out_however_they_are_spelled(thresholds: tuple[str, ...]) -> None:
    expected = "cd /home && python filter_videos_by_sync_score.py --input_dir in --recursive --output_dir out"
    assert line_of("--input_dir", "in", *thresholds, "--recursive", "--output_dir", "out") == expected


def test_everything_else_stays_in_its_order() -> None:
    kept = (
        *FOLDERS,
        "--min_face_size",
        "40",
        "--min_track",
        "60",
        "--max_workers=3",
        "--retry_failed",
        "--place",
        "move",
    )
    assert shlex.split(line_of(*kept))[5:] == list(kept)


@pytest.mark.parametrize(
    "word", ["a b", "it's", "$HOME", "a\nb", "\x1b[31m'\\", os.fsdecode(b"caf\xc3\xa9 \xff"), "", "ü"]
)
def test_a_shell_reads_back_what_was_given(word: str) -> None:
    told = subprocess.run(["bash", "-c", f"printf %s {quoted(word)}"], capture_output=True, check=True)
    assert told.stdout == os.fsencode(word)
    assert quoted(word).isprintable()


def test_a_noted_command_comes_back_whatever_its_bytes(tmp_path: Path) -> None:
    noted = CommandLine(("--input_dir", os.fsdecode(b"\xff")), "/home", os.fsdecode(b"\xff"))
    note_command(tmp_path / "command.json", noted)
    assert read_command(tmp_path / "command.json") == noted


@pytest.mark.parametrize("text", ["", "[]", "{}", json.dumps({"arguments": 3, "directory": "", "input_dir": ""})])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "command.json").write_text(text)
    assert read_command(tmp_path / "command.json") is None

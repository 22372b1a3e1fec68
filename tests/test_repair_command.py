"""``repair`` as it is called: what it writes, what it says, and what a second run does."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeStages
from repair_clips import write_kind
from repair_fakes import score_by_clicks

from syncnet import command
from syncnet.media.opening import open_media
from syncnet.repair.records import RECORDS_NAME
from syncnet.system.interruption import Interrupted
from synthetic.media import find_clicks

TESTS = Path(__file__).parent
Repair = Callable[..., int]


@pytest.fixture
def by_clicks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: FakeStages())
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_clicks)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """A late one, an early one, one in sync, and one that is no video."""
    folder = tmp_path / "videos"
    (folder / "sub").mkdir(parents=True)
    write_kind(folder, "MP4/AAC", sound_shift=0.24).rename(folder / "late.mp4")
    write_kind(folder, "AVI/PCM", sound_shift=-0.12).rename(folder / "early.avi")
    write_kind(folder, "Matroska/Opus", sound_shift=0.02).rename(folder / "fine.mkv")
    write_kind(folder, "WebM/Opus", sound_shift=0.2).rename(folder / "sub" / "late.webm")
    (folder / "broken.mp4").write_bytes(b"no video")
    return folder


def run(videos: Path, out: Path, *more: str) -> int:
    return command.main(["repair", str(videos), "--output_dir", str(out), *more])


def records(out: Path) -> dict[str, dict[str, Any]]:
    lines = map(json.loads, (out / RECORDS_NAME).read_text().splitlines())
    return {record["relative_path"]: record for record in lines}


def written(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out / "repaired")) for path in (out / "repaired").rglob("*") if path.is_file())


@pytest.mark.usefixtures("by_clicks")
def test_each_file_is_repaired_or_told_why_not(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    before = {path: path.read_bytes() for path in videos.rglob("*.*")}
    assert run(videos, out, "--recursive") == 1, "one of them cannot be scored"
    assert written(out) == ["early.avi", "late.mp4", "sub/late.webm"]
    for name in written(out):
        assert find_clicks(open_media(out / "repaired" / name).samples)[0] == pytest.approx(0.9, abs=0.002)
    assert {path: path.read_bytes() for path in videos.rglob("*.*")} == before
    told = records(out)
    assert {name: record["status"] for name, record in told.items()} == {
        "late.mp4": "repaired", "early.avi": "repaired", "sub/late.webm": "repaired", "fine.mkv": "in_sync",
        "broken.mp4": "refused",
    }  # fmt: skip
    late, early = told["late.mp4"], told["early.avi"]
    assert (late["offset_before_ms"], late["correction_ms"], late["sound"]) == (-240.0, -240.0, "shift")
    assert abs(late["residual_ms"]) < 1
    assert late["repaired_path"] == str(out / "repaired" / "late.mp4")
    assert (early["correction_ms"], early["sound"], early["passes"]) == (120.0, "encode", True)
    assert capsys.readouterr().out.splitlines() == [
        "  refused   broken.mp4",
        "    this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, mxf, dv, ogv)",
        "      remove it, or convert it to mp4",
        "  repaired  early.avi",
        "    sound 120 ms early -> 0 ms",
        "    delay the sound by 120 ms (encode)",
        "  in sync   fine.mkv",
        "    its sound is within 60 ms of the picture",
        "  repaired  late.mp4",
        "    sound 240 ms late -> 0 ms",
        "    advance the sound by 240 ms (shift)",
        "  repaired  sub/late.webm",
        "    sound 200 ms late -> 1 ms late",
        "    advance the sound by 200 ms (shift)",
        "",
        "3 repaired, 1 in sync, 1 refused",
        f"Repaired files: {out / 'repaired'}",
    ]


@pytest.mark.usefixtures("by_clicks")
def test_a_second_run_repeats_nothing(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    (videos / "broken.mp4").unlink()
    assert run(videos, out) == 0
    times = {name: (out / "repaired" / name).stat().st_mtime_ns for name in written(out)}
    scored: list[Path] = []
    monkeypatch.setattr("syncnet.pipeline.score_video", lambda path, *_: scored.append(path))
    assert run(videos, out) == 0
    assert scored == []
    assert {name: (out / "repaired" / name).stat().st_mtime_ns for name in written(out)} == times
    assert capsys.readouterr().out.count("(as before)") == 3
    # What was removed by hand is made again, and a file that changed is another one.
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_clicks)
    (out / "repaired" / "late.mp4").unlink()
    assert run(videos, out) == 0
    assert "late.mp4" in written(out)


@pytest.mark.usefixtures("by_clicks")
def test_a_dry_run_writes_nothing(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(videos / "late.mp4", out, "--dry_run") == 0
    assert not out.exists()
    assert capsys.readouterr().out.splitlines() == [
        "  curable   late.mp4",
        "    sound 240 ms late",
        "    advance the sound by 240 ms",
        "",
        "1 curable, 0 in sync, 0 refused",
    ]


@pytest.mark.usefixtures("by_clicks")
def test_what_is_there_already_is_never_written_over(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "repaired").mkdir(parents=True)
    (out / "repaired" / "late.mp4").write_bytes(b"of somebody else")
    assert run(videos / "late.mp4", out) == 0
    assert (out / "repaired" / "late.mp4").read_bytes() == b"of somebody else"
    assert "is there already" in records(out)["late.mp4"]["reason"]


@pytest.mark.usefixtures("by_clicks")
def test_a_file_that_is_no_better_is_removed_again(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    first = score_by_clicks(videos / "late.mp4", None, command.StopFlag())
    monkeypatch.setattr("syncnet.pipeline.score_video", lambda *_: first)
    assert run(videos / "late.mp4", out) == 0
    assert written(out) == []
    record = records(out)["late.mp4"]
    assert (record["status"], record["repaired_path"]) == ("refused", None)
    assert record["reason"] == "the repaired file is no better: -240 ms after -240 ms"


@pytest.mark.usefixtures("by_clicks")
def test_an_interruption_leaves_nothing_half(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    seen: list[list[str]] = []

    def stopped(path: Path, *rest: Any) -> Any:
        if out in path.parents:
            seen.append([one.name for one in path.parent.iterdir()])
            raise Interrupted
        return score_by_clicks(path, *rest)

    monkeypatch.setattr("syncnet.pipeline.score_video", stopped)
    assert run(videos / "late.mp4", out) == 130
    assert [name.startswith(".sync_filter_") for name in seen[0]] == [True], "under a name of its own until it is whole"
    assert written(out) == []
    assert not (out / RECORDS_NAME).exists()
    assert "Interrupted after 0 of 1 files" in capsys.readouterr().out


def test_a_run_that_is_killed_is_taken_up_where_it_was(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = """
import os, signal, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
import syncnet.pipeline, syncnet.stages
from fakes import FakeStages
from repair_fakes import score_by_clicks
from syncnet.command import main
def score(path, *rest):
    if sys.argv[3] == "kill" and "repaired" in str(path):
        os.kill(os.getpid(), signal.SIGKILL)
    return score_by_clicks(path, *rest)
syncnet.stages.choose_stages = lambda *_: FakeStages()
syncnet.pipeline.score_video = score
sys.exit(main(["repair", sys.argv[4], "--output_dir", sys.argv[5]]))
"""
    words = [sys.executable, "-c", script, str(TESTS.parent), str(TESTS)]
    killed = subprocess.run([*words, "kill", str(videos / "late.mp4"), str(out)], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    left = [path.name for path in (out / "repaired").iterdir()]
    assert len(left) == 1
    assert left[0].startswith(".sync_filter_")
    again = subprocess.run([*words, "on", str(videos / "late.mp4"), str(out)], check=False, capture_output=True)
    assert again.returncode == 0, again.stderr
    assert [path.name for path in (out / "repaired").iterdir()] == ["late.mp4"]


@pytest.mark.usefixtures("by_clicks")
def test_a_list_of_repairs_that_is_none_is_left_alone(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / RECORDS_NAME).write_text("my own notes\n")
    assert run(videos / "late.mp4", out) == 2
    assert (out / RECORDS_NAME).read_text() == "my own notes\n"


@pytest.mark.usefixtures("by_clicks")
def test_half_a_line_of_a_killed_run_is_passed_over(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(videos / "late.mp4", out) == 0
    with (out / RECORDS_NAME).open("a") as file:
        file.write('{"source": "a')
    assert run(videos / "early.avi", out) == 0
    assert run(videos / "early.avi", out) == 0
    lines = (out / RECORDS_NAME).read_text().splitlines()
    assert len(lines) == 3
    assert json.loads(lines[2])["relative_path"] == "early.avi"


def test_an_input_that_is_not_there_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path / "nothing", tmp_path / "out") == 2
    assert "no such file or folder" in capsys.readouterr().err


@pytest.mark.usefixtures("by_clicks")
def test_what_cannot_be_read_is_a_failure_and_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, closed = tmp_path / "in", tmp_path / "in" / "closed"
    closed.mkdir(parents=True)
    write_kind(tmp_path, "MP4/AAC").rename(folder / "fine.mp4")
    (folder / "link.mp4").symlink_to(tmp_path / "nothing")
    scandir = os.scandir

    def scan(path: str) -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    assert run(folder, tmp_path / "out", "--recursive") == 1
    out = capsys.readouterr().out
    assert "  in sync   fine.mp4\n" in out
    assert "  failed    link.mp4\n    a link to nothing\n" in out
    assert "  failed    closed\n    permission denied\n" in out
    assert "\n0 repaired, 1 in sync, 0 refused\n" in out
    os.mkfifo(folder / "pipe.mp4")
    assert run(folder / "pipe.mp4", tmp_path / "out") == 2
    assert "pipe.mp4: not a regular file: give videos" in capsys.readouterr().err


@pytest.mark.usefixtures("by_clicks")
def test_the_scores_of_an_earlier_run_are_used(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (videos / "broken.mp4").unlink()
    sorted_dir = tmp_path / "sorted"
    monkeypatch.setattr(command, "load_scorer", lambda *_: lambda path, stop: score_by_clicks(path, None, stop))
    assert command.main(["--input_dir", str(videos), "--output_dir", str(sorted_dir), "--quiet"]) == 0
    scored: list[Path] = []

    def counted(path: Path, *rest: Any) -> Any:
        scored.append(path)
        return score_by_clicks(path, *rest)

    monkeypatch.setattr("syncnet.pipeline.score_video", counted)
    monkeypatch.setattr("syncnet.subcommands.repair_inputs._settings_of", lambda settings, *_: settings)
    capsys.readouterr()
    assert command.main(["repair", str(sorted_dir), "--output_dir", str(sorted_dir)]) == 0
    assert written(sorted_dir) == ["early.avi", "late.mp4"]
    assert all("repaired" in path.parts for path in scored), "only what was written is scored"
    assert "2 repaired, 1 in sync, 0 refused" in capsys.readouterr().out

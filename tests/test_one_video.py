"""One video in the place of a folder: three lines, or its entry as JSON; and nothing is left behind."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import IN_SYNC, INFO, faceless, failed, judged, make_run, make_score, successful
from folders import entries_in, files_below, make_videos, results_in, run

import syncnet
from syncnet import command
from syncnet.cli.request import parse_request
from syncnet.errors import UsageError
from syncnet.overtime.timeline import OffsetAlong
from syncnet.report.answer import format_answer
from syncnet.report.run import Run
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence
from syncnet.verdict import Decision, Verdict

STRONG = Evidence("strong", "", 12, 11, speech_seconds=4.0)
NOTHING = Evidence("none", "2 of 10 one-second windows agree with the offset", 10, 2, speech_seconds=4.0)


def make_run_of(result: VideoResult) -> Run:
    """Over one video; the thresholds are 4.0 and 5 frames."""
    run = make_run([result])
    run.found.videos[:] = [replace(run.found.videos[0], relative_path=result.relative_path)]
    return run


def answer(result: VideoResult) -> list[str]:
    return format_answer(make_run_of(result)).splitlines()


# What the three lines say


def test_a_video_that_passes_is_told_with_its_numbers_and_its_range() -> None:
    result = replace(successful("a.mp4", make_score(7.14, 2, evidence=STRONG)), over_time=judged(IN_SYNC))
    assert answer(result) == [
        "a.mp4: passes",
        "confidence 7.1 (at least 4.0); sound 80 ms early (at most 200 ms); 11 of 12 one-second windows agree",
        "in sync for 3.0 of 4.0 s: 1.0 - 4.0 s",
    ]


def test_times_of_long_files_are_on_the_clock_faces_at_once_are_one_range_and_few_ranges_are_told() -> None:
    shown = [(3.0, 65.4), (50.0, 70.2), (80.0, 82.0), (90.0, 92.0), (95.0, 97.0), (110.0, 112.0), (120.0, 122.0)]
    segments = [replace(IN_SYNC, start_seconds=a, end_seconds=b) for a, b in shown]
    info = replace(INFO, duration_seconds=3700.0)
    result = replace(successful("a.mp4", make_score(7.0)), over_time=judged(*segments), info=info)
    # 67.2 s of the first two, and five of two seconds each.
    assert answer(result)[2] == (
        "in sync for 77 of 3700 s: 0:03 - 1:10, 1:20 - 1:22, 1:30 - 1:32, 1:35 - 1:37, 1:50 - 1:52 and 1 more"
    )


def test_without_evidence_there_is_no_offset_and_no_word_of_sync_but_that() -> None:
    lines = answer(successful("a.mp4", make_score(1.2, 0, evidence=NOTHING)))
    assert lines == [
        "a.mp4: does not pass",
        "confidence 1.2 is below 5.0; no evidence of sync (2 of 10 one-second windows agree with the offset)",
        '-> see docs/troubleshooting.md, "No evidence of sync"',
    ]


def test_an_offset_that_can_be_mended_is_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.report.curable.CALL", ("python", "filter.py"))
    late = replace(IN_SYNC, offset_frames=-7, timing=replace(IN_SYNC.timing, milliseconds=-278.0))
    along = OffsetAlong("constant", -278.0)
    score = make_score(8.0, -7, evidence=STRONG, timing=late.timing)
    result = replace(successful("it's.mp4", score), over_time=judged(late, along=along))
    lines = answer(result)
    assert lines[1].startswith(
        "confidence 8.0 (at least 4.0); offset -7 frames (280 ms, sound late) is beyond 3; 11 of"
    )
    assert (
        lines[2]
        == """-> advance the sound by 278 ms: python filter.py repair 'in/it'"'"'s.mp4' --output_dir REPAIRED"""
    )


def test_videos_without_a_score_are_told_with_what_to_try() -> None:
    assert answer(faceless("a.mp4")) == ["a.mp4: no face track", "no face seen", "-> try --min_face_size 30"]
    assert answer(failed("b\n.mp4", "no\nsound")) == ["b\\n.mp4: failed", "no\\nsound", "-> add sound"]


def test_a_persons_word_is_named() -> None:
    verdict = Verdict(True, (), Decision(True), ("confidence 1.0 is below 5.0",))
    result = replace(successful("a.mp4", make_score(1.0, 1, evidence=STRONG)), verdict=verdict)
    first, second, _ = answer(result)
    assert first == "a.mp4: passes, accepted by a person"
    assert "confidence 1.0 is below 5.0" in second


# The command


@pytest.fixture
def own_temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.mark.usefixtures("fake_scoring")
def test_nothing_is_left_behind_and_the_score_is_found_again(
    tmp_path: Path, own_temporary: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = make_videos(tmp_path / "in", "fine.dat", "poor.mp4")
    monkeypatch.chdir(videos)
    for arguments in (["fine.dat"], ["--input_dir", str(videos / "fine.dat")]):
        assert command.main([*arguments, "--score_cache", str(tmp_path / "cache")]) == 0
        shown = capsys.readouterr()
        assert shown.out.splitlines()[0] == "fine.dat: passes", "whatever its ending"
        assert len(shown.out.splitlines()) == 3
        assert "passes" not in shown.err, "it is said once"
        # Once more it would fail.
        monkeypatch.setattr("syncnet.pipeline.score_video", None)
    assert files_below(videos) == ["fine.dat", "poor.mp4"]
    assert list(own_temporary.iterdir()) == []


@pytest.mark.usefixtures("fake_scoring")
def test_the_exit_code_is_that_of_a_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "poor.mp4", "damaged.mp4", "faceless.mp4")
    assert [command.main([str(videos / name)]) for name in ("poor.mp4", "faceless.mp4", "damaged.mp4")] == [0, 0, 1]
    told = capsys.readouterr().out.splitlines()
    assert told[::3] == ["poor.mp4: does not pass", "faceless.mp4: no face track", "damaged.mp4: failed"]
    assert "broken\\x1b[31m in the middle" in told[7]


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("name", ["fine.mp4", "damaged é.mp4", os.fsdecode(b"poor \xff\n.mp4")])
def test_json_of_a_video_is_its_entry_and_nothing_else_is_on_stdout(
    tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes], name: str
) -> None:
    videos = make_videos(tmp_path / "in", name, "other.mp4")
    code = run(videos, tmp_path / "out")
    (wanted,) = (entry for path, entry in entries_in(tmp_path / "out").items() if path == name)
    capfdbinary.readouterr()
    assert command.main(["--json", str(videos / name)]) == code
    shown = capfdbinary.readouterr().out
    shown.decode("ascii")
    told = json.loads(shown)
    assert told["model"] == {"name": "fake", "identity": results_in(tmp_path / "out")["model"]["identity"],
                             "verified": True}  # fmt: skip
    assert told["filter_settings"]["min_confidence"] == 5.0
    never_same = {"placed_path": None, "processing_time": 0, "peak_memory_mb": 0}
    assert {**told, **wanted, **never_same} == {**told, **never_same}


@pytest.mark.usefixtures("fake_scoring")
def test_json_of_a_folder_is_its_results_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4")
    assert run(videos, tmp_path / "out", "--json") == 0
    assert json.loads(capsys.readouterr().out) == results_in(tmp_path / "out")


@pytest.mark.usefixtures("fake_scoring")
def test_with_an_output_folder_it_is_a_folder_of_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4"), tmp_path / "out"
    assert run(videos / "poor.mp4", out) == 0
    assert files_below(out) == ["poor_quality/poor.mp4", "sync_filter_results.json"]
    assert capsys.readouterr().out.splitlines()[3:] == [
        f"Results: {out / 'sync_filter_results.json'}",
        f"Report:  {out / 'report.html'}",
    ]
    assert run(videos / "fine.mp4", out) == 0
    # What is known of the other one stays; asked for is this one.
    assert capsys.readouterr().out.startswith("fine.mp4: passes\n")
    assert sorted(entries_in(out)) == ["fine.mp4", "poor.mp4"]
    (videos / "poor.mp4").unlink()
    assert run(videos / "fine.mp4", out) == 0
    assert sorted(entries_in(out)) == ["fine.mp4"]
    assert syncnet.filter_videos(videos / "fine.mp4", tmp_path / "other").results[0].passed


@pytest.mark.usefixtures("fake_scoring")
def test_a_video_that_is_still_changing_is_left(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert command.main([str(videos / "fine.mp4"), "--settle", "60"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["fine.mp4: not scored", "it changed a moment ago"]
    assert command.main([str(videos / "fine.mp4"), "--settle", "60", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["status"], told["error"]) == ("not_processed", "it changed a moment ago")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["tlak.mp4"], "tlak.mp4: no such file: give a video"),
        (["in/pipe.mp4"], "in/pipe.mp4: not a regular file: give a video"),
        (["s3://b/a.mp4"], "s3://b/a.mp4 is no file: write it into a list, and give --input_manifest LIST"),
        (["in"], "unrecognized arguments: in: name the folders with"),
        (["a.mp4", "b.mp4"], "unrecognized arguments: a.mp4 b.mp4: name the folders with"),
        (["in/a.mp4", "--input_dir", "in"], "in/a.mp4 takes the place of --input_dir: give one of them"),
        (["in/a.mp4", "--calibrate", "in"], "in/a.mp4 takes the place of --calibrate: give one of them"),
        (["in/a.mp4", "--visualize", "all"], "--visualize all writes files: give --output_dir DIR as well"),
        (["in/a.mp4", "--place", "move"], "--place move writes files: give --output_dir DIR as well"),
        (["in/a.mp4", "--repair"], "--repair writes files: give --output_dir DIR as well"),
        (["--calibrate", "in", "--json"], "--json prints the results, and --calibrate thresholds: give one of them"),
        (["--input_dir", "in"], "the following arguments are required: --output_dir"),
    ],
)
def test_wrong_usage_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_temporary: Path, arguments: list[str], message: str
) -> None:
    make_videos(tmp_path / "in", "a.mp4")
    os.mkfifo(tmp_path / "in" / "pipe.mp4")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as caught:
        parse_request(arguments)
    assert str(caught.value).startswith(message)
    assert list(own_temporary.iterdir()) == []

"""What is said in the terminal and in the log: colours, the live lines, the histogram, quiet, verbose and JSON."""

from __future__ import annotations

import io
import json
import math
import re
import threading
from dataclasses import replace
from pathlib import Path, PurePath

import pytest
from fakes import INFO, ONE_OF_EACH, failed, make_run, make_score, make_track, successful
from folders import make_videos

from syncnet import command
from syncnet.cli.request import parse_request
from syncnet.engines.activity import Activities, Activity
from syncnet.errors import UsageError
from syncnet.inputs.discovery import VideoFile
from syncnet.report.colours import PLAIN, Palette, palette_for
from syncnet.report.histogram import draw_histogram
from syncnet.report.live import describe_activity
from syncnet.report.progress import Progress, describe_details
from syncnet.report.summary import format_summary
from syncnet.scoring.evidence import Evidence
from syncnet.system.interruption import Deadline, StopFlag
from syncnet.system.log import Log
from syncnet.system.text import display_width

COLOURED = Palette(coloured=True)
MARKS = re.compile(r"\x1b\[\d+m")


class Terminal(io.StringIO):
    """A text stream that says what it is."""

    def __init__(self, *, terminal: bool, encoding: str = "utf-8") -> None:
        super().__init__()
        self._terminal = terminal
        self._encoding = encoding

    def isatty(self) -> bool:
        return self._terminal

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")


# Colours


def test_colours_are_for_terminals_that_have_them(monkeypatch: pytest.MonkeyPatch) -> None:
    assert palette_for(Terminal(terminal=True)).coloured
    assert not palette_for(Terminal(terminal=False)).coloured
    monkeypatch.setenv("TERM", "dumb")
    assert not palette_for(Terminal(terminal=True)).coloured


def test_no_color_is_respected_and_empty_means_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    assert palette_for(Terminal(terminal=True)).coloured
    monkeypatch.setenv("NO_COLOR", "0")
    assert not palette_for(Terminal(terminal=True)).coloured


def test_bars_are_of_what_the_stream_can_show() -> None:
    assert palette_for(Terminal(terminal=False)).block == "\u2588"
    assert palette_for(Terminal(terminal=False, encoding="ascii")).block == "#"


def test_colours_change_no_letter_and_no_width_of_the_summary() -> None:
    run = make_run([*ONE_OF_EACH, *(successful(f"{n}.mp4", make_score(n / 2)) for n in range(12))])
    coloured = format_summary(run, 70, COLOURED)
    assert "\x1b[32m  passes" in coloured
    assert MARKS.sub("", coloured) == format_summary(run, 70, PLAIN)


def test_a_kind_of_video_that_did_not_occur_is_no_alarm() -> None:
    text = format_summary(make_run([successful("a.mp4", make_score(7.0))]), 100, COLOURED)
    assert "\n  failed         0\n" in text


# The histogram


def test_each_step_of_confidence_is_a_line_and_the_threshold_is_said() -> None:
    # Of 44 columns, 24 are for labels, numbers and the note, which leaves bars of 20: a third of them is 7, rounded up.
    confidences = [0.2, 4.0, 4.4, 4.99, 6.0, 15.0, math.nan, -math.inf]
    assert draw_histogram(confidences, 4.5, 44, PLAIN) == [
        "Confidence of 6 scored videos",
        "   0-1  #######              1",
        "   1-2                       0",
        "   2-3                       0",
        "   3-4                       0",
        "   4-5  #################### 3  at least 4.5",
        "   5-6                       0",
        "   6-7  #######              1",
        "   7-8                       0",
        "   8-9                       0",
        "   9-10                      0",
        "  10-11                      0",
        "  11-12                      0",
        "  12+   #######              1",
    ]


@pytest.mark.parametrize("width", [34, 40, 80, 200])
def test_the_histogram_fits(width: int) -> None:
    lines = draw_histogram([7.5] * 1234 + [2.0], 5.0, width, PLAIN)
    assert max(map(len, lines)) <= width
    # Whoever counts at all is seen.
    assert "#" in next(line for line in lines if line.startswith("   2-3"))


def test_few_videos_make_no_histogram_and_a_threshold_beyond_all_is_shown() -> None:
    assert draw_histogram([1.0] * 4, 5.0, 80, PLAIN) == []
    lines = draw_histogram([1.0] * 5, 3.0, 80, PLAIN)
    assert [line[:7].strip() for line in lines[1:]] == ["1-2", "2-3", "3-4"]
    assert lines[-1].endswith("0  at least 3")


def test_the_histogram_ends_the_summary() -> None:
    run = make_run([successful(f"{n}.mp4", make_score(float(n))) for n in range(6)])
    text = format_summary(run, 100)
    assert text.index("Left out") < text.index("Confidence of 6 scored videos") < text.index("Results:")
    # The thresholds of the run are 4.0 and 5 frames.
    assert "   4-5  ######################################## 1  at least 4\n" in text


# Live lines


def make_video(name: str) -> VideoFile:
    return VideoFile(Path(name), PurePath(name), 7)


def test_a_workers_line_says_video_stage_and_frames() -> None:
    activity = Activity(make_video("a\n.mp4"), "finding faces", 1200, 4500, 3.0)
    assert describe_activity(activity, 80) == "  a\\n.mp4  finding faces  1,200 of 4,500 frames"
    assert describe_activity(replace(activity, frames_expected=0), 80).endswith("finding faces  1,200 frames")
    # The file said less than there is.
    assert describe_activity(replace(activity, frames_expected=100), 80).endswith("1,200 of 1,200 frames")
    # In a child process nobody sees the frames.
    assert describe_activity(replace(activity, stage=""), 80) == "  a\\n.mp4  3 s"


@pytest.mark.parametrize("columns", [30, 60, 80])
def test_a_workers_line_never_fills_the_terminal(columns: int) -> None:
    activity = Activity(make_video("sub/" + "x" * 90 + ".mp4"), "finding faces", 1200, 4500, 3.0)
    line = describe_activity(activity, columns)
    assert display_width(line) < columns
    assert line.startswith("  sub/x")


def test_a_stage_counts_its_own_frames() -> None:
    deadline = Deadline(StopFlag(), math.inf)
    activities = Activities()
    assert activities.now() == {}
    with activities.at(make_video("a.mp4"), deadline):
        deadline.enter("finding faces", 10)
        for _ in range(4):
            deadline.check()
        deadline.enter("scoring faces", 8)
        deadline.check()
        (activity,) = activities.now().values()
    assert (activity.stage, activity.frames_done, activity.frames_expected) == ("scoring faces", 1, 8)
    assert activities.now() == {}


def test_a_workers_next_video_takes_its_slot() -> None:
    activities = Activities()
    deadline = Deadline(StopFlag(), math.inf)
    begun, done = threading.Event(), threading.Event()

    def work() -> None:
        with activities.at(make_video("first.mp4"), deadline):
            begun.set()
            done.wait(10)

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(10)
    with activities.at(make_video("second.mp4"), deadline):
        assert {slot: a.video.path.name for slot, a in activities.now().items()} == {0: "first.mp4", 1: "second.mp4"}
        done.set()
        thread.join()
        assert set(activities.now()) == {1}
        with activities.at(make_video("third.mp4"), deadline):
            assert activities.now()[0].video.path.name == "third.mp4"


def test_on_a_terminal_each_worker_has_a_line_which_is_wiped_at_the_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("syncnet.report.live.LOOK_SECONDS", 0.01)
    asked = threading.Event()
    looks = iter(range(1000))

    def activities() -> dict[int, Activity]:
        if next(looks) > 2:
            asked.set()
        return {1: Activity(make_video("second.mp4"), "scoring faces", 5, 10, 1.0)}

    with Progress(1, Log(None), activities=activities):
        assert asked.wait(10)
    shown = capsys.readouterr().err
    # Slot 1 is the third line of the terminal.
    assert "\n\n\r  second.mp4  scoring faces  5 of 10 frames\x1b[A\x1b[A" in shown
    assert shown.rindex("second.mp4") < shown.rindex("0/1")
    assert threading.active_count() == 1 or all(t.name != "live lines" for t in threading.enumerate())


# More and less


def test_quiet_says_nothing_of_what_went_well(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(4, Log(None), quiet=True) as progress:
        for result in ONE_OF_EACH:
            progress.show(result)
    assert capsys.readouterr() == ("", "")


def test_verbose_adds_file_and_tracks(capsys: pytest.CaptureFixture[str]) -> None:
    score = make_score(7.125, 2, evidence=Evidence("strong", "", 12, 11))
    result = replace(successful("a.mp4", score), tracks=(make_track(score, 10), make_track(None, 110)))
    with Progress(2, Log(None), verbose=True) as progress:
        progress.show(result)
        progress.show(failed("b.mp4"))
    assert capsys.readouterr().err == (
        "[1/2] a.mp4: passes, confidence 7.1, sound 80 ms early\n"
        "    4.0 s, 1280 x 720, 29.97 fps, h264 and aac; scored in 1.5 s\n"
        "    track 0: frames 10 to 109, face 120 px: confidence 7.1, sound 80 ms early, "
        "evidence strong (11 of 12 windows)\n"
        "    track 1: frames 110 to 209, face 120 px: no sound beside it\n"
        "[2/2] b.mp4: failed: no sound in it\n"
    )
    assert INFO.video_codec in describe_details(replace(result, source="cache"), 5.0)[0]
    assert describe_details(replace(result, source="cache"), 5.0)[0].endswith("found by its content")


def test_flags_that_contradict_each_other_are_wrong_usage() -> None:
    folders = ["--input_dir", "in", "--output_dir", "out"]
    with pytest.raises(UsageError, match="--quiet and --verbose contradict each other: give one of them"):
        parse_request([*folders, "--quiet", "--verbose"])
    with pytest.raises(UsageError, match="--log_format json needs a log: give --log_file FILE as well"):
        parse_request([*folders, "--log-format", "json"])
    request = parse_request([*folders, "--visualize", "poor", "--save_outputs", "--quiet"])
    assert (request.looks.visualize, request.looks.save_outputs, request.quiet) == ("poor", True, True)
    assert not parse_request(folders).looks.any
    assert parse_request([*folders, "--cron"]).quiet


def test_a_log_of_json_has_an_object_a_line(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", "json")
    with Progress(2, log, quiet=True) as progress:
        progress.show(successful("ä\udcff\n.mp4", make_score(math.nan, 3)))
        progress.show(replace(failed("b.mp4"), failed_now=True))
    log.close()
    first, second = (json.loads(line) for line in (tmp_path / "log").read_text(encoding="ascii").splitlines())
    # The name as it is, for programs; the message is for people.
    assert first["video"] == "ä\udcff\n.mp4"
    assert first["message"] == "ä\\udcff\\n.mp4: does not pass, confidence nan, sound 120 ms early"
    assert (first["level"], first["status"], first["passes_quality"]) == ("info", "success", False)
    assert (first["confidence"], first["offset"], first["error"]) == (None, 3, None)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d\d:\d\d", first["time"])
    assert (second["level"], second["status"], second["error"]) == ("error", "failed", "no sound in it")


@pytest.mark.usefixtures("fake_scoring")
def test_a_quiet_run_tells_only_what_failed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Files of the same content would share a score, where the one is scored before the other is begun.
    make_videos(tmp_path / "in", "fine.mp4", "damaged.mp4")
    assert command.main(["--input_dir", "in", "--output_dir", "out", "--quiet"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    (line,) = err.splitlines()
    assert "damaged.mp4" in line
    assert (tmp_path / "out" / "sync_filter_results.json").is_file()

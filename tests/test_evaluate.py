"""What each protocol takes of a video, pairs of folders, what may be pasted, and the command on real clips."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import faceless, failed, make_score, make_track, successful
from folders import make_videos

from syncnet import command
from syncnet.errors import UsageError
from syncnet.evaluation.findings import Names, find_difference, find_in_folder
from syncnet.evaluation.header import names_for
from syncnet.evaluation.measures import FileMeasures, Measure, measure_files, measure_of
from syncnet.evaluation.pairs import pair_files
from syncnet.evaluation.protocols import PROTOCOLS, settings_for
from syncnet.evaluation.texts import format_latex, format_markdown
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.reference.ffmpeg import ffmpeg_version
from syncnet.results import VideoResult
from syncnet.settings import ScorerSettings, TrackSettings
from synthetic.weights import write_seeded_syncnet_v2

# What counts of a video

TWO_FACES = replace(
    successful("a.mp4", make_score(7.0, 1, 8.0)),
    tracks=(make_track(make_score(7.0, 1, 8.0)), make_track(make_score(6.0, -4, 6.5)), make_track(None)),
)


@pytest.mark.parametrize(
    ("protocol", "counted"),
    [
        ("wav2lip", [(7.0, 8.0, 1), (6.0, 6.5, -4)]),
        # The mean of the offsets is -1.5, cut to a whole number.
        ("latentsync", [(6.5, 7.25, -1)]),
        # 6.0 - 6.5 is more than 7.0 - 8.0.
        ("mova", [(6.0, 6.5, -4)]),
        ("best", [(7.0, 8.0, 1)]),
    ],
)
def test_each_protocol_takes_its_own_of_two_faces(protocol: str, counted: list[tuple[float, float, int]]) -> None:
    (file,) = measure_files([TWO_FACES], PROTOCOLS[protocol].faces, from_curve=False)
    assert (file.kind, file.faces) == ("measured", 2)
    assert [(each.confidence, each.distance, each.offset_frames) for each in file.counted] == counted
    assert file.over_faces == Measure(6.5, 7.25, -1)


def test_published_numbers_are_those_of_the_curve_alone() -> None:
    curve = np.linspace(12.0, 15.0, 31, dtype=np.float32)
    curve[20] = 6.5
    # The tool's own offset may be that of a stretch at another place.
    score = replace(make_score(1.0, 3, 9.0), curve=curve)
    measure = measure_of(score, from_curve=True)
    # The lowest of 31 becomes the smallest: the median moves to the 15th of the others, place 14.
    assert (measure.offset_frames, measure.distance) == (-5, 6.5)
    assert measure.confidence == pytest.approx(13.4 - 6.5, abs=1e-6)
    assert measure_of(score, from_curve=False) == Measure(1.0, 9.0, 3)


def test_faceless_and_failed_videos_are_counted_and_gone_ones_left_out() -> None:
    results = [
        faceless("b.mp4"),
        failed("c.mp4"),
        replace(TWO_FACES, missing=True),
        successful("d.mp4", make_score(float("nan"))),
    ]
    files = measure_files(results, "best", from_curve=False)
    assert [(each.name, each.kind) for each in files] == [
        ("b.mp4", "no_faces"), ("c.mp4", "failed"), ("d.mp4", "failed"),
    ]  # fmt: skip
    found = find_in_folder("in", files, PROTOCOLS["best"], 0)
    assert (found.count("no_faces"), found.count("failed"), found.summaries["C"]) == (1, 2, None)


# Recipes


def test_the_recipes_of_the_published_network() -> None:
    gates = {name: settings_for(each, ScorerSettings(), "syncnet_v2") for name, each in PROTOCOLS.items()}
    assert {name for name, settings in gates.items() if settings.reference} == {
        "wav2lip", "latentsync", "mova", "crop",
    }  # fmt: skip
    assert gates["wav2lip"].tracks == TrackSettings(100, 100)
    assert gates["latentsync"].tracks == TrackSettings(100, 50)
    assert gates["mova"].tracks == TrackSettings(100, 20)
    assert gates["best"].tracks == TrackSettings(50, 50)
    assert gates["crop"].no_detection and not gates["best"].no_detection


def test_lite_follows_the_recipe_on_its_own_crops() -> None:
    settings = settings_for(PROTOCOLS["mova"], ScorerSettings(), "lite")
    # Shorter tracks give it nothing to compare.
    assert (settings.reference, settings.tracks) == (False, TrackSettings(100, 26))
    with pytest.raises(UsageError, match="--protocol crop needs no face detector: leave out --detector yunet"):
        settings_for(PROTOCOLS["crop"], ScorerSettings(detector="yunet"), "lite")


# Pairs


def measured(name: str, confidence: float, offset: int = 0) -> FileMeasures:
    measure = Measure(confidence, 10.0 - confidence, offset)
    return FileMeasures(name, name, "measured", 1, (measure,), measure)


def test_files_are_paired_by_name_and_else_by_their_name_without_ending() -> None:
    one = [measured(name, 5.0) for name in ("a.mp4", "sub/b.mp4", "c.mp4", "c.mkv", "d.mp4", "e.mp4")]
    two = [measured(name, 4.0) for name in ("d.mp4", "a.avi", "b.mp4", "c.avi", "sub/b.mp4")]
    two.append(FileMeasures("e.mp4", "e.mp4", "no_faces", 0))
    paired = pair_files(one, two)
    # Which of both c is meant cannot be told.
    assert [(first.name, second.name) for first, second in paired.pairs] == [
        ("a.mp4", "a.avi"), ("sub/b.mp4", "sub/b.mp4"), ("d.mp4", "d.mp4"),
    ]  # fmt: skip
    assert (paired.unmeasured, paired.alone) == (1, (2, 2))


def test_the_paired_difference_is_that_of_the_files() -> None:
    # The folders overlap widely, and each file is better by about one: only pairs show it.
    one = [measured(f"{number}.mp4", number + 1.0 + 0.1 * (-1) ** number, 3) for number in range(8)]
    two = [measured(f"{number}.mp4", float(number), -1) for number in range(8)]
    protocol = PROTOCOLS["best"]
    folders = [find_in_folder(label, files, protocol, 0) for label, files in (("ours", one), ("theirs", two))]
    difference = find_difference(folders[0], folders[1], 0)
    confidence, distance = difference.summaries["C"], difference.summaries["D"]
    assert confidence is not None and distance is not None and confidence.interval is not None
    assert (confidence.n, confidence.mean, distance.mean) == (8, pytest.approx(1.0), pytest.approx(-1.0))
    assert 0.9 <= confidence.interval[0] < 1.0 < confidence.interval[1] <= 1.1
    offset = difference.summaries["|offset|"]
    assert offset is not None and (offset.mean, offset.interval) == (2.0, (2.0, 2.0))
    text = format_markdown({}, Names("LSE"), folders, difference)
    assert "ours minus theirs, 8 pairs of the same name:" in text
    assert "| LSE-C | 8 | 8 | +1.000 |" in text


# What is written


def test_only_the_published_network_gives_numbers_of_that_name() -> None:
    assert [names_for("syncnet_v2").of(number) for number in ("C", "D", "|offset|")] == ["LSE-C", "LSE-D", "|offset|"]
    assert names_for("lite").of("C, all faces") == "lite-C, all faces"


def test_names_from_files_are_text_in_both_formats() -> None:
    label = "a_b & 100% \\x | <b>\x1b[31m"
    folders = [find_in_folder(label, [measured("a.mp4", 5.0), measured("b.mp4", 6.0)], PROTOCOLS["best"], 0)]
    latex = format_latex({"set": "two\nlines"}, Names("LSE"), folders, None)
    assert r"a\_b \& 100\% \textbackslash{}x | <b>" in latex
    assert "\x1b" not in latex and all(line.startswith("%") for line in latex.splitlines()[:-1])
    assert r"a\_b & 100% \\x \| \<b\>" in format_markdown({}, Names("LSE"), folders, None)


def evaluate(folder: Path, out: Path, *extra: str, code: int = 0) -> dict[str, Any]:
    words = ["evaluate", str(folder), "--output_dir", str(out), "--score_cache", "off", "--offline", *extra]
    assert command.main(words) == code
    document: dict[str, Any] = json.loads((out / "evaluation.json").read_text()) if code < 2 else {}
    return document


@pytest.mark.usefixtures("fake_scoring")
def test_a_folder_is_evaluated_with_its_failures_and_again_without_scoring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = make_videos(tmp_path / "in", "damaged.mp4", "faceless.mp4", "fine.mp4", "poor.mp4")
    out = tmp_path / "out"
    document = evaluate(videos, out, "--model", "lite", code=1)
    (found,) = document["sets"]
    assert (found["set"], found["no_faces"], found["failed"]) == ("in", 1, 1)
    # 7.5 at +1 and 1.2 at -15.
    numbers = found["numbers"]
    assert (numbers["lite-C"]["n"], numbers["lite-C"]["mean"], numbers["|offset|"]["mean"]) == (2, 4.35, 8.0)
    rows = (out / "evaluation.csv").read_text().splitlines()
    assert [row.split(",")[1:2] + row.split(",")[3:9] for row in rows[3:]] == [
        ["fine.mp4", "success", "2", "1", "7.5", "7.0", "1.0"],
        ["poor.mp4", "success", "1", "1", "1.2", "7.0", "15.0"],
    ]  # fmt: skip
    assert rows[1].split(",")[3:11] == ["failed", "0", "0", "", "", "", "", ""]
    assert rows[2].split(",")[3:11] == ["no_faces", "0", "0", "", "", "", "", ""]
    assert not (out / "good_quality").exists()
    printed = capsys.readouterr().out
    assert "| in | 2 | 4.350 [1.200, 7.500] | 7.000 [7.000, 7.000] | 8.000 [1.000, 15.000] | 1 | 1 |" in printed
    again = evaluate(videos, out, "--model", "lite")
    assert again["sets"] == document["sets"]
    (out / "evaluation.md").write_text("my notes")
    assert evaluate(videos, out, "--model", "lite", code=2) == {}
    assert (out / "evaluation.md").read_text() == "my notes"


def test_a_known_difference_is_found_between_two_folders(repository: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "late", tmp_path / "right"
    for folder, name in ((one, "sound_8_frames_late"), (two, "in_sync")):
        folder.mkdir()
        shutil.copy(repository / "samples" / f"{name}.mp4", folder / "talk.mp4")
    document = evaluate(one, tmp_path / "out", "--model", "lite", "--compare", str(two))
    difference = document["difference"]
    assert (difference["pairs"], difference["alone"]) == (1, [0, 0])
    # The sound is eight frames later, and lite finds it one frame early in the clip in sync: |-7| - |1|.
    assert difference["numbers"]["|offset|"]["mean"] == 6.0
    late, right = (found["numbers"] for found in document["sets"])
    assert (late["|offset|"]["mean"], right["|offset|"]["mean"]) == (7.0, 1.0)
    assert abs(difference["numbers"]["lite-C"]["mean"]) < 1.0


SOURCES = (15, 0.5015831, 47.2738037)
"""Offset, confidence and distance that the code of all three sources gave for example.avi (docs/evaluate.md)."""


@pytest.mark.slow
def test_crop_gives_the_numbers_of_the_published_code(test_data: Path, tmp_path: Path) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        pytest.skip("the ffmpeg program is not installed")
    videos, weights_dir = tmp_path / "in", tmp_path / "weights"
    for folder in (videos, weights_dir):
        folder.mkdir()
    shutil.copy(test_data / "clips" / "example.avi", videos)
    write_seeded_syncnet_v2(weights_dir / SYNCNET_V2_FILE, test_data)
    extra = ["--protocol", "crop", "--weights_dir", str(weights_dir), "--allow_unverified_weights"]
    document = evaluate(videos, tmp_path / "out", *extra)
    offset, confidence, distance = SOURCES
    numbers = document["sets"][0]["numbers"]
    # Another version's JPEG encoder moves the whole curve by up to 4e-3.
    tolerance = (1e-5 if str(ffmpeg_version(program)).startswith("5.") else 5e-3) * distance
    assert numbers["LSE-D"]["mean"] == pytest.approx(distance, abs=tolerance)
    assert numbers["LSE-C"]["mean"] == pytest.approx(confidence, abs=2 * tolerance)
    assert numbers["|offset|"]["mean"] == offset
    assert "NOT the published file" in document["evaluation"]["network"]
    assert document["evaluation"]["preprocessing"].startswith("as published, by ffmpeg")


@pytest.mark.usefixtures("fake_scoring")
def test_folders_of_one_name_are_told_apart_and_sounds_are_taken(tmp_path: Path) -> None:
    one, two = (make_videos(tmp_path / name / "in", "fine.mp4", "poor.mp4") for name in ("a", "b"))
    sounds = make_videos(tmp_path / "sounds", "fine.wav")
    document = evaluate(
        one, tmp_path / "out", "--model", "lite", "--compare", str(two), "--audio_dir", str(sounds), code=1
    )
    assert [(found["set"], found["failed"]) for found in document["sets"]] == [(str(one), 1), (str(two), 1)]
    assert (document["difference"]["pairs"], document["difference"]["unmeasured"]) == (1, 1)


def test_a_seed_below_zero_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(tmp_path, tmp_path / "out", "--seed", "-1", code=2)
    assert "--seed -1: give a whole number of 0 or more" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_scoring")
def test_one_video_is_evaluated_and_what_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4")
    evaluate(videos / "fine.mp4", tmp_path / "out")
    table = (tmp_path / "out" / "evaluation.csv").read_text()
    assert ("fine.mp4" in table, "poor.mp4" in table) == (True, False)
    evaluate(tmp_path / "nothing", tmp_path / "out", code=2)
    assert f"{tmp_path / 'nothing'}: no such file or folder" in capsys.readouterr().err


@pytest.mark.usefixtures("fake_scoring")
def test_what_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    (videos / "lost.mp4").symlink_to(tmp_path / "nothing.mp4")
    evaluate(videos, tmp_path / "out", code=1)
    assert f"{videos / 'lost.mp4'}: could not be read: " in capsys.readouterr().err


def test_results_without_a_score_are_failures() -> None:
    result: VideoResult = replace(failed("x.mp4"), tracks=(make_track(None),))
    (file,) = measure_files([result], "best", from_curve=False)
    assert (file.kind, file.faces, file.counted) == ("failed", 0, ())

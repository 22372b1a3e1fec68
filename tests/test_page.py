"""What the page is given, and its text; what it does in a browser is in test_page_browser.py."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fakes import ONE_OF_EACH, make_score, successful
from folders import make_videos, run
from page_fakes import make_content, make_keepsake, moved_to, with_score

from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.report import page_data, page_pictures
from syncnet.report.content import ReportContent
from syncnet.report.page import ASSETS, SCRIPTS, json_for_html, render_page
from syncnet.report.page_data import MOST_TRACKS, deciding_track, describe_video, find_href, nearness, shown_tracks
from syncnet.report.page_pictures import collect_pictures, thin_out
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.turns import Conversation, Turn
from syncnet.settings import Thresholds


def blocks_of(page: str) -> dict[str, Any]:
    found = re.findall(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', page, flags=re.DOTALL)
    return {name: json.loads(text) for name, text in found}


def test_the_page_holds_every_video_and_what_its_verdict_depends_on(tmp_path: Path) -> None:
    blocks = blocks_of(render_page(make_content(tmp_path, ONE_OF_EACH)))
    assert [video["status"] for video in blocks["videos"]] == ["success", "success", "no_faces", "failed"]
    first = blocks["videos"][0]
    # Not rounded to what the results file has.
    assert (first["confidence"], first["offset"], first["evidence"]) == (7.12345, 3, "strong")
    assert first["pieces"] == [[0.0, 4.2, 3], [3.6, 7.8, 0]]
    # Of 6.6 + 1 s of speech 6.4 + 0.1 s have a match.
    assert (first["unmatched"], first["fits"]) == (pytest.approx(1.1 / 7.6), [[0.0, 7.0]])
    assert (first["windows"], first["seconds"], first["faces"]) == ([9, 18], 4.0041, 1)
    assert blocks["run"]["counts"] == {"good": 1, "poor": 1, "no_faces": 1, "failed": 1}
    assert blocks["run"]["thresholds"] == {
        "min_confidence": 5.0,
        "lowest": -3,
        "highest": 3,
        "max_distance": None,
    }
    assert blocks["run"]["presets"]["strict"] == {
        "min_confidence": 8.0,
        "lowest": -2,
        "highest": 2,
        "max_distance": None,
    }


def test_no_number_is_null(tmp_path: Path) -> None:
    (video,) = blocks_of(render_page(make_content(tmp_path, [with_score("a.mp4", math.nan)])))["videos"]
    assert video["confidence"] is None
    assert video["offset"] == 0


def test_nothing_in_a_name_ends_a_script_or_begins_an_element(tmp_path: Path) -> None:
    name = "</script><script>alert(1)</script><!--\u2028&amp;\xff\u202e.mp4"
    page = render_page(make_content(tmp_path / "<b>out", [successful(name, make_score(7.0))]))
    assert "alert(1)</script>" not in page
    assert "<b>out" not in page
    assert "<!--\\u2028" not in page and "\u2028" not in page
    # As text it is whole; what would turn the line round is spelled out.
    (video,) = blocks_of(page)["videos"]
    assert video["name"] == "</script><script>alert(1)</script><!--\\u2028&amp;\xff\\u202e.mp4"


def test_json_within_html_comes_back_as_it_was() -> None:
    value = {"text": "</script><!-- & \u2029 \udcff"}
    text = json_for_html(value)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == value


def test_the_policy_allows_this_script_and_nothing_from_anywhere(tmp_path: Path) -> None:
    page = render_page(make_content(tmp_path, []))
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].replace("&#39;", "'").startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page)


def test_no_script_of_ours_can_end_its_element() -> None:
    assert all("</script" not in (ASSETS / name).read_text().lower() for name in SCRIPTS)


def test_the_chart_library_is_the_published_one() -> None:
    for line in (ASSETS / "vendored.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        digest, name = line.split()
        assert hashlib.sha256((ASSETS / name).read_bytes()).hexdigest() == digest


# Addresses of files


def test_a_file_is_found_from_where_the_page_lies(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "a b#1%.mp4")
    result = moved_to(successful("a b#1%.mp4", make_score(7.0)), videos)
    content = make_content(tmp_path / "out", [result])
    assert find_href(result, content.folders) == "./../in/a%20b%231%25.mp4"


def test_an_overlay_video_is_found_by_the_whole_name(tmp_path: Path) -> None:
    result = successful("sub/a b.mov", make_score(7.0))
    content = make_content(tmp_path / "out", [result])
    assert describe_video(result, content)["overlay"] is None
    make_videos(tmp_path / "out", "visualized/sub/a b.mov.mp4")
    assert describe_video(result, content)["overlay"] == "./visualized/sub/a%20b.mov.mp4"


def test_names_of_any_bytes_and_of_protocols_are_addresses(tmp_path: Path) -> None:
    name = os.fsdecode(b"javascript:\xff.mp4")
    videos = make_videos(tmp_path, name)
    result = moved_to(successful(name, make_score(7.0)), videos)
    assert find_href(result, make_content(tmp_path, []).folders) == "./javascript%3A%FF.mp4"


def test_a_moved_file_is_found_in_the_folder_of_its_verdict(tmp_path: Path) -> None:
    make_videos(tmp_path / "out", "good_quality/sub/a.mp4")
    result = moved_to(successful("sub/a.mp4", make_score(7.0)), tmp_path / "in")
    assert find_href(result, make_content(tmp_path / "out", []).folders) == "./good_quality/sub/a.mp4"


def test_a_file_that_is_gone_has_no_address(tmp_path: Path) -> None:
    content = make_content(tmp_path, [])
    assert describe_video(successful("a.mp4", make_score(7.0)), content)["href"] is None


# Which videos are shown with pictures


@pytest.mark.parametrize(
    ("confidence", "offset_frames", "expected"),
    [
        (5.0, 0, 0.0),  # on the border
        (6.5, 0, 1.5),
        (9.0, 3, 1.0),  # one frame further it fails
        (4.0, 0, 1.0),
        (9.0, -5, 2.0),
        (2.0, 7, 5.0),  # three and four
    ],
)
def test_nearness_to_the_border(confidence: float, offset_frames: int, expected: float) -> None:
    assert nearness(with_score("a.mp4", confidence, offset_frames), Thresholds(5.0, 3)) == pytest.approx(expected)


def test_what_no_threshold_lets_pass_is_infinitely_far() -> None:
    unproven = with_score("a.mp4", 5.0, evidence=Evidence("none", "shuffled"))
    far = [nearness(result, Thresholds()) for result in (unproven, with_score("b.mp4", math.nan), *ONE_OF_EACH[2:])]
    assert far == [math.inf] * 4


def test_a_stretch_beyond_the_limits_counts_as_the_worst_offset() -> None:
    evidence = Evidence("strong", "", 9, 5, (OffsetPiece(0, 3, 0), OffsetPiece(3, 6, 7)))
    assert nearness(with_score("a.mp4", 9.0, 0, evidence), Thresholds(5.0, 3)) == 4.0


def pictured_content(folder: Path, confidences: list[float]) -> ReportContent:
    results = [with_score(f"{number}.mp4", confidence) for number, confidence in enumerate(confidences)]
    content = make_content(folder, results)
    for result in results:
        write_keepsake(keepsake_path(content.folders.state_dir, result.relative_path), make_keepsake())
    return content


def test_pictures_and_time_lines_are_those_of_the_keepsake(tmp_path: Path) -> None:
    pictures = collect_pictures(pictured_content(tmp_path, [7.0]))
    assert pictures.left_out == 0
    assert pictures.thumbnails[0].startswith("/9j/"), "a JPEG in base64"
    assert set(pictures.strips[0]) == {0}
    lines = pictures.lines[0]
    assert (lines["shots"], lines["frames"]) == ([0, 40], 100)
    assert lines["tracks"][0]["windows"] == [[0, 3, 0.5], [10, -2, 0.25]]
    assert lines["tracks"][0]["confidence"][:3] == [0.0, 1.0, 2.0]


def test_those_nearest_to_the_threshold_are_shown_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_pictures, "MOST_LOOKED_AT", 2)
    pictures = collect_pictures(pictured_content(tmp_path, [9.0, 5.5, 1.0, 4.9]))
    assert set(pictures.thumbnails) == {1, 3}
    assert pictures.left_out == 2


def test_pictures_are_bounded_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(make_keepsake().tracks[0].thumbnail)
    monkeypatch.setattr(page_pictures, "MOST_THUMBNAIL_BYTES", 2 * size + 1)
    monkeypatch.setattr(page_pictures, "MOST_STRIP_BYTES", 0)
    pictures = collect_pictures(pictured_content(tmp_path, [7.0, 6.0, 5.0]))
    assert set(pictures.thumbnails) == {1, 2}
    assert (pictures.strips, pictures.left_out) == ({}, 1)
    assert set(pictures.lines) == {0, 1, 2}


def test_a_keepsake_of_another_scoring_is_not_shown(tmp_path: Path) -> None:
    content = pictured_content(tmp_path, [7.0])
    write_keepsake(keepsake_path(content.folders.state_dir, "0.mp4"), make_keepsake(tracks=2))
    assert collect_pictures(content).lines == {}


def test_thinning_out_keeps_means_and_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_pictures, "MOST_POINTS", 3)
    values = np.array([1, 3, np.nan, np.nan, 5, np.nan], np.float32)
    assert thin_out(values, 1) == [2.0, None, 5.0]
    assert thin_out(values[:2], 1) == [1.0, 3.0]
    assert thin_out(values[:0], 1) == []


def test_of_a_crowd_the_first_tracks_and_the_best_are_shown() -> None:
    result = successful("a.mp4", make_score(7.0))
    other = successful("b.mp4", make_score(1.0)).tracks[0]
    crowd = type(result)(**{**vars(result), "tracks": (other,) * 30 + result.tracks})
    assert shown_tracks(crowd) == [*range(MOST_TRACKS - 1), 30]


def test_of_faces_scored_together_the_best_one_is_shown() -> None:
    result = successful("a.mp4", make_score(7.0))
    tracks = tuple(successful("b.mp4", make_score(confidence)).tracks[0] for confidence in (1.0, math.nan, 3.0, 2.0))
    assert deciding_track(type(result)(**{**vars(result), "tracks": tracks})) == 2
    assert deciding_track(type(result)(**{**vars(result), "tracks": ()})) is None


def test_faces_that_speak_in_turns_come_first_and_decide(tmp_path: Path) -> None:
    first, second = (successful("a.mp4", make_score(confidence)).tracks[0] for confidence in (3.0, 2.0))
    talk = Conversation(make_score(6.0, 1), (Turn(1, 0.0, 1.5), Turn(0, 1.5, 4.0), Turn(1, 4.0, 4.5)))
    fields = {
        **vars(successful("a.mp4", talk.score)),
        "tracks": (first, second),
        "best": talk.score,
        "conversation": talk,
    }
    result = VideoResult(**fields)
    content = make_content(tmp_path, [result])
    kept = make_keepsake(tracks=2)
    later = replace(kept.tracks[1], first_frame=0, confidence=kept.tracks[1].confidence + 100)
    late = replace(later, windows=np.array([[0, 3, 0.5], [25, -2, 0.25], [110, 7, 0.25]], np.float32))
    keepsake = replace(kept, tracks=(kept.tracks[0], late))
    write_keepsake(keepsake_path(content.folders.state_dir, "a.mp4"), keepsake)
    blocks = blocks_of(render_page(content))
    tracks = blocks["details"][0]["tracks"]
    assert [(track["number"], track["best"], track["confidence"]) for track in tracks] == [
        (None, True, 6.0), (0, False, 3.0), (1, False, 2.0),
    ]  # fmt: skip
    assert [track["turns"] for track in tracks[1:]] == [[[1.5, 4.0]], [[0.0, 1.5], [4.0, 4.5]]]
    assert (tracks[0]["first"], tracks[0]["count"], len(tracks[0]["turns"])) == (0, 100, 3)
    lines = blocks["lines"]["0"]["tracks"]
    # Middles of windows at 0.5 and 1.5 s: the second one is in the turn of the other face, which has none there.
    assert lines[0]["windows"] == [[0, 3, 0.5]]
    confidence = lines[0]["confidence"]
    assert (confidence[0], confidence[37], confidence[38], confidence[99]) == (100.0, 137.0, 38.0, 99.0)


# The command


@pytest.mark.usefixtures("fake_scoring")
def test_a_run_leaves_the_page_and_off_leaves_none(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4")
    assert run(videos, tmp_path / "off", "--report", "off") == 0
    assert not (tmp_path / "off" / "report.html").exists()
    assert run(videos, tmp_path / "out") == 0
    blocks = blocks_of((tmp_path / "out" / "report.html").read_text())
    assert [video["href"] for video in blocks["videos"]] == ["./../in/fine.mp4", "./../in/poor.mp4"]
    assert blocks["run"]["command"].endswith(f"--input_dir {videos} --output_dir {tmp_path}/out")


@pytest.mark.usefixtures("fake_scoring")
def test_a_page_that_cannot_be_written_is_told_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "report.html").mkdir(parents=True)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 0
    assert "report.html: Is a directory; verdicts and results are not affected" in capsys.readouterr().err
    assert (tmp_path / "out" / "good_quality" / "fine.mp4").exists()


def test_curves_are_rounded_as_single_numbers_are() -> None:
    # Ties too: 0.0625 times a thousand lies half-way between two whole numbers.
    curve = np.array([0.0625, 0.1875, 0.3125, 1.0005, 0.47615534, 1e-5, 2.5, *np.linspace(0.0, 30.0, 5000)], np.float32)
    expected = [round(value, 3) for value in curve.tolist()]
    assert page_data._rounded_curve(curve) == expected
    holed = np.array([0.12345, np.nan, np.inf], np.float32)
    assert page_data._rounded_curve(holed) == [0.123, None, None]

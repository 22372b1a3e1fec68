"""The page in a real browser: Chromium, without a network.

Long because all of it shares one browser, which takes a second to start.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Opener
from fakes import IN_SYNC, INFO, ONE_OF_EACH, make_score, over_time_of, successful
from page_fakes import WHOLE, count_passing, make_content, make_keepsake, many_videos, with_score

from syncnet.cli.request import parse_request
from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.overtime.judging import judge_video
from syncnet.results import share_of
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.turns import Conversation, Turn
from syncnet.settings import PRESETS, Thresholds
from syncnet.system.text import printable
from syncnet.verdict import describe_confidence

ROWS = """(rows) => rows.map((row) => [
  row.querySelector(".name-button").textContent,
  row.querySelector(".confidence").textContent,
  [...row.querySelectorAll(".outcome small")].map((small) => small.textContent)
    .find((text) => !/^in sync for [\\d.]+ of [\\d.]+ s$/.test(text)) ?? "",
])"""
"""Name, confidence and reasons of the rows of the table."""
LIMITS = [(0.0, -15, 15), (5.0, -3, 3), (4.9999, -2, 5), (7.3, 0, 0), (3.0, 2, 9), (9.9, -15, -1)]


def test_what_the_whole_file_needs_counts_in_the_browser_too(open_page: Opener, tmp_path: Path) -> None:
    results = many_videos(150, Thresholds())
    page = open_page(make_content(tmp_path, results, over_time=WHOLE))
    for confidence in (5.0, 3.0, 4.9999):
        page.type_number("confidence", confidence)
        expected = count_passing(results, Thresholds(confidence), WHOLE)
        assert 0 < expected < count_passing(results, Thresholds(confidence))
        assert page.counts()[0] == expected


@pytest.mark.parametrize("thresholds", [Thresholds(), Thresholds(6.25, 3, -2, 5)])
def test_reasons_and_numbers_are_those_of_the_terminal(
    open_page: Opener, tmp_path: Path, thresholds: Thresholds
) -> None:
    results = many_videos(150, thresholds)
    told = []
    for result in results:
        over_time = result.over_time and result.over_time.over_time
        if result.status == "success" and result.best:
            verdict = judge_video(result.best, None, over_time, thresholds, WHOLE)[0]
            confidence = describe_confidence(result.best.confidence, thresholds.min_confidence)
            told.append((str(result.relative_path), confidence, "; ".join(verdict.reasons)))
    page = open_page(make_content(tmp_path, results, thresholds, WHOLE))
    shown = []
    for _ in range(4):
        shown += page.tab.locator("tbody tr").evaluate_all(ROWS)
        if page.tab.is_enabled("#later"):
            page.tab.click("#later")
    # Minus signs and dashes are the right ones on the page.
    plain = str.maketrans("\u2212\u2013", "--")
    read = {name: (confidence, reasons.translate(plain)) for name, confidence, reasons in shown}
    for name, confidence, reasons in told:
        assert read[name] == (confidence.replace("nan", "no number"), reasons), name
    assert len({words for _, _, words in told}) > 100


def test_numbers_are_rounded_as_in_the_terminal(open_page: Opener, tmp_path: Path) -> None:
    values = [n / 16 for n in range(-40, 200)] + [5.35, 0.05, 1.005, 59.95, 1234.5, 2.675, 1e-7]
    # The first lies half-way between 5.2 and 5.3, the second would do so if it were rounded to hundredths before.
    results = [with_score(f"{n}.mp4", 7.0, over_time=over_time_of(IN_SYNC)) for n in range(3)]
    lengths = [5.25, 5.2503, 12.5]
    results = [replace(r, info=replace(INFO, duration_seconds=s)) for r, s in zip(results, lengths, strict=True)]
    page = open_page(make_content(tmp_path, results))
    for digits in (0, 1, 2):
        told = page.tab.evaluate("([values, digits]) => values.map((value) => fixed(value, digits))", [values, digits])
        assert [float(text) for text in told] == [float(f"{value:.{digits}f}") for value in values]
    assert page.tab.locator("tbody .outcome small").all_inner_texts() == [share_of(result) for result in results]
    assert share_of(results[0]) == "in sync for 3.0 of 5.2 s"
    assert share_of(results[1]) == "in sync for 3.0 of 5.3 s"
    assert share_of(results[2]) == "in sync for 3 of 12 s"


@pytest.mark.slow
def test_thresholds_in_the_browser_give_the_counts_of_python(open_page: Opener, tmp_path: Path) -> None:
    results = many_videos(300, Thresholds())
    scored = len(results) - 2
    page = open_page(make_content(tmp_path, results))
    passing = count_passing(results, Thresholds())
    assert 0 < passing < scored
    assert page.counts() == [passing, scored - passing, 1, 1]
    page.tab.uncheck("#same-sides")
    for confidence, lowest, highest in LIMITS:
        page.type_number("confidence", confidence)
        # The far side first, so that the limits never cross.
        page.type_number("lowest", -15)
        page.type_number("highest", highest)
        page.type_number("lowest", lowest)
        expected = count_passing(results, Thresholds(confidence, 15, lowest, highest))
        assert page.counts() == [expected, scored - expected, 1, 1], (confidence, lowest, highest)


def test_sliders_move_both_sides_and_the_command_says_what_they_mean(open_page: Opener, tmp_path: Path) -> None:
    results = many_videos(120, Thresholds())
    page = open_page(make_content(tmp_path, results))
    page.slide("confidence", 6.5)
    page.slide("highest", 7)
    assert page.tab.input_value("#lowest-number") == "-7"
    words = shlex.split(page.tab.inner_text("#command"))
    assert words[:5] == ["cd", "/home/someone", "&&", "python", "filter_videos_by_sync_score.py"]
    assert words[5:] == ["--input_dir", "in", "--output_dir", "out", "--min_confidence", "6.5", "--max_abs_offset", "7"]
    asked = parse_request(words[5:]).settings.thresholds
    assert page.counts()[0] == count_passing(results, asked) == count_passing(results, Thresholds(6.5, 7))
    page.tab.uncheck("#same-sides")
    page.slide("lowest", -1)
    asked = parse_request(shlex.split(page.tab.inner_text("#command"))[5:]).settings.thresholds
    assert (asked.lowest_offset, asked.highest_offset) == (-1, 7)
    assert page.counts()[0] == count_passing(results, asked)
    assert "change their verdicts" in page.tab.inner_text("#changed")


def test_a_preset_is_one_press_and_as_run_goes_back(open_page: Opener, tmp_path: Path) -> None:
    results = many_videos(120, Thresholds())
    page = open_page(make_content(tmp_path, results))
    before = page.counts()
    page.tab.click("#presets button:text-is('strict')")
    page.settle()
    assert page.counts()[0] == count_passing(results, PRESETS["strict"])
    page.tab.click("#presets button:text-is('as run')")
    page.settle()
    assert page.counts() == before
    assert "As in the last run" in page.tab.inner_text("#changed")


def test_a_limit_of_distance_gives_the_counts_of_python_where_the_network_has_one(
    open_page: Opener, tmp_path: Path
) -> None:
    near, far, wordless = (
        successful(f"{name}.mp4", make_score(7.0, min_distance=distance))
        for name, distance in (("near", 12.9), ("far", 13.04), ("wordless", float("nan")))
    )
    content = make_content(tmp_path, [near, far, wordless])
    assert not open_page(content).tab.is_visible("#distance")
    page = open_page(replace(content, model="syncnet_v2"))
    assert page.counts()[:2] == [3, 0]
    page.type_number("distance", 13)
    assert page.counts()[:2] == [1, 2]
    words = shlex.split(page.tab.inner_text("#command"))
    assert parse_request(words[5:]).settings.thresholds.max_distance == 13.0
    page.settle()
    page.tab.wait_for_function("() => location.hash.includes('distance=13')")
    page.tab.select_option("#reason", "distance")
    assert page.names() == ["far.mp4", "wordless.mp4"]
    assert "distance 13.04 is above 13" in page.tab.inner_text("tbody")
    page.tab.click("#presets button:text-is('latentsync')")
    page.settle()
    assert (page.counts()[0], page.tab.input_value("#distance-number")) == (3, "")


def test_limits_that_would_cross_take_each_other_along(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [with_score("a.mp4", 7.0)]))
    page.tab.uncheck("#same-sides")
    page.type_number("lowest", 6)
    assert [page.tab.input_value(f"#{side}-slider") for side in ("lowest", "highest")] == ["6", "6"]
    page.tab.check("#same-sides")
    page.settle()
    assert [page.tab.input_value(f"#{side}-slider") for side in ("lowest", "highest")] == ["-6", "6"]


def test_sorting_searching_and_filtering(open_page: Opener, tmp_path: Path) -> None:
    unproven = with_score("c 10.mp4", 8.0, 0, Evidence("none", "no speech in the sound"))
    results = [with_score("c 9.mp4", 6.0, -2), unproven, with_score("B.mp4", 2.0, 9), *ONE_OF_EACH[2:]]
    page = open_page(make_content(tmp_path, results))
    # Numbers within names count as numbers.
    assert page.names() == ["B.mp4", "c 9.mp4", "c 10.mp4", "c.mp4", "d.mp4"]
    page.tab.click("th.confidence button")
    assert page.names() == ["c 10.mp4", "c 9.mp4", "B.mp4", "c.mp4", "d.mp4"], "the highest first, no number last"
    page.tab.click("th.confidence button")
    assert page.names() == ["B.mp4", "c 9.mp4", "c 10.mp4", "c.mp4", "d.mp4"]
    assert page.tab.get_attribute("th.confidence", "aria-sort") == "ascending"
    page.tab.fill("#search", "no SPEECH c")
    assert page.names() == ["c 10.mp4"]
    assert page.tab.inner_text("#shown") == "1 of 5"
    page.tab.fill("#search", "")
    page.tab.click(".tile[data-outcome=failed]")
    assert page.names() == ["d.mp4"]
    page.tab.click(".tile[data-outcome=failed]")
    page.tab.select_option("#reason", "offset")
    assert page.names() == ["B.mp4"]


def test_the_table_comes_a_page_at_a_time(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [with_score(f"{number:03d}.mp4", 7.0) for number in range(120)]))
    assert len(page.names()) == 50
    page.tab.click("#later")
    page.tab.click("#later")
    assert page.names() == [f"{number:03d}.mp4" for number in range(100, 120)]
    assert page.tab.is_disabled("#later")
    page.tab.fill("#search", "007")
    assert page.names() == ["007.mp4"]


HOSTILE = [
    "<img src=x onerror=alert(1)>.mp4",
    "</script><script>alert(2)</script>.mp4",
    "\"><svg onload='alert(3)'>.mp4",
    "javascript:alert(4).mp4",
    "{{ 7 * 7 }} ${7*7} \u202egpj\u2028.mp4",
    "__proto__.mp4",
]


def test_hostile_names_stay_text(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [successful(name, make_score(7.0)) for name in HOSTILE]))
    assert sorted(page.names()) == sorted(map(printable, HOSTILE))
    for number in range(len(HOSTILE)):
        page.tab.locator("tbody .name-button").nth(number).click()
        assert page.tab.inner_text("#detail-name") in map(printable, HOSTILE)
        page.tab.keyboard.press("Escape")
    assert page.tab.locator("main img[src=x], main svg, main script, dialog script").count() == 0


def test_a_video_opens_with_its_curves_and_its_file(open_page: Opener, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    file = tmp_path / "in" / "a b.mp4"
    file.write_bytes(b"video")
    result = with_score("a b.mp4", 3.0, 2)
    result = type(result)(**{**vars(result), "path": file})
    content = make_content(tmp_path, [result, with_score("other.mp4", 7.0)])
    overlay = tmp_path / "visualized" / "a b.mp4.mp4"
    overlay.parent.mkdir()
    overlay.write_bytes(b"video")
    write_keepsake(keepsake_path(content.folders.state_dir, "a b.mp4"), make_keepsake())
    open_page.videos = {file.as_uri()}
    page = open_page(content)
    page.tab.click("tbody .name-button >> nth=0")
    dialog = page.tab.locator("#detail")
    text = dialog.inner_text()
    assert "confidence 3.0 is below 5" in text
    assert "+2 frames: sound 80 ms early" in text
    assert "2 shots" in text
    links = dialog.locator("a.play").evaluate_all("(links) => links.map((link) => link.href)")
    assert links == [file.as_uri(), overlay.as_uri()]
    titles = ["Face tracks", "Sync curve", "Offset along time", "Mouth and sound", "Confidence along time"]
    assert dialog.locator("h3").all_inner_texts() == titles
    assert dialog.locator("canvas").count() == 4
    assert dialog.locator("img.strip").evaluate("(picture) => picture.naturalWidth") == 768
    # Its neighbour has no keepsake.
    page.tab.keyboard.press("ArrowRight")
    assert page.tab.inner_text("#detail-name") == "other.mp4"
    assert "No pictures of this video" in dialog.inner_text()
    page.tab.keyboard.press("Escape")
    assert not dialog.is_visible()


def test_faces_that_speak_in_turns_are_shown_as_one_and_each(open_page: Opener, tmp_path: Path) -> None:
    alone = with_score("talk.mp4", 3.0)
    talk = Conversation(make_score(6.0, 1), (Turn(0, 0.0, 1.5), Turn(1, 1.5, 4.0)))
    fields = {**vars(alone), "tracks": alone.tracks * 2, "best": talk.score, "conversation": talk}
    page = open_page(make_content(tmp_path, [type(alone)(**fields)]))
    page.tab.click("tbody .name-button")
    bars = page.tab.locator(".track-bar")
    assert bars.all_inner_texts() == [
        "faces that speak in turns, as one (decides): confidence 6.0, sound 40 ms early",
        "track 0: confidence 3.0, in sync",
        "track 1: confidence 3.0, in sync",
    ]
    assert [bars.nth(number).locator(".turn").count() for number in range(3)] == [2, 1, 1]
    bars.nth(2).click()
    assert [bars.nth(number).get_attribute("aria-pressed") for number in range(3)] == ["false", "false", "true"]


def test_the_keyboard_is_enough(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [with_score(f"{name}.mp4", 7.0) for name in "abc"]))
    page.tab.keyboard.press("/")
    page.tab.keyboard.type("mp4")
    assert page.tab.input_value("#search") == "mp4"
    for key in ("ArrowDown", "ArrowDown", "Enter"):
        page.tab.keyboard.press(key)
    assert page.tab.inner_text("#detail-name") == "b.mp4"
    page.tab.keyboard.press("Escape")
    assert page.tab.evaluate("document.activeElement.textContent") == "b.mp4", "back where it was opened from"


def test_offsets_of_axes_have_their_signs(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [with_score("a.mp4", 7.0)]))
    axis = "charts.get(document.getElementById('scatter')).axes[1]"
    ticks = page.tab.evaluate(f"{axis}.values(null, [-15, 0, 5])")
    assert ticks == ["\u221215", "0", "+5"]


def test_a_mark_in_the_scatter_opens_its_video(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [with_score("far.mp4", 1.0, -10), with_score("near.mp4", 8.0, 0)]))
    x, y = page.tab.evaluate(
        """() => {
          const chart = charts.get(document.getElementById("scatter"));
          const place = chart.over.getBoundingClientRect();
          return [place.left + chart.valToPos(8, "x"), place.top + chart.valToPos(0, "y")];
        }"""
    )
    page.tab.mouse.move(x, y)
    assert page.tab.inner_text(".tip") == "near.mp4: confidence 8.0, in sync"
    page.tab.mouse.click(x, y)
    assert page.tab.inner_text("#detail-name") == "near.mp4"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_of_the_window(open_page: Opener, tmp_path: Path, width: int, scheme: str) -> None:
    results = [*many_videos(20, Thresholds()), with_score("a_very_long_name_" * 12 + ".mp4", 7.0)]
    content = make_content(tmp_path / ("folder" * 30), results)
    page = open_page(content, width, scheme)
    assert page.tab.evaluate("document.documentElement.scrollWidth") <= width
    page.tab.fill("#search", "very_long")
    page.tab.click("tbody .name-button >> nth=0")
    assert page.tab.locator("#detail").evaluate("(dialog) => dialog.scrollWidth - dialog.clientWidth") <= 0
    ground = page.tab.evaluate("getComputedStyle(document.body).backgroundColor")
    bright = sum(map(int, re.findall(r"\d+", ground))) > 3 * 128
    assert bright == (scheme == "light")


def test_a_page_of_no_videos_opens(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, []))
    assert page.counts() == [0, 0, 0, 0]
    assert page.tab.inner_text("#shown") == "0 of 0"

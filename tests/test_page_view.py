"""What is looked at on the page: orders, filters by numbers, bars that are pressed, and the address, in Chromium."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Opened, Opener
from fakes import IN_SYNC, faceless, over_time_of
from folders import make_videos
from page_fakes import make_content, make_keepsake, with_score

from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.report.page_data import nearness
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.turns import Conversation, Turn
from syncnet.settings import Thresholds

SCORES = {"a.mp4": (4.98, 0), "b.mp4": (9.0, 3), "c.mp4": (2.0, 7), "d.mp4": (5.2, -9), "e.mp4": (5.0, 1)}


def some_results(thresholds: Thresholds | None = None) -> list:
    results = [with_score(name, *score, thresholds=thresholds) for name, score in SCORES.items()]
    unproven = with_score("f.mp4", 5.0, 0, Evidence("none", "no speech in the sound"))
    return [*results, unproven, faceless("g.mp4")]


def address_of(page: Opened, part: str) -> str:
    """What stands behind ``#``, once this does."""
    page.tab.wait_for_function("(part) => location.hash.includes(part)", arg=part)
    return str(page.tab.evaluate("location.hash"))


def test_nearest_to_the_thresholds_is_an_order_as_python_has_it(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, some_results()))
    page.tab.select_option("#sort", label="nearest to the thresholds first")
    for limits in (Thresholds(), Thresholds(7.5, 8)):
        page.type_number("confidence", limits.min_confidence)
        page.type_number("highest", limits.highest_offset)
        scored = [result for result in some_results() if str(result.relative_path) in SCORES]
        expected = sorted(scored, key=lambda result: nearness(result, limits))
        names = [str(result.relative_path) for result in expected]
        # What no threshold lets pass comes last.
        assert page.names() == [*names, "f.mp4", "g.mp4"]


def test_a_number_that_misses_its_limit_is_not_shown_as_the_limit(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, some_results()))
    shown = dict(zip(page.names(), page.tab.locator("td.confidence").all_inner_texts(), strict=True))
    assert (shown["a.mp4"], shown["e.mp4"]) == ("4.98", "5.0")
    page.type_number("confidence", 4)
    assert page.tab.locator("td.confidence").first.inner_text() == "5.0"


def test_filters_by_numbers(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, some_results()))
    page.tab.click("#ranges summary")
    page.tab.fill("#confidenceFrom", "5")
    assert page.names() == ["b.mp4", "d.mp4", "e.mp4", "f.mp4"]
    page.tab.fill("#confidenceTo", "9")
    assert page.names() == ["d.mp4", "e.mp4", "f.mp4"], "below it"
    page.tab.fill("#offsetTo", "1")
    page.tab.fill("#offsetFrom", "1")
    assert page.names() == ["e.mp4"], "an offset that nothing supports is none"
    page.tab.click("#clear-ranges")
    assert len(page.names()) == 7
    page.tab.fill("#secondsTo", "4.0")
    assert page.names() == []


def test_a_bar_that_is_pressed_shows_its_videos(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, some_results()))

    def press(confidence: float) -> None:
        x, y = page.tab.evaluate(
            """(confidence) => {
              const chart = charts.get(document.getElementById("histogram"));
              const place = chart.over.getBoundingClientRect();
              return [place.left + chart.valToPos(confidence, "x"), place.top + place.height - 20];
            }""",
            confidence,
        )
        page.tab.mouse.click(x, y)
        page.settle()

    press(5.25)
    assert page.names() == ["d.mp4", "e.mp4", "f.mp4"]
    assert [page.tab.input_value(f"#confidence{end}") for end in ("From", "To")] == ["5", "5.5"]
    press(7.25)
    assert page.names() == ["d.mp4", "e.mp4", "f.mp4"], "there is no bar"
    press(4.75)
    assert page.names() == ["a.mp4"]
    press(4.75)
    assert len(page.names()) == 7


def test_who_gets_the_address_sees_the_same(open_page: Opener, tmp_path: Path) -> None:
    content = make_content(tmp_path, [*some_results(), with_score("ä & #.mp4", 3.0)])
    page = open_page(content)
    page.tab.uncheck("#same-sides")
    page.type_number("confidence", 2.5)
    page.type_number("lowest", -9)
    page.tab.click(".tile[data-outcome=pass]")
    page.tab.select_option("#sort", "confidence down")
    page.tab.fill("#search", "mp4")
    page.tab.click("#ranges summary")
    page.tab.fill("#confidenceTo", "9")
    expected, counts = page.names(), page.counts()
    assert expected == ["d.mp4", "e.mp4", "a.mp4", "ä & #.mp4"]
    page.open_video("ä & #.mp4")
    part = address_of(page, "open=")
    other = open_page(content, part=part)
    assert other.tab.inner_text("#detail-name") == "ä & #.mp4"
    other.tab.keyboard.press("Escape")
    assert (other.names(), other.counts()) == (expected, counts)
    assert other.tab.input_value("#search") == "mp4"
    assert not other.tab.is_checked("#same-sides")
    # Another address in the same tab.
    other.tab.evaluate("location.hash = '#show=fail&open=c.mp4'")
    other.tab.wait_for_selector("#detail[open]")
    assert other.tab.inner_text("#detail-name") == "c.mp4"
    other.tab.keyboard.press("Escape")
    assert other.tab.input_value("#confidence-number") == "5"
    assert other.names() == ["ä & #.mp4", "a.mp4", "c.mp4", "d.mp4", "f.mp4"]


@pytest.mark.parametrize(
    "part",
    [
        "#by=nothing&way=x&page=-3&page=1e9&show=x&reason=x",
        "#confidence=NaN&lowest=1.5&highest=x&open=../none",
        "#lowest=9&highest=-9&confidence=-1",
        "#confidence-from=&offset-to=x&%&&==",
        "#q=%ff%00<script>",
    ],
)
def test_an_address_that_says_nothing_sensible_is_the_usual_page(open_page: Opener, tmp_path: Path, part: str) -> None:
    page = open_page(make_content(tmp_path, some_results()), part=part)
    usual = open_page(make_content(tmp_path, some_results()))
    if "q=" in part:
        assert page.names() == []
        page.tab.fill("#search", "")
    assert (page.names(), page.counts()) == (usual.names(), usual.counts())
    assert [page.tab.input_value(f"#{name}-number") for name in ("confidence", "lowest", "highest")] == ["5", "-3", "3"]


@pytest.mark.parametrize("focus", ["#confidence-slider", "#lowest-number", "#reason", "#sort", "tbody .name-button"])
def test_a_slash_searches_whatever_has_the_focus(open_page: Opener, tmp_path: Path, focus: str) -> None:
    page = open_page(make_content(tmp_path, some_results()))
    page.tab.locator(focus).first.focus()
    page.tab.keyboard.press("/")
    page.tab.keyboard.type("a/b")
    assert page.tab.input_value("#search") == "a/b", "within the search it is a letter"
    page.tab.fill("#search", "")
    page.open_video("c.mp4")
    page.tab.keyboard.press("/")
    assert page.tab.is_hidden("#detail")
    # The dialog tells of its end a little later.
    page.tab.locator("#search:focus").wait_for()


@pytest.mark.parametrize("width", [390, 1280])
def test_the_box_of_orders_says_what_it_orders(open_page: Opener, tmp_path: Path, width: int) -> None:
    page = open_page(make_content(tmp_path, some_results()), width)
    assert page.tab.get_by_label("Order").is_visible()
    assert page.tab.locator("#sort option:checked").inner_text() == "video, A to Z"
    page.tab.get_by_label("Order").select_option(label="confidence, highest first")
    assert page.names()[:2] == ["b.mp4", "d.mp4"]


def test_faces_in_turns_have_their_offset_and_confidence_along_time(open_page: Opener, tmp_path: Path) -> None:
    alone = with_score("talk.mp4", 3.0)
    talk = Conversation(with_score("x", 6.0, 1).best, (Turn(0, 0.0, 1.5), Turn(1, 1.5, 4.0)))
    fields = {**vars(alone), "tracks": alone.tracks * 2, "best": talk.score, "conversation": talk}
    content = make_content(tmp_path, [type(alone)(**fields)])
    write_keepsake(keepsake_path(content.folders.state_dir, "talk.mp4"), make_keepsake(tracks=2))
    page = open_page(content)
    page.open_video("talk.mp4")
    titles = page.tab.locator("#detail h3").all_inner_texts()
    assert titles[1:] == ["Sync curve", "Offset along time", "Mouth and sound", "Confidence along time"]


def test_no_two_ticks_of_the_time_line_read_alike(open_page: Opener, tmp_path: Path) -> None:
    segments = over_time_of(replace(IN_SYNC, start_seconds=0.0))
    content = make_content(tmp_path, [with_score("talk.mp4", 7.0, over_time=segments)])
    write_keepsake(keepsake_path(content.folders.state_dir, "talk.mp4"), make_keepsake())
    page = open_page(content)
    page.tab.evaluate(
        """() => {
          const draw = CanvasRenderingContext2D.prototype.fillText;
          window.told = [];
          CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
            window.told.push(text);
            return draw.call(this, text, ...rest);
          };
        }"""
    )
    page.open_video("talk.mp4")
    page.settle()
    labels = [text for text in page.tab.evaluate("window.told") if re.fullmatch(r"\d+:\d\d", text)]
    # The video is 4.0 s long.
    assert list(dict.fromkeys(labels)) == ["0:00", "0:01", "0:02", "0:03", "0:04"]
    assert all(labels.count(label) == labels.count("0:00") for label in labels)


def test_a_page_of_a_run_under_way_says_so(open_page: Opener, tmp_path: Path) -> None:
    content = replace(make_content(tmp_path, some_results()), complete=False, total=28)
    page = open_page(content)
    assert "under way when this page was written: 7 of 28 videos were finished" in page.tab.inner_text("#notices")


@pytest.mark.slow
def test_the_command_runs_when_it_is_pasted_anywhere(tmp_path: Path, repository: Path) -> None:
    """As it was typed, in a folder with a blank in its name and relative names, through a link to the script."""
    home = make_videos(tmp_path / "a home", "my videos/notes.txt")
    (home / "filter_videos_by_sync_score.py").symlink_to(repository / "filter_videos_by_sync_score.py")
    words = [sys.executable, "filter_videos_by_sync_score.py", "--input_dir", "my videos", "--output_dir", "sorted"]
    subprocess.run(words, cwd=home, check=True, capture_output=True)
    page = home / "sorted" / "report.html"
    found = re.search(r'"command":("(?:[^"\\]|\\.)*")', page.read_text())
    assert found
    command = re.sub(r"\\u00(..)", lambda code: chr(int(code[1], 16)), found[1][1:-1])
    page.unlink()
    told = subprocess.run(["bash", "-c", f"{command} --min_confidence 4"], cwd="/", capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "0 videos in my videos, 1 skipped by their ending\n")
    assert page.exists()

"""What a reviewer does on the page: accepts, rejects, notes, saves the decisions; in Chromium."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest
from browser import Opened, Opener
from fakes import IN_SYNC, OFF_SCREEN, faceless, over_time_of
from folders import entries_in, make_videos, run
from page_fakes import WHOLE, make_content, many_videos, with_score

from syncnet.decisions.file import Entry, read_decisions
from syncnet.decisions.kept import Decisions
from syncnet.overtime.judging import judge_video
from syncnet.results import VideoResult
from syncnet.settings import OverTimeSettings, Thresholds


def verdict(page: Opened) -> str:
    return str(page.tab.inner_text("#detail .badge"))


def reasons(page: Opened) -> list[str]:
    return list(page.tab.locator("#detail .reasons li").all_inner_texts())


def save(page: Opened, to: Path) -> Path:
    with page.tab.expect_download() as saving:
        page.tab.click("#save")
    saving.value.save_as(to)
    page.settle()
    return to


def test_what_is_decided_by_key_is_shown_counted_and_kept(open_page: Opener, tmp_path: Path) -> None:
    content = make_content(tmp_path, [with_score("bad.mp4", 1.0), with_score("fine.mp4", 7.0), faceless("none.mp4")])
    page = open_page(content)
    assert page.tab.is_hidden("#decisions")
    page.open_video("bad.mp4")
    page.tab.keyboard.press("a")
    page.settle()
    assert (verdict(page), reasons(page)) == (
        "\u2713 passes", ["accepted by a person", "against it: confidence 1.0 is below 5.0"],
    )  # fmt: skip
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("n")
    page.tab.keyboard.type("dubbed, <b>rather")
    page.tab.keyboard.press("Enter")
    page.tab.keyboard.press("r")
    page.settle()
    assert (verdict(page), reasons(page)[0]) == ("\u2717 does not pass", "rejected by a person: dubbed, <b>rather")
    page.tab.keyboard.press("ArrowRight")
    assert page.tab.locator("#detail .decide").count() == 0, "without a score there is nothing to decide"
    page.tab.keyboard.press("a")
    page.tab.keyboard.press("Escape")
    page.settle()
    assert page.counts() == [1, 1, 1, 0]
    assert page.tab.inner_text("#decided") == "1 accepted, 1 rejected."
    assert "2 changes are not applied yet. This browser keeps them." in page.tab.inner_text("#unapplied")
    # After a reload it is all there; what is taken back is not.
    page.tab.reload()
    assert page.tab.inner_text("#decided") == "1 accepted, 1 rejected."
    page.tab.fill("#search", "rather")
    assert page.names() == ["fine.mp4"]
    page.tab.fill("#search", "")
    page.tab.select_option("#reason", "accepted")
    assert page.names() == ["bad.mp4"]
    page.open_video("bad.mp4")
    page.tab.keyboard.press("u")
    page.settle()
    assert reasons(page)[0] == "confidence 1.0 is below 5.0"
    assert page.counts() == [0, 2, 1, 0]
    # Thresholds decide on nothing that a person decided on.
    page.tab.keyboard.press("Escape")
    page.type_number("confidence", 0)
    assert page.counts() == [1, 1, 1, 0]


def test_two_folders_do_not_mix(open_page: Opener, tmp_path: Path) -> None:
    results = [with_score("a.mp4", 1.0)]
    page = open_page(make_content(tmp_path / "one", results))
    page.open_video("a.mp4")
    page.tab.keyboard.press("a")
    page.settle()
    assert page.counts()[0] == 1
    assert open_page(make_content(tmp_path / "two", results)).counts()[0] == 0
    assert open_page(make_content(tmp_path / "one", results)).counts()[0] == 1


def test_a_decision_on_another_version_of_the_file_does_not_count(open_page: Opener, tmp_path: Path) -> None:
    result = with_score("a.mp4", 1.0)
    page = open_page(make_content(tmp_path, [result]))
    page.open_video("a.mp4")
    page.tab.keyboard.press("a")
    page = open_page(make_content(tmp_path, [replace(result, mtime_ns=1_700_000_000_123_456_789)]))
    assert page.counts()[0] == 0
    assert "1 decision in this browser is about other versions of files" in page.tab.inner_text("#astray")
    page.tab.click("#forget")
    page.settle()
    assert page.tab.is_hidden("#decisions")


@pytest.mark.usefixtures("fake_scoring")
def test_the_command_obeys_the_file_that_the_page_saves(open_page: Opener, tmp_path: Path) -> None:
    """From the first run to the second, with a name that is no UTF-8 and a note of two lines."""
    odd = "poor \udcff.mp4"
    videos = make_videos(tmp_path / "in", "fine.mp4", "other_fine.mp4", odd)
    open_page.path = tmp_path / "out" / "report.html"
    call = (videos, tmp_path / "out", "--score_cache", "off")
    run(*call)
    open_page.videos = {file.as_uri() for file in videos.iterdir()}
    page = open_page.visit()
    page.open_video("poor \\udcff.mp4")
    page.tab.keyboard.press("a")
    page.tab.keyboard.press("Escape")
    page.open_video("fine.mp4")
    page.tab.fill("#detail .note", "not his voice")
    page.tab.click("#detail .decide.reject")
    page.tab.keyboard.press("Escape")
    page.settle()
    saved = save(page, tmp_path / "saved.jsonl")
    assert "--decisions ~/Downloads/decisions-" in page.tab.inner_text("#command")
    run(*call, "--decisions", str(saved))
    entries = entries_in(tmp_path / "out")
    assert {name: entry["decision"] for name, entry in entries.items()} == {
        odd: "accept", "fine.mp4": "reject", "other_fine.mp4": None,
    }  # fmt: skip
    assert entries["fine.mp4"]["quality_reasons"] == ["rejected by a person: not his voice"]
    assert (tmp_path / "out" / "good_quality" / odd).exists()
    # The page of that run knows what was applied, and takes one of them back.
    page = open_page.visit()
    assert page.tab.inner_text("#unapplied") == "A run has obeyed all of them."
    assert "As in the last run" in page.tab.inner_text("#changed")
    page.open_video("fine.mp4")
    assert page.tab.input_value("#detail .note") == "not his voice"
    page.tab.keyboard.press("u")
    page.tab.keyboard.press("Escape")
    page.settle()
    assert page.counts()[:2] == [3, 0]
    run(*call, "--decisions", str(save(page, tmp_path / "again.jsonl")))
    assert entries_in(tmp_path / "out")["fine.mp4"]["decision"] is None


def test_a_segment_is_decided_by_itself(open_page: Opener, tmp_path: Path) -> None:
    page = open_page(make_content(tmp_path, [with_score("a.mp4", 7.0, over_time=over_time_of(IN_SYNC, OFF_SCREEN))]))
    page.open_video("a.mp4")
    segments = page.tab.locator("#detail button.segment")
    segments.nth(0).click()
    assert (
        page.tab.inner_text(".chosen > span >> nth=0") == "0:01 \u2013 0:04: passes, confidence 7.1, sound 40 ms early"
    )
    page.tab.click(".chosen .reject")
    page.settle()
    assert "does not pass" in page.tab.inner_text(".chosen > span >> nth=0")
    assert "fail" in (segments.nth(0).get_attribute("class") or "")
    assert verdict(page) == "\u2713 passes"
    segments.nth(1).click()
    assert page.tab.is_hidden(".chosen .accept"), "where no face is seen there is nothing to decide"
    page.tab.keyboard.press("Escape")
    assert page.tab.inner_text("#decided") == "0 accepted, 0 rejected, and 1 range within videos."
    (entry,) = read_decisions(save(page, tmp_path / "saved.jsonl"))
    assert (entry.video, entry.decision, entry.start, entry.end, entry.track) == ("a.mp4", "reject", 1.0, 4.0, 0)


def decided_at_random(results: list[VideoResult]) -> Decisions:
    rng = random.Random(3)
    entries = []
    for result in results:
        name = str(result.relative_path)
        if rng.random() < 0.3:
            entries.append(Entry(name, rng.choice(["accept", "reject"])))
        for one in result.over_time.segments if result.over_time else ():
            if rng.random() < 0.5:
                ends = round(one.segment.start_seconds, 2), round(one.segment.end_seconds, 2)
                entries.append(Entry(name, rng.choice(["accept", "reject"]), "", *ends, rng.choice([None, 0, 1])))
        if rng.random() < 0.2:
            entries.append(Entry(name, "reject", start=0.0, end=rng.choice([4.0, 60.0])))
    return Decisions(entries)


@pytest.mark.parametrize("settings", [OverTimeSettings(), WHOLE])
def test_with_decisions_the_browser_counts_as_python_does(
    open_page: Opener, tmp_path: Path, settings: OverTimeSettings
) -> None:
    results = many_videos(200, Thresholds())
    decisions = decided_at_random(results)
    page = open_page(replace(make_content(tmp_path, results, over_time=settings), decisions=decisions))
    for confidence in (5.0, 3.0, 7.3):
        page.type_number("confidence", confidence)
        passing = 0
        for result in results:
            if result.status == "success":
                over_time = result.over_time and result.over_time.over_time
                said = decisions.about(str(result.relative_path), None)
                limits = Thresholds(confidence), settings, None, said
                passing += judge_video(result.best, None, over_time, *limits)[0].passed
        assert page.counts()[0] == passing


def test_the_file_that_is_saved_is_json_lines(open_page: Opener, tmp_path: Path) -> None:
    content = make_content(tmp_path, [replace(with_score("a.mp4", 1.0), mtime_ns=1_700_000_000_123_456_789)])
    page = open_page(content)
    page.open_video("a.mp4")
    page.tab.keyboard.press("a")
    page.tab.keyboard.press("Escape")
    page.settle()
    assert [json.loads(line) for line in save(page, tmp_path / "saved.jsonl").read_text().splitlines()] == [
        {"video": "a.mp4", "decision": "accept", "note": "", "file_size": 9, "modified_ns": "1700000000123456789"}
    ]

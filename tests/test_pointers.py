from __future__ import annotations

import pytest
from fakes import ONE_OF_EACH, faceless, failed, make_run, make_score, successful

from syncnet.report.pointers import find_pointers
from syncnet.report.summary import format_summary
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence
from syncnet.settings import Thresholds

GOOD = successful("good.mp4", make_score(7.0))
LOW = successful("low.mp4", make_score(3.0))
LATE = successful("late.mp4", make_score(7.0, -6))
AT_THE_END = successful("end.mp4", make_score(7.0, 15))
LOW_AND_LATE = successful("both.mp4", make_score(3.0, -6))
UNPROVEN = successful("unproven.mp4", make_score(7.0, -6, evidence=Evidence("none", "no speech in the sound")))


@pytest.mark.parametrize(
    ("results", "headings"),
    [
        ([], []),
        (ONE_OF_EACH, []),
        ([GOOD, LOW], []),
        ([GOOD, LOW, LOW], ["Most videos do not pass"]),
        ([LOW, LATE], ["Most videos do not pass"]),
        ([LOW, LATE, LATE], ["The offset looks wrong"]),
        ([GOOD, LATE, LATE], ["The offset looks wrong"]),
        ([AT_THE_END], ["Most videos do not pass"]),
        ([LOW_AND_LATE], ["Most videos do not pass"]),
        ([UNPROVEN, UNPROVEN, LATE], ["No evidence of sync"]),
        ([faceless("a.mp4")], ["No faces detected"]),
        ([faceless("a.mp4"), GOOD], []),
        ([faceless("a.mp4"), faceless("b.mp4"), LOW], ["No faces detected", "Most videos do not pass"]),
        ([failed("a.mp4"), failed("b.mp4"), GOOD], ["A file failed"]),
    ],
)
def test_what_became_of_most_videos_is_pointed_at(results: list[VideoResult], headings: list[str]) -> None:
    pointers = find_pointers(results, Thresholds())
    assert [pointer.split('"')[1] for pointer in pointers] == headings
    assert all("docs/troubleshooting.md" in pointer for pointer in pointers)


def test_the_limits_that_hold_decide_what_is_shifted() -> None:
    """At 8 frames to either side a file that is 6 frames off is not filtered out for that."""
    assert '"Most videos do not pass"' in find_pointers([LATE], Thresholds(min_confidence=2.0, max_abs_offset=8))[0]


def test_the_summary_says_it_before_it_names_the_results() -> None:
    text = format_summary(make_run([LATE]), 200)
    pointed = 'Most scored videos do not pass: see docs/troubleshooting.md, "The offset looks wrong".'
    assert f"{pointed}\n\nResults: " in text


def test_a_run_that_was_stopped_draws_no_conclusions() -> None:
    text = format_summary(make_run([failed("a.mp4")], unprocessed=5, interrupted=True), 200)
    assert "troubleshooting" not in text

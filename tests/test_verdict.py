from __future__ import annotations

from typing import Literal

import pytest
from fakes import make_score

from syncnet.faces.no_track import NoTrackReason
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.stretches import Stretch
from syncnet.settings import Thresholds
from syncnet.verdict import describe_offset, judge, offset_direction, offset_milliseconds

LIMITS = Thresholds(min_confidence=5.0, max_abs_offset=3)


@pytest.mark.parametrize("offset", [-3, 0, 3])
def test_a_video_on_both_limits_passes(offset: int) -> None:
    verdict = judge(make_score(5.0, offset), LIMITS)
    assert verdict.passed
    assert verdict.reasons == ()


def test_low_confidence_is_the_reason() -> None:
    verdict = judge(make_score(3.14, 0), LIMITS)
    assert not verdict.passed
    assert verdict.reasons == ("confidence 3.1 is below 5.0",)


def test_positive_offset_is_sound_early_in_milliseconds_of_forty_a_frame() -> None:
    assert judge(make_score(9.0, 8), LIMITS).reasons == ("offset +8 frames (320 ms, sound early) is beyond 3",)


def test_negative_offset_is_sound_late() -> None:
    assert judge(make_score(9.0, -4), LIMITS).reasons == ("offset -4 frames (160 ms, sound late) is beyond 3",)


def test_both_limits_missed_are_two_reasons_and_the_edge_of_the_search_is_named() -> None:
    assert judge(make_score(0.5, -15), LIMITS).reasons == (
        "confidence 0.5 is below 5.0",
        (
            "offset -15 frames (600 ms, sound late) is beyond 3, at the edge of the search range: "
            "no matching shift was found"
        ),
    )


@pytest.mark.parametrize(("confidence", "shown"), [(4.96, "4.96"), (4.9996, "4.9996"), (4.94, "4.9")])
def test_a_near_miss_is_not_rounded_up_to_the_limit(confidence: float, shown: str) -> None:
    assert judge(make_score(confidence), LIMITS).reasons == (f"confidence {shown} is below 5.0",)


def test_a_confidence_that_is_no_number_never_passes() -> None:
    verdict = judge(make_score(float("nan")), Thresholds(min_confidence=0.0))
    assert verdict.reasons == ("confidence is not a number, 0.0 is needed",)


@pytest.mark.parametrize(
    ("distance", "reason"),
    [
        (13.0, None),
        (13.04, "distance 13.04 is above 13.0"),
        (14.96, "distance 15.0 is above 13.0"),
        (float("nan"), "distance is not a number, at most 13.0 is allowed"),
    ],
)
def test_a_distance_above_its_limit_is_a_reason(distance: float, reason: str | None) -> None:
    score = make_score(9.0, 0, min_distance=distance)
    assert judge(score, Thresholds(max_distance=13.0)).reasons == ((reason,) if reason else ())
    assert judge(score, Thresholds()).passed


def test_no_track_is_a_verdict_with_the_reason_of_the_tracking_stage() -> None:
    verdict = judge(None, LIMITS, NoTrackReason())
    assert not verdict.passed
    assert verdict.reasons == ("no face seen",)
    assert judge(None, LIMITS).reasons == ("no face track",)


@pytest.mark.parametrize(
    ("offset", "milliseconds", "direction", "words"),
    [
        (3, 120, "sound early", "sound 120 ms early"),
        (-1, -40, "sound late", "sound 40 ms late"),
        (0, 0, *["in sync"] * 2),
    ],
)
def test_words_and_milliseconds(offset: int, milliseconds: int, direction: str, words: str) -> None:
    assert offset_milliseconds(offset) == milliseconds
    assert offset_direction(offset) == direction
    assert describe_offset(offset) == words


def test_without_evidence_nothing_passes_and_the_reason_is_told() -> None:
    none = Evidence("none", "no speech in the sound")
    verdict = judge(make_score(9.0, 0, evidence=none), LIMITS)
    assert verdict.reasons == ("no evidence of sync (no speech in the sound)",)


@pytest.mark.parametrize("level", ["strong", "weak"])
def test_evidence_of_either_kind_is_no_reason(level: Literal["strong", "weak"]) -> None:
    assert judge(make_score(9.0, 0, evidence=Evidence(level, "", 8, 8)), LIMITS).passed


@pytest.mark.parametrize(("second", "passes"), [(3, True), (6, False)])
def test_an_offset_that_changes_has_to_stay_within_the_limits(second: int, passes: bool) -> None:
    pieces = (OffsetPiece(0.0, 4.2, 0), OffsetPiece(3.6, 7.84, second))
    verdict = judge(make_score(9.0, 0, evidence=Evidence("strong", "", 18, 9, pieces)), LIMITS)
    assert verdict.passed == passes
    if not passes:
        assert verdict.reasons == ("the offset changes: +0 from 0.0 s to 4.2 s, +6 from 3.6 s to 7.8 s",)


@pytest.mark.parametrize(("offset", "passes"), [(-4, False), (-3, True), (1, True), (2, False)])
def test_limits_may_differ_by_side(offset: int, passes: bool) -> None:
    verdict = judge(make_score(9.0, offset), Thresholds(min_offset=-3, max_offset=1))
    assert verdict.passed == passes
    if not passes:
        assert verdict.reasons[0].endswith("is not within -3 and +1")


@pytest.mark.parametrize(
    ("matched", "unmatched", "passes"), [(3.0, 0.96, True), (2.96, 0.96, False), (2.2, 0.81, False), (2.2, 0.79, True)]
)
def test_speech_that_the_lips_do_not_fit_is_a_reason_beyond_a_quarter_in_long_stretches(
    matched: float, unmatched: float, passes: bool
) -> None:
    stretches = (Stretch(0.2, 3.2, 4.0 - unmatched, matched), Stretch(3.2, 4.2, unmatched, 0.0))
    verdict = judge(make_score(9.0, 0, evidence=Evidence("strong", "", 8, 6, (), stretches, 4.0)), LIMITS)
    assert verdict.passed == passes
    if not passes:
        share = "26%" if matched > 2.5 else "45%"
        assert verdict.reasons == (f"fits 0.2 - 3.2 s only: no match for {share} of the speech",)

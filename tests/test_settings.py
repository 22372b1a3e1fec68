from __future__ import annotations

import pytest

from syncnet.errors import UsageError
from syncnet.settings import Thresholds, TrackSettings, resolve_thresholds


@pytest.mark.parametrize(
    ("preset", "confidence", "offset"), [("strict", 8.0, 2), ("high", 6.0, 3), ("medium", 4.0, 5), ("relaxed", 2.0, 8)]
)
def test_each_preset_is_its_published_pair(preset: str, confidence: float, offset: int) -> None:
    assert resolve_thresholds(preset, None, None) == Thresholds(confidence, offset)


def test_without_anything_the_defaults_hold() -> None:
    assert resolve_thresholds(None, None, None) == Thresholds(5.0, 3)


def test_an_explicit_value_wins_over_the_preset_and_leaves_the_other_alone() -> None:
    assert resolve_thresholds("strict", 1.0, None) == Thresholds(1.0, 2)
    assert resolve_thresholds("strict", None, 7) == Thresholds(8.0, 7)


def test_an_explicit_zero_is_a_value() -> None:
    assert resolve_thresholds("strict", 0.0, 0) == Thresholds(0.0, 0)


@pytest.mark.parametrize("confidence", [float("nan"), float("inf"), -0.1])
def test_a_confidence_that_is_no_threshold_is_wrong_usage(confidence: float) -> None:
    with pytest.raises(UsageError, match="--min_confidence"):
        Thresholds(min_confidence=confidence)


def test_a_negative_offset_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--max_abs_offset -1: give a whole number of 0 or more"):
        Thresholds(max_abs_offset=-1)


def test_faces_and_tracks_of_nothing_are_wrong_usage() -> None:
    with pytest.raises(UsageError, match="--min_face_size 0"):
        TrackSettings(min_face_px=0)
    with pytest.raises(UsageError, match="--min_track -5"):
        TrackSettings(min_track_frames=-5)


def test_limits_of_each_side_take_the_place_of_the_symmetric_one() -> None:
    thresholds = resolve_thresholds("medium", None, None, min_offset=-2)
    assert (thresholds.lowest_offset, thresholds.highest_offset) == (-2, 5)
    with pytest.raises(UsageError, match="no offset lies between 4 and 3"):
        Thresholds(min_offset=4)

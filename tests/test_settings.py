from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from syncnet.errors import UsageError
from syncnet.settings import (
    ReportOptions,
    RunOptions,
    ScorerSettings,
    Thresholds,
    TrackSettings,
    WeightsPolicy,
    resolve_thresholds,
)

WRONG_TYPES: dict[str, Callable[[], object]] = {
    "--min_confidence high": lambda: Thresholds("high"),
    "--min_confidence True": lambda: Thresholds(True),
    "--max_abs_offset 2.5": lambda: Thresholds(5, 2.5),
    "--max_abs_offset None": lambda: Thresholds(5, None),
    "--min_track 50.0": lambda: TrackSettings(50, 50.0),
    "--offline yes": lambda: WeightsPolicy(offline="yes"),
    "--weights_dir 7": lambda: WeightsPolicy(7),
    "--model None": lambda: ScorerSettings(model=None),
    "--report on": lambda: ReportOptions(page="on"),
    "thresholds (5, 3)": lambda: ScorerSettings((5, 3)),
    "--isolate 1": lambda: RunOptions(isolate=1),
    "--settle 1e999": lambda: RunOptions(settle_seconds="1e999"),
    "min_overlap nan": lambda: TrackSettings(min_overlap=math.nan),
}


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


@pytest.mark.parametrize("words", WRONG_TYPES)
def test_wrong_types_are_wrong_usage(words: str) -> None:
    with pytest.raises(UsageError) as caught:
        WRONG_TYPES[words]()
    assert str(caught.value).startswith(f"{words}: give ")


def test_a_default_gives_way_where_another_setting_brings_one_and_a_given_number_does_not() -> None:
    usual = ScorerSettings()
    assert replace(usual, reference=True).tracks == TrackSettings(100, 100)
    assert replace(replace(usual, reference=True), reference=False).tracks == TrackSettings(50, 50)
    given = ScorerSettings(tracks=TrackSettings(50, 60))
    assert replace(given, reference=True).tracks == TrackSettings(50, 60)
    sent = pickle.loads(pickle.dumps(ScorerSettings(reference=True)))
    assert replace(sent, reference=False).tracks == TrackSettings(50, 50)
    assert (RunOptions(cron=True).settle_seconds, RunOptions().settle_seconds) == (60.0, 0.0)
    assert replace(RunOptions(), cron=True).settle_seconds == 60.0
    assert RunOptions(cron=True, settle_seconds=0).settle_seconds == 0.0


def test_numbers_and_paths_of_a_kind_are_brought_to_their_types() -> None:
    thresholds = Thresholds(np.float32(4.5), np.int64(2))
    assert thresholds == Thresholds(4.5, 2)
    assert [type(value) for value in (thresholds.min_confidence, thresholds.max_abs_offset)] == [float, int]
    assert type(Thresholds(5).min_confidence) is float
    assert WeightsPolicy("models").weights_dir == Path("models")
    assert RunOptions(score_cache="off").score_cache == "off"
    assert RunOptions(score_cache="./off").score_cache == Path("off")

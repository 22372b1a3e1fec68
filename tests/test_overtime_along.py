"""Jumps and drifts from points whose answer is known."""

from __future__ import annotations

import dataclasses
import tracemalloc
from collections.abc import Mapping

import numpy as np
import pytest

from syncnet.overtime.along import _cheapest_ways, along_of
from syncnet.overtime.drift import fit_line, ratio_name
from syncnet.overtime.points import Points
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong, Segment

SEGMENT_SECONDS, GAP_SECONDS = 8.0, 1.0


def points_at(
    *offsets_ms: float,
    tracks: int = 1,
    slope: float = 0.0,
    noise_ms: float = 4.0,
    odds: Mapping[int, float] | None = None,
) -> Points:
    """Segments of 8 s with two points each, a second between them; ``tracks``: segments of one track in a row.

    ``odds``: of some segments; the others are sure.
    """
    rng = np.random.default_rng(3)
    segments, seconds, ms = [], [], []
    for number, offset in enumerate(offsets_ms):
        start = number * (SEGMENT_SECONDS + GAP_SECONDS)
        segments.append(Segment("speech", start, start + SEGMENT_SECONDS, 7.0, number // tracks, evidence="strong"))
        for place in (start + 2, start + 6):
            seconds.append(place)
            ms.append(offset + slope * place + rng.normal(0, noise_ms))
    segment = np.repeat(np.arange(len(segments)), 2)
    told = np.array([(odds or {}).get(number, 60.0) for number in range(len(segments))])
    return Points(np.array(seconds), np.array(ms), segment // tracks, segment, tuple(segments), told)


def test_without_points_nothing_is_known() -> None:
    assert along_of(points_at()) == OffsetAlong("none")


def test_the_middle_of_an_offset_that_stays() -> None:
    along = along_of(points_at(*[38.0] * 10))
    assert (along.kind, along.jumps, along.drift) == ("constant", (), None)
    assert along.offset_ms == pytest.approx(38, abs=3)


@pytest.mark.parametrize("size_ms", [-240.0, 120.0])
def test_a_jump_is_told_with_its_time_and_size(size_ms: float) -> None:
    along = along_of(points_at(*[10.0] * 6, *[10.0 + size_ms] * 5))
    assert along.kind == "jumps"
    (jump,) = along.jumps
    # Segment 5 ends at 53, segment 6 starts at 54.
    assert (jump.at_seconds, jump.earliest_seconds) == (53.5, 53.0)
    assert jump.after_ms - jump.before_ms == pytest.approx(size_ms, abs=6)


def test_a_jump_across_a_long_pause_is_where_the_new_offset_is_first_heard() -> None:
    points = points_at(*[0.0] * 5, *[0.0] * 3, *[200.0] * 5)
    mask = (points.segment < 5) | (points.segment > 7)
    (jump,) = along_of(points.chosen(mask)).jumps
    assert (jump.earliest_seconds, jump.at_seconds) == (44.0, 72.0)


def test_a_jump_in_mid_speech_is_where_the_lips_no_longer_fit() -> None:
    points = points_at(*[0.0] * 5, *[0.0] * 3, *[200.0] * 5)
    chosen = points.chosen((points.segment < 5) | (points.segment > 7))
    (jump,) = along_of(dataclasses.replace(chosen, broken_off=frozenset({4}))).jumps
    assert (jump.earliest_seconds, jump.at_seconds) == (44.0, 44.0)


def test_offsets_that_change_to_and_fro_leave_no_line_between_them() -> None:
    # The line in the middle is 200 ms from every point; a video with such offsets failed as a whole.
    points = points_at(*[0.0, 400.0] * 10)
    assert fit_line(points) is None
    along = along_of(points)
    assert (along.kind, along.drift, len(along.jumps)) == ("jumps", None, 19)


def test_offsets_at_one_time_alone_leave_no_line() -> None:
    points = points_at(0.0, 400.0, -500.0)
    assert fit_line(points.chosen(points.seconds == points.seconds[0])) is None


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_offsets_are_there_is_an_account(seed: int) -> None:
    rng = np.random.default_rng(seed)
    offsets = rng.choice([0.0, 400.0, -200.0, 80.0, 520.0], rng.integers(1, 25))
    points = points_at(*offsets, tracks=int(rng.integers(1, 4)), noise_ms=float(rng.choice([0, 4, 40])))
    assert along_of(points).kind in {"constant", "jumps", "drift", "mixed"}


def test_two_offsets_of_two_shots_are_a_jump_and_no_drift() -> None:
    along = along_of(points_at(0.0, -320.0))
    assert along.kind == "jumps"
    assert [round(jump.after_ms - jump.before_ms, -1) for jump in along.jumps] == [-320]


def test_an_offset_that_comes_back_jumps_twice() -> None:
    along = along_of(points_at(*[0.0] * 4, *[-320.0] * 2, *[0.0] * 4))
    assert [round(jump.after_ms, -1) for jump in along.jumps] == [-320, 0]


def test_one_segment_at_another_offset_is_two_jumps_only_where_chance_does_not_make_it() -> None:
    # A jump costs 10, and 8 of the odds are those of chance: 28 are needed.
    by_chance = along_of(points_at(*[0.0] * 4, -320.0, *[0.0] * 4, odds={4: 27.0}))
    assert (by_chance.kind, by_chance.jumps) == ("constant", ())
    assert by_chance.offset_ms == pytest.approx(0, abs=3)
    surer = along_of(points_at(*[0.0] * 4, -320.0, *[0.0] * 4, odds={4: 29.0}))
    assert [round(jump.after_ms, -1) for jump in surer.jumps] == [-320, 0]
    # At the end of the file it is one jump, and two of them together are believed before each of them is.
    assert along_of(points_at(*[0.0] * 4, -320.0, odds={4: 17.0})).kind == "constant"
    assert along_of(points_at(*[0.0] * 4, -320.0, -320.0, odds={4: 17.0, 5: 17.0})).kind == "jumps"


@pytest.mark.parametrize("far", [1, 3, 20])
def test_the_cheapest_way_to_an_offset_is_that_of_a_table_of_all_pairs(far: int) -> None:
    rng = np.random.default_rng(far)
    places = np.arange(16)
    steps = np.abs(places[:, None] - places)
    change = np.where(steps >= far, 10.0, np.where(steps > 0, np.inf, 0.0))
    for _ in range(50):
        # Whole numbers, so that many ways cost the same.
        costs = rng.integers(0, 25, len(places)).astype(float)
        sources, least = _cheapest_ways(costs, far)
        np.testing.assert_array_equal(sources, (costs + change).argmin(axis=1))
        np.testing.assert_array_equal(least, (costs + change).min(axis=1))


def test_two_hours_of_a_drift_that_begins_anew_take_little_memory() -> None:
    # 5 ms more each second, and back to nothing every 108 s: beside the slope the offsets spread over 36 s.
    offsets = [-5.0 * 108 * (number // 12) for number in range(800)]
    points = points_at(*offsets, tracks=12, slope=5.0)
    tracemalloc.start()
    along = along_of(points)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (along.kind, len(along.jumps)) == ("mixed", 66)
    assert along.drift is not None and along.drift.ms_per_minute == pytest.approx(300, abs=3)
    # A table of all pairs of offsets would take 100 MB.
    assert peak < 20e6


def test_a_jump_lies_beside_the_segments_that_have_its_offsets() -> None:
    # Segment 4 ends at 44 s and 6 starts at 54; 5, between them, is chance.
    (jump,) = along_of(points_at(*[0.0] * 5, 500.0, *[200.0] * 5, odds={5: 12.0})).jumps
    assert (jump.earliest_seconds, jump.at_seconds) == (44.0, 54.0)


def test_offsets_that_may_hold_in_a_range() -> None:
    assert list(OffsetAlong("none").offsets_between(0, 9)) == []
    assert list(OffsetAlong("constant", 38.0).offsets_between(0, 9)) == [(38.0, 38.0)]
    drift = Drift(60.0, (58.0, 62.0), 5.0, 10.0, 605.0, 610.0)
    assert list(OffsetAlong("drift", drift=drift).offsets_between(35, 45)) == [(40.0, 50.0)]
    jumps = (Jump(90.0, 88.0, 0.0, 320.0), Jump(200.0, 199.0, 320.0, 40.0))
    along = OffsetAlong("jumps", jumps=jumps)
    assert list(along.offsets_between(80, 88)) == [(0.0, 0.0)]
    # Between the last segment of the one offset and the first of the other either may hold.
    assert list(along.offsets_between(86, 89)) == [(0.0, 0.0), (320.0, 320.0)]
    assert list(along.offsets_between(100, 300)) == [(320.0, 320.0), (40.0, 40.0)]
    both = OffsetAlong("mixed", jumps=jumps[:1], drift=drift)
    assert list(both.offsets_between(98, 100)) == [(328.0, 330.0)]


def test_two_frames_between_faces_are_no_jump_and_no_drift() -> None:
    rng = np.random.default_rng(7)
    for _ in range(20):
        along = along_of(points_at(*rng.uniform(-40, 40, 12)))
        assert along.kind == "constant"


@pytest.mark.parametrize("slope", [-2.0, 1.0])
def test_a_drift_is_told_with_its_rate(slope: float) -> None:
    rng = np.random.default_rng(1)
    along = along_of(points_at(*rng.normal(0, 12, 22), slope=slope))
    assert (along.kind, along.jumps) == ("drift", ())
    assert along.drift is not None
    assert along.drift.ms_per_minute == pytest.approx(60 * slope, rel=0.1)
    low, high = along.drift.interval_ms_per_minute
    assert low <= 60 * slope <= high
    # It starts at 0 s, and its last segment ends at 197 s.
    assert along.drift.end_ms - along.drift.start_ms == pytest.approx(197 * slope, rel=0.1)


def test_a_drift_within_one_long_shot_is_one_whatever_its_offset() -> None:
    along = along_of(points_at(*[-80.0] * 12, tracks=12, slope=0.8))
    assert along.kind == "drift"
    assert along.drift is not None and along.drift.ms_per_minute == pytest.approx(48, rel=0.1)


def test_a_jump_on_top_of_a_drift_is_both() -> None:
    along = along_of(points_at(*[0.0] * 8, *[300.0] * 8, tracks=8, slope=-2.0))
    assert along.kind == "mixed"
    assert along.drift is not None and along.drift.ms_per_minute == pytest.approx(-120, rel=0.1)
    (jump,) = along.jumps
    assert (jump.at_seconds, jump.after_ms - jump.before_ms) == (71.5, pytest.approx(300, abs=30))


def test_points_far_off_do_not_turn_the_line() -> None:
    points = points_at(*[0.0] * 20, slope=1.0)
    points.ms[[3, 21, 30]] += 300
    line = fit_line(points)
    assert line and line.slope == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    ("share", "name"),
    [
        (0.001, "1000/1001"),
        (1 / 1001, "1000/1001"),
        (1 - 24000 / 1001 / 25, "24000/1001 against 25"),
        (1 - 24 / 25, "24 against 25"),
        (0.002, ""),
        (0.0005, ""),
    ],
)
def test_known_ratios_have_names(share: float, name: str) -> None:
    assert ratio_name(-1000 * share, 0.002) == ratio_name(1000 * share, 0.0) == name

"""Offsets between the frames, on parabolas whose minimum is known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from syncnet.scoring.timing import parabola_offsets, time_offset

SHIFTS = np.arange(-15, 16)


def parabola(offset_frames: float) -> np.ndarray:
    """Its minimum lies where the sound is early by ``offset_frames``: at shift -offset."""
    return 0.01 * (SHIFTS + offset_frames) ** 2


@pytest.mark.parametrize("offset", [-3.4, -0.5, 0.0, 0.25, 2.0, 7.9])
def test_the_minimum_of_a_parabola_is_found_exactly(offset: float) -> None:
    assert parabola_offsets(parabola(offset)[None])[0] == pytest.approx(offset)


def test_at_the_edge_there_is_nothing_to_fit() -> None:
    assert parabola_offsets(parabola(15.3)[None])[0] == 15


def test_a_neighbour_that_does_not_exist_leaves_whole_frames() -> None:
    curve = parabola(3.3)
    curve[15 - 4] = np.nan
    assert parabola_offsets(curve[None])[0] == 3


def test_milliseconds_are_forty_a_frame_and_windows_that_agree_leave_no_doubt() -> None:
    timing = time_offset(parabola(2.5), np.stack([parabola(2.5)] * 8))
    assert timing.milliseconds == pytest.approx(100)
    assert timing.interval_ms == (pytest.approx(100), pytest.approx(100))


def test_windows_that_differ_widen_the_interval_to_what_they_say() -> None:
    windows = np.stack([parabola(1.0), parabola(3.0)] * 10)
    low, high = time_offset(windows.mean(axis=0), windows).interval_ms or (0, 0)
    # Means of eight draws of 40 and 120 ms: within them, on both sides of 80, and well apart.
    assert 40 <= low < 70
    assert 90 < high <= 120


def test_the_same_windows_give_the_same_interval() -> None:
    windows = np.random.default_rng(3).random((12, 31))
    curve = windows.mean(axis=0)
    assert time_offset(curve, windows) == time_offset(curve, windows)


def test_two_windows_are_too_few_for_an_interval() -> None:
    assert time_offset(parabola(1.0), np.stack([parabola(1.0)] * 2)).interval_ms is None


def test_a_shift_without_a_pair_in_many_windows_is_no_warning() -> None:
    # So many windows are taken in groups; the first shift has no pair in the first half of them.
    windows = np.tile(parabola(0.0), (500, 1))
    windows[:250, 0] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        timing = time_offset(parabola(0.0), windows)
    assert timing.interval_ms == pytest.approx((0.0, 0.0))

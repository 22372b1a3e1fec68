"""Mean, median, deviation and the interval of the mean, against values worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from syncnet.evaluation.statistics import summarise


def test_statistics_of_five_values_are_those_worked_out_by_hand() -> None:
    summary = summarise([[2.0], [4.0], [4.0], [5.0], [10.0]], seed=0)
    assert summary is not None and summary.interval is not None
    assert (summary.n, summary.files, summary.mean, summary.median) == (5, 5, 5.0, 4.0)
    # Squares of the distances from 5: 9 + 1 + 1 + 0 + 25 = 36, over n - 1 = 4.
    assert summary.deviation == pytest.approx(3.0)
    assert 2.0 < summary.interval[0] < 5.0 < summary.interval[1] < 10.0


def test_the_interval_of_many_values_is_that_of_the_normal_distribution() -> None:
    values = np.random.default_rng(7).normal(6.0, 2.0, 2000)
    summary = summarise([[value] for value in values], seed=0)
    assert summary is not None and summary.interval is not None and summary.deviation is not None
    half = 1.96 * summary.deviation / math.sqrt(2000)
    # Two in a hundred: what 10,000 resamples leave to chance.
    assert summary.interval == pytest.approx((summary.mean - half, summary.mean + half), abs=0.05 * half)


def test_the_interval_is_the_same_for_a_seed_and_another_for_another() -> None:
    values = [[math.sqrt(number)] for number in range(20)]
    assert summarise(values, 3) == summarise(values, 3) != summarise(values, 4)


def test_whole_files_are_drawn_and_each_crop_counts() -> None:
    # Ten equal crops of one video are no ten witnesses: either file may be drawn twice, with a chance of a quarter.
    summary = summarise([[8.0] * 9, [2.0]], seed=0)
    assert summary is not None
    assert (summary.n, summary.files, summary.mean) == (10, 2, 7.4)
    assert summary.interval == (2.0, 8.0)


def test_what_cannot_be_told_of_one_file_or_none_is_not_told() -> None:
    summary = summarise([[3.0]], seed=0)
    assert summary is not None
    assert (summary.mean, summary.deviation, summary.interval) == (3.0, None, None)
    assert summarise([[], []], seed=0) is None

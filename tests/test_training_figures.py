from __future__ import annotations

import pytest

from training.by_look import LOOKS, LOOKS_FILE, NONE, by_look, read_looks
from training.figures import auc, wilson


def test_interval_of_a_share() -> None:
    # 9 of 10: (0.9 + 0.19207 +- 1.96 sqrt(0.009 + 0.0096040)) / 1.38416
    assert wilson(9, 10) == pytest.approx((0.59586, 0.98213), abs=1e-3)
    low, high = wilson(100, 100)
    assert high == pytest.approx(1.0)
    assert low == pytest.approx(0.963, abs=1e-3)


def test_auc_counts_pairs_and_halves_for_ties() -> None:
    # Of the six pairs four are higher, one is equal, one is lower.
    assert auc([3.0, 5.0], [1.0, 3.0, 4.0]) == pytest.approx((4 + 0.5) / 6)
    assert auc([2.0], [1.0]) == 1.0


def test_a_clip_counts_for_every_look_that_it_has() -> None:
    right, wrong = (True, True), (False, False)
    looks = {"a": {"glasses", "beard"}, "b": {"beard"}}
    groups = by_look({"a": [right], "b": [wrong, right], "c": [wrong]}, looks)
    assert groups["glasses"] == [[right]]
    assert groups["beard"] == [[right], [wrong, right]]
    assert groups[NONE] == [[wrong]]
    assert groups["turned"] == groups["dim"] == []


def test_the_table_of_looks_names_known_looks_and_each_clip_once() -> None:
    rows = LOOKS_FILE.read_text().splitlines()[1:]
    looks = read_looks()
    assert len(looks) == len(rows) == 26
    assert set().union(*looks.values()) == set(LOOKS)

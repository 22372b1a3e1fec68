from __future__ import annotations

import pytest

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

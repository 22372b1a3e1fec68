"""How likely a score is right: the signs, the two regressions, and how they are fitted."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from syncnet.errors import ModelFileError
from syncnet.models.lite_calibration import read_calibration
from syncnet.models.odds import OddsTable
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.signs import signs_of
from training.odds import ScoredWindow, apart, fit, reliability, weights_of

SHIPPED = Path("weights/lite_calibration.json")
EVIDENCE = Evidence("strong", "", windows=8, agreeing=7, speech_seconds=4.0)


def curve_with(best: int, rival: int, rival_height: float) -> np.ndarray:
    """Median 1, lowest 0 at row ``best`` with a shoulder beside it, second lowest at row ``rival``."""
    curve = np.ones(31, np.float32)
    curve[best - 3 : best + 4] = 0.1
    curve[best], curve[rival] = 0, rival_height
    return curve


def test_signs_by_hand() -> None:
    signs = signs_of(5, 6.0, curve_with(10, 25, 0.25), EVIDENCE)
    assert signs == pytest.approx([6.0, np.log(4), 6 * np.log(4), 0.25, 0.8])


@pytest.mark.parametrize(("seconds", "counted"), [(0.0, 0.5), (3.0, 3.0), (7200.0, 8.0)])
def test_speech_longer_than_was_seen_makes_nothing_surer(seconds: float, counted: float) -> None:
    signs = signs_of(0, 6.0, curve_with(15, 25, 0.5), Evidence("strong", "", 8, 7, speech_seconds=seconds))
    assert signs[1] == pytest.approx(np.log(counted))


def test_a_curve_that_tells_nothing_has_no_gap() -> None:
    flat = np.ones(31, np.float32)
    assert signs_of(0, 0.0, flat, EVIDENCE)[3] == 0
    nowhere_else = np.full(31, np.nan, np.float32)
    nowhere_else[14:17] = 1, 0, 1
    assert signs_of(0, 3.0, nowhere_else, EVIDENCE)[3] == 0


def test_what_is_in_sync_belongs() -> None:
    surer_of_the_offset = OddsTable(np.array([np.log(9), 0, 0, 0, 0, 0]), np.array([0.0, 0, 0, 0, 0, 0]))
    odds = surer_of_the_offset.odds_of(np.zeros(5))
    assert (odds.p_in_sync, odds.p_belongs) == (0.9, 0.9)


def test_the_fit_finds_the_chances_that_were_drawn() -> None:
    rng = np.random.default_rng(3)
    signs = rng.standard_normal((20_000, 5)) * [1, 3, 1, 1, 1] + [0, 5, 0, 0, 0]
    true = np.array([0.5, 1.0, -0.3, 0.0, 0.0, 0.0])
    right = rng.random(20_000) < 1 / (1 + np.exp(-(true[0] + signs @ true[1:])))
    assert fit(signs, right, np.ones(20_000)) == pytest.approx(true, abs=0.1)


def test_each_source_is_judged_by_the_others() -> None:
    """Where the first sign means the opposite in one source, what the others teach is wrong there."""
    signs = np.zeros((400, 5))
    signs[:, 0] = np.tile([-1.0, 1.0], 200)
    signs[:, 1:] = np.random.default_rng(1).standard_normal((400, 4))
    sources = np.repeat(["a", "b", "c", "odd"], 100)
    right = (signs[:, 0] > 0) ^ (sources == "odd")
    said = apart(signs, right, np.ones(400), sources)
    assert (said[sources == "odd"] > 0.5).tolist() == (signs[300:, 0] > 0).tolist()


def test_reliability_by_hand() -> None:
    """Ten of what is called 0.25, of which 3 are right; ten called 0.95, of which 8 are, but weigh a third."""
    said = np.repeat([0.25, 0.95], 10)
    right = np.array([True] * 3 + [False] * 7 + [True] * 8 + [False] * 2)
    error, rows = reliability(said, right, np.repeat([3.0, 1.0], 10))
    assert rows == [[0.25, 0.3, 10], [0.95, 0.8, 10]]
    assert error == pytest.approx(0.75 * 0.05 + 0.25 * 0.15)


def test_lengths_and_kinds_weigh_alike() -> None:
    windows = [ScoredWindow("a", frames, np.zeros(5), own, own) for frames, own in [(50, True)] + [(50, False)] * 3]
    assert weights_of(windows) == pytest.approx([1 / 2, 1 / 6, 1 / 6, 1 / 6])


def test_the_shipped_odds_rise_with_the_confidence() -> None:
    table = read_calibration(SHIPPED).odds
    assert table is not None
    low, high = (table.odds_of(signs_of(0, c, curve_with(15, 25, 0.5), EVIDENCE)) for c in (1.0, 8.0))
    assert low.p_in_sync < 0.2
    assert high.p_in_sync > 0.95


@pytest.mark.parametrize("odds", [{"in_sync": [1.0]}, {"in_sync": [0.0] * 6, "belongs": [0.0] * 5 + [None]}, 3])
def test_odds_that_do_not_fit_are_refused(tmp_path: Path, odds: object) -> None:
    path = tmp_path / "calibration.json"
    path.write_text(json.dumps({**json.loads(SHIPPED.read_text()), "odds": odds}))
    with pytest.raises(ModelFileError, match="is not a calibration table"):
        read_calibration(path)

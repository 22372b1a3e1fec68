from __future__ import annotations

import numpy as np
import pytest

from syncnet.report.suggestion import wilson
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds
from training.border import Judged, nearest
from training.by_look import LANGUAGES, LOOKS, LOOKS_FILE, NONE, PERSONS, by_look, read_looks
from training.figures import auc, is_off
from training.hard_cases import seen_small, whispered


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


@pytest.mark.parametrize(
    ("offset", "confidence", "off"), [(4, 8.0, True), (-4, 5.0, True), (3, 8.0, False), (9, 4.9, False)]
)
def test_a_clip_that_is_late_itself_is_sure_of_it(offset: int, confidence: float, off: bool) -> None:
    assert is_off(SyncScore(offset, confidence, 0.5, np.zeros(31, np.float32)), Thresholds()) == off


def test_a_clip_counts_for_every_look_that_it_has() -> None:
    right, wrong = (True, True), (False, False)
    looks = {"a": {"glasses", "beard", "man"}, "b": {"beard"}, "d": {"woman"}}
    groups = by_look({"a": [right], "b": [wrong, right], "c": [wrong], "d": [right]}, looks)
    assert groups["glasses"] == [[right]]
    assert groups["beard"] == [[right], [wrong, right]]
    assert groups[NONE] == [[wrong], [right]]
    assert (groups["woman"], groups["man"]) == ([[right]], [[right]])
    assert groups["turned"] == groups["dim"] == []


def test_the_table_of_looks_names_known_looks_and_each_clip_once() -> None:
    rows = LOOKS_FILE.read_text().splitlines()[1:]
    looks = read_looks()
    assert len(looks) == len(rows) == 64
    assert set().union(*looks.values()) == {*LOOKS, *PERSONS, *LANGUAGES}


def test_the_border_is_audited_on_both_sides() -> None:
    """Confidences 0.05 apart around 5: the hundred next to it on either side are those within 5 of it."""
    windows = [Judged(c / 20, c >= 100, own=c % 2 == 0, right=True) for c in range(400)]
    passing, failing = (nearest(windows, passes, 5.0) for passes in (True, False))
    assert {window.confidence for window in passing} == {c / 20 for c in range(100, 200)}
    assert {window.confidence for window in failing} == {c / 20 for c in range(100)}
    assert all(window.passes for window in passing)


def test_a_small_face_keeps_what_so_many_pixels_can_show() -> None:
    """A face of 32 px gives 19 px of mouth: stripes of 8 px stay, stripes of 2 px are grey."""
    broad, fine = (np.tile(np.repeat([0, 255], width), 64)[:64].astype(np.uint8) for width in (8, 2))
    shrink = seen_small(32)
    assert shrink(np.tile(broad, (1, 64, 1))).std() > 80
    assert shrink(np.tile(fine, (1, 64, 1))).std() < 30


def test_a_whisper_is_as_loud_as_the_speech_and_has_no_pitch() -> None:
    seconds = np.arange(32_000) / 16_000
    voice = sum(np.sin(2 * np.pi * 120 * k * seconds) / k for k in range(1, 30)) * 3000
    voice *= 0.5 + 0.5 * np.sin(2 * np.pi * 3 * seconds)
    whisper = whispered(voice.astype(np.int16), voice.astype(np.int16)).astype(float)
    blocks = [np.sqrt((sound[:30_400].reshape(-1, 1600) ** 2).mean(axis=1)) for sound in (voice, whisper)]
    assert np.corrcoef(*blocks)[0, 1] > 0.9
    lag = 16_000 // 120
    pitched = [np.corrcoef(sound[4000:8000], sound[4000 + lag : 8000 + lag])[0, 1] for sound in (voice, whisper)]
    assert pitched[0] > 0.8
    assert abs(pitched[1]) < 0.4

"""Where along a track the lips fit, on distances whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.scoring.evidence import weigh
from syncnet.scoring.stretches import Stretch, find_stretches, leave_to_others


def noisy(fits: np.ndarray, offset: int = 0, seed: int = 0) -> np.ndarray:
    """Distances (31, W) of noise that is smooth over five lips; lips that fit lie deeper at the offset."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((31, len(fits) + 4))
    noise = np.stack([np.convolve(row, np.ones(5) / np.sqrt(5), "valid") for row in white])
    noise[15 - offset, fits] -= 2.5
    return noise.astype(np.float32)


def found(fits: np.ndarray, seed: int = 0) -> tuple[Stretch, ...]:
    return find_stretches(noisy(fits, 2, seed), np.full(len(fits), 2), np.ones(len(fits), bool), 50)


def test_a_speaker_throughout_is_one_stretch() -> None:
    (whole,) = found(np.ones(250, bool))
    assert (whole.start_seconds, whole.end_seconds, whole.speech_seconds) == (2.0, 12.0, 10.0)
    assert whole.matched and whole.matched_seconds > 9.5


@pytest.mark.parametrize("voice_over", [slice(150, 250), slice(0, 80), slice(80, 160)])
def test_another_voice_is_found_where_it_is(voice_over: slice) -> None:
    fits = np.ones(250, bool)
    fits[voice_over] = False
    wrong, unmatched = [], []
    for seed in range(8):
        stretches = found(fits, seed)
        told = np.concatenate([np.full(round((s.end_seconds - s.start_seconds) * 25), s.matched) for s in stretches])
        wrong.append((told != fits).mean())
        unmatched.append(1 - sum(s.matched_seconds for s in stretches) / 10)
    # Borders of noise are off by a few tenths of a second, of 10 s.
    assert np.mean(wrong) < 0.06
    assert np.mean(unmatched) == pytest.approx(1 - fits.mean(), abs=0.06)


def test_lips_that_do_not_count_part_stretches_where_they_are_many() -> None:
    distances = noisy(np.ones(200, bool))
    distances[:, 60:70] = np.nan
    distances[:, 100:150] = np.nan
    speech = np.ones(200, bool)
    speech[95:155] = False
    stretches = find_stretches(distances, np.zeros(200, int), speech, 0)
    # Ten lips are a pause; fifty are not. Speech ends at lip 95, of the lips that count the last is 99.
    assert [(s.start_seconds, s.end_seconds, s.speech_seconds) for s in stretches] == [
        (0.0, 4.0, (60 + 25) / 25),
        (6.0, 8.0, 45 / 25),
    ]


def test_nothing_that_counts_is_no_stretch() -> None:
    assert find_stretches(np.full((31, 50), np.nan), np.zeros(50, int), np.ones(50, bool), 0) == ()


def test_what_another_face_fits_is_left_to_it() -> None:
    listener = (Stretch(0.0, 2.0, 2.0, 1.9), Stretch(2.0, 10.0, 4.0, 0.4))
    speaker = (Stretch(3.0, 5.0, 2.0, 2.0), Stretch(8.0, 12.0, 4.0, 3.8), Stretch(5.0, 6.0, 1.0, 0.0))
    # Of 2 to 10 s the other fits 3 to 5 and 8 to 10: half of the time is left, and of the speech in it.
    assert leave_to_others(listener, speaker) == (
        Stretch(0.0, 2.0, 2.0, 1.9),
        Stretch(2.0, 3.0, 0.5, 0.05),
        Stretch(5.0, 8.0, 1.5, pytest.approx(0.15)),
    )
    assert leave_to_others(listener, ()) == listener


def test_evidence_tells_how_much_is_unmatched() -> None:
    fits = np.arange(250) < 150
    evidence, _ = weigh(noisy(fits), 0, np.ones(250, bool), 0)
    assert evidence.level == "strong"
    assert evidence.unmatched_share == pytest.approx(0.4, abs=0.1)
    whole, _ = weigh(noisy(np.ones(250, bool)), 0, np.ones(250, bool), 0)
    assert whole.unmatched_share < 0.05


def test_a_jump_of_the_offset_is_no_lack_of_a_match() -> None:
    distances = noisy(np.zeros(250, bool))
    distances[15, :125] -= 2.5
    distances[15 - 6, 125:] -= 2.5
    evidence, _ = weigh(distances, 0, np.ones(250, bool), 0)
    assert [piece.offset_frames for piece in evidence.pieces] == [0, 6]
    assert evidence.unmatched_share < 0.1


def test_lips_beside_a_long_pause_do_not_speak_against_the_match() -> None:
    """Five frames at either border of a pause fit nothing, as where an embedding sees half silence."""
    speech = np.ones(250, bool)
    speech[60:120] = speech[150:200] = False
    fits = speech.copy()
    for border in (60, 120, 150, 200):
        fits[border - 5 : border + 5] = False
    distances = np.where(speech, noisy(fits), np.nan)
    stretches = find_stretches(distances, np.zeros(250, int), speech, 0)
    share = sum(s.matched_seconds for s in stretches) / sum(s.speech_seconds for s in stretches)
    assert share > 0.9

"""Evidence on distances whose windows can be counted by hand: 25 lips each, a new one every 10 lips."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.models.protocol import MIN_TRACK_FRAMES
from syncnet.scoring.evidence import Evidence, OffsetPiece, find_offset, least_telling_frames, weigh


def distances_of(offsets: list[int]) -> np.ndarray:
    """Lip i fits the sound at its own offset only: distance 0 there, 1 elsewhere."""
    distances = np.ones((31, len(offsets)), np.float32)
    distances[[15 - offset for offset in offsets], range(len(offsets))] = 0
    return distances


def weighed(offsets: list[int], offset_frames: int, speech: np.ndarray | None = None) -> Evidence:
    heard = np.ones(len(offsets), bool) if speech is None else speech
    return weigh(distances_of(offsets), offset_frames, heard, first_frame=0)[0]


def test_windows_that_all_agree_are_strong_evidence() -> None:
    # Starts 0, 10, .. 70: eight windows in 100 lips.
    evidence = weighed([3] * 100, 3)
    assert (evidence.level, evidence.windows, evidence.agreeing) == ("strong", 8, 8)
    (whole,) = evidence.stretches
    assert (whole.start_seconds, whole.end_seconds, whole.speech_seconds) == (0.0, 4.0, 4.0)
    assert evidence.unmatched_share < 0.01


@pytest.mark.parametrize(("away", "agreeing"), [(2, 8), (3, 0)])
def test_two_frames_apart_agree_and_three_do_not(away: int, agreeing: int) -> None:
    evidence = weighed([3] * 100, 3 + away)
    assert (evidence.windows, evidence.agreeing) == (8, agreeing)
    assert evidence.level == ("strong" if agreeing else "none")


def test_under_forty_percent_agreement_is_no_evidence() -> None:
    # Ten stretches of 20 lips. A window belongs to the stretch that fills most of it, the lowest shift of equals.
    offsets = [offset for offset in (4, -9, 11, -3, 8, -13, 2, -6, 13, -11) for _ in range(20)]
    evidence = weighed(offsets, 4)
    assert evidence.windows == 18
    assert evidence.agreeing < 0.4 * 18
    assert evidence.level == "none"
    assert evidence.problem == f"{evidence.agreeing} of 18 one-second windows agree with the offset"


def test_only_windows_in_which_somebody_speaks_half_the_time_count() -> None:
    speech = np.arange(100) < 43
    # From 0 and 10: 25 of 25, from 20: 23, from 30: 13, from 40: 3.
    evidence = weighed([0] * 100, 0, speech)
    assert evidence.windows == 4
    # Too few to count, but the lips fit at one shift as no shuffled sound would.
    assert (evidence.level, evidence.problem) == ("weak", "")


def test_the_offset_rests_on_the_stretch_that_has_it() -> None:
    """Three seconds fit at 4; of the seven behind them every second fits elsewhere, and more of it at -12."""
    offsets = [4] * 75 + [-12] * 25 + [9] * 25 + [-12] * 25 + [-6] * 25 + [-12] * 25 + [12] * 25 + [-12] * 25
    distances, speech = distances_of(offsets), np.ones(250, bool)
    distances[15 - 4, :75] = 0.3
    curve = distances.mean(axis=1)
    assert 15 - int(curve.argmin()) == -12
    offset = find_offset(distances, curve, speech)
    assert offset == 4
    evidence, _ = weigh(distances, offset, speech, 0)
    assert evidence.level == "strong"
    assert evidence.unmatched_share == pytest.approx(0.7, abs=0.05)
    assert next((s.start_seconds, s.matched) for s in evidence.stretches) == (0.0, True)


def test_no_speech_is_no_evidence() -> None:
    assert weighed([0] * 100, 0, np.zeros(100, bool)) == Evidence("none", "no speech in the sound")


@pytest.mark.parametrize("edge", [-15, 15])
def test_the_edge_of_the_search_is_no_evidence_however_sharp(edge: int) -> None:
    evidence = weighed([edge] * 100, edge)
    problem = "the best shift is at the edge of the search range"
    assert evidence == Evidence("none", problem, 8, 8, speech_seconds=4.0)


@pytest.mark.parametrize(
    ("lips", "speech", "problem"),
    [
        # Windows from 0, 10 and 20 hold speech half the time.
        (60, range(60), "shuffled sound fits as well"),
        (60, range(30, 60), "too little speech to tell (1.2 s)"),
        (60, range(30, 50), "too little speech to tell (0.8 s)"),
        (40, range(40), "too short to say (1.6 s)"),
        (24, range(24), "too short to say (1.0 s)"),
    ],
)
def test_where_chance_fits_as_well_it_is_told_what_is_missing(lips: int, speech: range, problem: str) -> None:
    noise = np.random.default_rng(0).random((31, lips), np.float32)
    offset = 15 - int(noise.mean(axis=1).argmin())
    assert abs(offset) < 15
    evidence, _ = weigh(noise, offset, np.isin(np.arange(lips), speech), 0)
    assert (evidence.level, evidence.problem) == ("none", problem)


def test_a_word_that_fits_is_weak_evidence_by_its_own_curve() -> None:
    # 40 lips in all, with two windows of 25.
    assert weighed([2] * 40, 2).level == "weak"
    # With less than 1.2 s of speech even the best fit is none.
    evidence = weighed([2] * 80, 2, np.arange(80) < 20)
    assert (evidence.level, evidence.problem) == ("none", "too little speech to tell (0.8 s)")
    assert evidence.speech_seconds == 0.8


def test_a_jump_is_told_with_its_times() -> None:
    # 18 windows; the one from lip 90 holds 10 lips of the first half and 15 of the second.
    evidence = weighed([0] * 100 + [6] * 100, 0)
    assert evidence.level == "strong"
    assert evidence.pieces == (OffsetPiece(0.0, (80 + 25) / 25, 0), OffsetPiece(90 / 25, (170 + 25) / 25, 6))


def test_times_are_those_of_the_video() -> None:
    evidence, _ = weigh(distances_of([0] * 100 + [6] * 100), 0, np.ones(200, bool), first_frame=50)
    assert evidence.pieces[0].start_seconds == 2.0


def test_a_drift_is_a_staircase() -> None:
    # A frame earlier every 60 lips, 0 to 4. A stretch holds two steps at most; in the first, five windows read 0 and
    # six read 1, which is their median.
    pieces = weighed([lip // 60 for lip in range(300)], 2).pieces
    assert [piece.offset_frames for piece in pieces] == sorted({piece.offset_frames for piece in pieces})
    assert (len(pieces), pieces[0].offset_frames, pieces[-1].offset_frames) == (3, 1, 4)
    assert pieces[0].start_seconds == 0
    assert pieces[-1].end_seconds == (270 + 25) / 25


def test_a_stray_window_is_no_change() -> None:
    assert weighed([1] * 100 + [9] * 15 + [1] * 100, 1).pieces == ()


def test_pairs_that_do_not_exist_are_left_out_of_the_windows() -> None:
    distances = distances_of([5] * 100)
    distances[20:, 50:] = np.nan  # the sound ends
    evidence, curves = weigh(distances, 5, np.ones(100, bool), 0)
    assert (evidence.windows, evidence.agreeing) == (8, 8)
    # The window from 40 has 10 lips with that sound, fewer than half.
    assert np.isnan(curves[4, 20:]).all()
    assert np.isfinite(curves[3, 20:]).all()


def test_lips_beyond_the_end_of_the_sound_take_nothing_away() -> None:
    distances = distances_of([0] * 60)
    distances[:, 40:] = np.nan
    evidence, _ = weigh(distances, 0, np.ones(60, bool), first_frame=0)
    # Windows from 0, 10 and 20; of the last one 20 of 25 lips have sound.
    assert (evidence.level, evidence.problem, evidence.windows) == ("weak", "", 3)


@pytest.mark.parametrize(("model", "context", "frames"), [("lite", 11, 40), ("syncnet_v2", 6, 35)])
def test_the_shortest_track_that_tells_has_lips_for_so_much_speech(model: str, context: int, frames: int) -> None:
    """1.2 s are 30 lips; the first needs ``context`` frames (the published network never uses its last one)."""
    assert least_telling_frames(MIN_TRACK_FRAMES[model]) == frames == 30 + context - 1

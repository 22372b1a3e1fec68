"""The tape of samples: frames of 20 ms, 320 samples at 16 kHz, whose values say when they were made."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

import av
import numpy as np
import pytest

from syncnet.media.sound import SoundForm, SoundTape
from synthetic.media import Clip, draw_sound, find_clicks

START = Fraction(3)
FRAME_SECONDS = Fraction(20, 1000)


def frame_of(values: np.ndarray, rate: int = 16_000, layout: str = "mono") -> av.AudioFrame:
    channels = av.AudioLayout(layout).nb_channels
    frame = av.AudioFrame.from_ndarray(np.repeat(values.astype(np.int16), channels)[None], format="s16", layout=layout)
    frame.sample_rate = rate
    return frame


def record(stamped: Iterable[tuple[Fraction | None, int]]) -> np.ndarray:
    """The tape of frames given by their time after START and the number of 20 ms frames that came before in the source.

    Every sample's value is its place in the source, counted from 1: zeros are what the tape filled in.
    """
    tape = SoundTape(START)
    for time, number in stamped:
        tape.add(None if time is None else START + time, frame_of(np.arange(320 * number, 320 * (number + 1)) + 1))
    return tape.finish()


def test_frames_in_step_make_one_piece() -> None:
    assert np.array_equal(record((k * FRAME_SECONDS, k) for k in range(5)), np.arange(1600) + 1)


def test_sound_that_starts_later_is_preceded_by_zeros() -> None:
    samples = record([(Fraction(1, 2), 0)])
    assert len(samples) == 8000 + 320
    assert not samples[:8000].any()
    assert np.array_equal(samples[8000:], np.arange(320) + 1)


def test_sound_before_the_picture_is_cut() -> None:
    # Frames at -40, -20 and 0 ms moved on by 10 ms: the first is gone, half of the second stays.
    samples = record([(Fraction(k * 20 - 30, 1000), k) for k in range(3)])
    assert np.array_equal(samples, np.arange(480, 960) + 1)


def test_all_sound_before_the_picture_leaves_nothing() -> None:
    assert len(record([(Fraction(-1), 0), (Fraction(-1) + FRAME_SECONDS, 1)])) == 0


def test_a_lost_frame_is_zeros() -> None:
    samples = record([(k * FRAME_SECONDS, k) for k in (0, 1, 3)])
    assert np.array_equal(samples[:640], np.arange(640) + 1)
    assert not samples[640:960].any()
    assert np.array_equal(samples[960:], np.arange(960, 1280) + 1)


def test_of_overlapping_sound_the_later_stays() -> None:
    # Frame 2 is stamped 20 ms early, onto frame 1.
    samples = record([(0 * FRAME_SECONDS, 0), (1 * FRAME_SECONDS, 1), (1 * FRAME_SECONDS, 2)])
    assert np.array_equal(samples, np.r_[0:320, 640:960] + 1)


def test_a_stamp_too_high_misplaces_its_own_frame_only() -> None:
    samples = record([(0 * FRAME_SECONDS, 0), (Fraction(5), 1), (2 * FRAME_SECONDS, 2)])
    assert np.array_equal(samples[:320], np.arange(320) + 1)
    assert np.array_equal(samples[640:960], np.arange(640, 960) + 1)


def test_jitter_leaves_the_sound_in_one_piece() -> None:
    jitter_ms = [0, 9, -9, 7, -12, 11, 3, -8, 14, -13] * 5
    samples = record((k * FRAME_SECONDS + Fraction(stray, 1000), k) for k, stray in enumerate(jitter_ms))
    assert np.array_equal(samples, np.arange(50 * 320) + 1)


def test_frames_without_a_time_follow_on() -> None:
    assert np.array_equal(record((None, k) for k in range(3)), np.arange(960) + 1)


def test_a_small_lasting_shift_is_put_right_within_three_seconds() -> None:
    # From frame 10 on, everything is 10 ms late, as after the loss of a packet of 10 ms: too little to cut at once.
    shift = Fraction(10, 1000)
    samples = record((k * FRAME_SECONDS + (shift if k >= 10 else 0), k % 100) for k in range(160))
    assert samples[10 * 320] == 3201
    # The last frame is the 60th of its kind: its values end at 19,200. It belongs 160 samples after 159 frames of 320;
    # up to 3 ms may be missing from that.
    placed = int(np.flatnonzero(samples == 19_200)[-1]) - 319
    assert 159 * 320 + 160 - 48 <= placed <= 159 * 320 + 160


def test_a_clock_that_runs_off_is_followed() -> None:
    # Stamps advance by 20.02 ms for each 20 ms of sound: without a correction, 20 ms would be missing at the end.
    samples = record((k * Fraction(2002, 100_000), k % 100) for k in range(1000))
    last = 999 * Fraction(2002, 100_000)
    # The last frame is the 100th of its kind: its values are 31,681 to 32,000.
    placed = int(np.flatnonzero(samples == 32_000)[-1]) - 319
    assert abs(placed / 16_000 - float(last)) < 0.005


@pytest.mark.parametrize("rate", [8_000, 11_025, 22_050, 44_100, 48_000])
@pytest.mark.parametrize("layout", ["mono", "stereo", "5.1"])
def test_resampling_moves_nothing(rate: int, layout: str) -> None:
    clip = Clip(sample_rate=rate, seconds=1.0, click_times=(0.25, 0.75))
    tape = SoundTape(Fraction(0))
    sound = draw_sound(clip)
    for first in range(0, len(sound), 1000):
        tape.add(Fraction(first, rate), frame_of(sound[first : first + 1000], rate, layout))
    samples = tape.finish()
    # A tenth of a millisecond: what the centroid of a click can be told to at 8 kHz.
    assert find_clicks(samples) == pytest.approx([0.25, 0.75], abs=1e-4)
    assert len(samples) == pytest.approx(16_000, abs=1)
    # Equal channels mix to what each of them holds.
    assert np.abs(samples).max() == pytest.approx(16_000, rel=0.05)


def test_sound_that_changes_its_kind_keeps_its_place() -> None:
    sound_44, sound_48 = (draw_sound(Clip(sample_rate=rate, click_times=(0.5, 1.5))) for rate in (44_100, 48_000))
    tape = SoundTape(Fraction(0))
    tape.add(Fraction(0), frame_of(sound_44[:44_100], 44_100, "stereo"))
    tape.add(Fraction(1), frame_of(sound_48[48_000:], 48_000, "mono"))
    assert find_clicks(tape.finish()) == pytest.approx([0.5, 1.5], abs=1e-4)


def test_a_tape_that_forgets_holds_no_more_than_what_is_still_wanted() -> None:
    tape = SoundTape(Fraction(0), form=SoundForm(8000, "stereo"))
    tape.forget(7000)
    for k in range(10):
        pair = np.tile(np.array([100 * k, -100 * k], np.int16), 800)
        frame = av.AudioFrame.from_ndarray(pair[None], format="s16", layout="stereo")
        frame.sample_rate = 8000
        tape.add(Fraction(k, 10), frame)
    held = len(tape.finish())
    assert held == 2 * 1000
    assert tape.read(6998, 7001).tolist() == [[0, 0], [0, 0], [800, -800]]
    assert tape.read(7998, 8002).tolist() == [[900, -900], [900, -900], [0, 0], [0, 0]]

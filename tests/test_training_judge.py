"""The yardstick itself: moved sound, windows, and which sound counts as another's."""

from __future__ import annotations

import numpy as np
import torch

from syncnet.conventions import SAMPLES_PER_FRAME
from training.judge import TalkingClip, cut_windows, delay_sound, wrong_sounds


def clip(name: str, frames: int = 10, recording: str = "", value: int = 1) -> TalkingClip:
    samples = np.full(frames * SAMPLES_PER_FRAME, value, np.int16)
    return TalkingClip(name, torch.arange(frames - 2)[:, None], samples, recording)


def test_delayed_sound_comes_later_and_keeps_its_length() -> None:
    samples = np.arange(4 * SAMPLES_PER_FRAME, dtype=np.int16)
    late = delay_sound(samples, 1)
    assert (late[:SAMPLES_PER_FRAME] == 0).all()
    assert (late[SAMPLES_PER_FRAME:] == samples[:-SAMPLES_PER_FRAME]).all()
    early = delay_sound(samples, -3)
    assert (early[:SAMPLES_PER_FRAME] == samples[3 * SAMPLES_PER_FRAME :]).all()
    assert (early[SAMPLES_PER_FRAME:] == 0).all()


def test_windows_are_a_second_apart_and_carry_their_own_frames_and_sound() -> None:
    whole = clip("a", frames=70)
    whole.samples[:] = np.arange(70).repeat(SAMPLES_PER_FRAME)
    windows = list(cut_windows(whole, 40))
    # Starts at 0 and 25; a third at 50 would need 90 frames.
    assert [window.frame_count for window in windows] == [40, 40]
    # Feature 0 belongs to frame 1, so the window from frame 25 on starts with feature 25.
    assert windows[1].features[:, 0].tolist() == list(range(25, 63))
    assert (windows[1].samples[0], windows[1].samples[-1]) == (25, 64)


def test_a_copy_of_the_same_recording_is_no_wrong_sound() -> None:
    clips = [clip("a", recording="r", value=1), clip("b", recording="r", value=2), clip("c", frames=3, value=3)]
    sounds = list(wrong_sounds(clips, 0))
    assert [sound[0] for sound in sounds] == [3]
    # Too short a sound is repeated to the clip's length.
    assert len(sounds[0]) == len(clips[0].samples) and (sounds[0] == 3).all()

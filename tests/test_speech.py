from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from syncnet.media.opening import open_media
from syncnet.models import silero
from syncnet.scoring.speech import find_speech, pauses, speech_beside, without_long_pauses


def test_silence_is_no_speech_and_frames_are_counted_whole() -> None:
    speech = find_speech(np.zeros(640 * 50 + 500, np.int16))
    assert speech.shape == (50,)
    assert not speech.any()


def test_the_sample_speaker_speaks_most_of_the_time(repository: Path) -> None:
    samples = open_media(repository / "samples" / "in_sync.mp4").samples
    assert find_speech(samples).mean() > 0.6


def test_speech_is_found_where_it_is(repository: Path) -> None:
    samples = open_media(repository / "samples" / "in_sync.mp4").samples
    silence = np.zeros(640 * 40, np.int16)
    speech = find_speech(np.concatenate([silence, samples]))
    assert not speech[:40].any()
    assert speech[40:].mean() > 0.6


def test_music_and_noise_are_no_speech(repository: Path) -> None:
    """What the detector before this one took for speech: chords, and white noise as loud as speech."""
    rng = np.random.default_rng(0)
    time = np.arange(16_000 * 4) / 16_000
    chord = sum(np.sin(2 * np.pi * root * k * time) / k for root in (220, 277, 330) for k in range(1, 6))
    noise = rng.standard_normal(len(time))
    for sound in (chord * np.exp(-3 * (time % 0.5)), noise):
        samples = (sound / np.abs(sound).max() * 8000).astype(np.int16)
        assert find_speech(samples).mean() < 0.1


def test_a_long_sound_is_heard_as_a_short_one(repository: Path) -> None:
    """Pieces of half a minute, and what is heard in one goes on in the next."""
    samples = open_media(repository / "samples" / "in_sync.mp4").samples
    long = np.tile(samples, 12)
    assert len(long) > 1100 * 512
    network = silero.load_silero()
    whole = np.pad(long, (64, -len(long) % 512)).astype(np.float32) / 32768
    with torch.inference_mode():
        expected, _ = network(torch.from_numpy(whole).unfold(0, 576, 512), None)
    np.testing.assert_allclose(silero.speech_chances(long), expected.numpy(), atol=1e-4)


def test_pauses_of_a_second_do_not_count_but_for_a_frame_on_either_side() -> None:
    spoken = np.zeros(100, bool)
    spoken[[30, 60, 80]] = True
    counted = [29, 30, 31, *range(59, 100)]
    assert np.flatnonzero(without_long_pauses(spoken)).tolist() == counted
    spoken[99] = True
    assert np.flatnonzero(without_long_pauses(spoken)).tolist() == counted
    assert np.flatnonzero(without_long_pauses(np.arange(40) == 24)).tolist() == list(range(40))
    assert not without_long_pauses(np.zeros(20, bool)).any()


def test_pauses_begin_and_end_where_nobody_speaks() -> None:
    assert list(pauses(np.array([0, 0, 1, 0, 1, 1, 0], bool))) == [(0, 2), (3, 4), (6, 7)]
    assert list(pauses(np.ones(3, bool))) == []


def test_nobody_speaks_behind_the_end() -> None:
    assert speech_beside(np.ones(5, bool), 3, 4).tolist() == [True, True, False, False]

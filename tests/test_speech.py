from __future__ import annotations

from pathlib import Path

import numpy as np

from syncnet.media.opening import open_media
from syncnet.scoring.speech import find_speech


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

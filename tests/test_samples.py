"""The sample clips themselves: what is in the files, and that the late sound is late by what its name says."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

FPS = 25
FRAME_COUNT = 145
SAMPLE_RATE = 44_100
SECONDS = FRAME_COUNT / FPS
WITH_SOUND = ("in_sync", "sound_8_frames_late", "other_sentence", "no_face")
LATE_SAMPLES = 8 * SAMPLE_RATE // FPS
"""Eight frames of 25 a second: 320 ms."""
MAX_FILE_BYTES = 500_000


def path_of(repository: Path, name: str) -> Path:
    return repository / "samples" / f"{name}.mp4"


def sound_of(path: Path) -> np.ndarray:
    """Decoded samples at 44.1 kHz from time zero, float64."""
    with av.open(str(path)) as container:
        frames = [frame for frame in container.decode(audio=0) if frame.pts >= 0]
    assert frames[0].pts == 0
    return np.concatenate([frame.to_ndarray()[0] for frame in frames]).astype(np.float64)


def picture_of(path: Path) -> np.ndarray:
    """All frames, (145, 448, 448) uint8 grey."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="gray") for frame in container.decode(video=0)])


def correlation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Normalised correlation for every lag of ``other`` behind ``one``; lag n at index n modulo its length."""
    length = 2 * max(len(one), len(other))
    spectra = np.conj(np.fft.rfft(one, length)) * np.fft.rfft(other, length)
    return np.fft.irfft(spectra, length) / (np.linalg.norm(one) * np.linalg.norm(other))


def test_the_folder_holds_the_six_clips(repository: Path) -> None:
    names = {path.stem for path in (repository / "samples").glob("*.mp4")}
    assert names == {*WITH_SOUND, "no_sound", "damaged"}


@pytest.mark.parametrize("name", [*WITH_SOUND, "no_sound", "damaged"])
def test_clips_are_small(repository: Path, name: str) -> None:
    assert 10_000 < path_of(repository, name).stat().st_size < MAX_FILE_BYTES


@pytest.mark.parametrize("name", [*WITH_SOUND, "no_sound"])
def test_picture_is_145_frames_at_25_a_second(repository: Path, name: str) -> None:
    with av.open(str(path_of(repository, name))) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 448, 448)
        assert stream.average_rate == FPS
        assert [frame.time for frame in container.decode(stream)] == [number / FPS for number in range(FRAME_COUNT)]


@pytest.mark.parametrize("name", WITH_SOUND)
def test_sound_is_as_long_as_the_picture(repository: Path, name: str) -> None:
    with av.open(str(path_of(repository, name))) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("aac", SAMPLE_RATE, 1)
    # AAC comes in blocks of 1024 samples: the last one may reach beyond the picture's end.
    assert 0 <= len(sound_of(path_of(repository, name))) - SECONDS * SAMPLE_RATE < 1024


def test_no_sound_has_no_audio_stream(repository: Path) -> None:
    with av.open(str(path_of(repository, "no_sound"))) as container:
        assert [stream.type for stream in container.streams] == ["video"]


def test_damaged_cannot_be_opened(repository: Path) -> None:
    with pytest.raises(av.error.InvalidDataError):
        av.open(str(path_of(repository, "damaged")))


def test_late_sound_is_the_same_sound_320_ms_later(repository: Path) -> None:
    in_sync, late = (sound_of(path_of(repository, name)) for name in ("in_sync", "sound_8_frames_late"))
    by_lag = correlation(in_sync, late)
    # One millisecond: the decoder may start a few samples apart, never the 40 ms of a frame.
    assert abs(int(by_lag.argmax()) - LATE_SAMPLES) <= SAMPLE_RATE // 1000
    assert by_lag.max() > 0.95


def test_other_sentence_is_another_sound_at_every_shift(repository: Path) -> None:
    in_sync, other = (sound_of(path_of(repository, name)) for name in ("in_sync", "other_sentence"))
    assert np.abs(correlation(in_sync, other)).max() < 0.3


def test_speech_is_heard_and_ends_before_the_clip(repository: Path) -> None:
    for name in WITH_SOUND:
        loudness = np.abs(sound_of(path_of(repository, name)))
        # The room's quiet lies near 0.0016, the speech peaks at 0.5.
        assert 0.4 < loudness.max() < 0.7
        assert loudness[: SAMPLE_RATE // 10].max() < 0.02
        assert loudness[-SAMPLE_RATE // 50 :].max() < 0.02 or name == "sound_8_frames_late"


@pytest.mark.slow
def test_the_faces_differ_in_nothing_but_their_sound(repository: Path) -> None:
    in_sync = picture_of(path_of(repository, "in_sync"))
    for name in ("sound_8_frames_late", "other_sentence", "no_sound"):
        np.testing.assert_array_equal(picture_of(path_of(repository, name)), in_sync)


def test_the_mouth_moves_more_than_the_rest_of_the_face(repository: Path) -> None:
    frames = picture_of(path_of(repository, "in_sync")).astype(np.float32)
    changes = np.abs(np.diff(frames, axis=0)).mean(axis=0)
    mouth, forehead = changes[275:330, 190:265], changes[100:150, 190:265]
    assert mouth.mean() > 2 * forehead.mean()


def test_the_picture_without_a_face_moves(repository: Path) -> None:
    frames = picture_of(path_of(repository, "no_face")).astype(np.float32)
    assert np.abs(frames[-1] - frames[0]).mean() > 5

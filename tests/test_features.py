"""Mouth squares and mel energies of pictures and sounds whose answers are known."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import python_speech_features as psf

from syncnet.models import features


def test_mouth_is_the_square_below_the_nose_root() -> None:
    crops = np.zeros((2, 224, 224, 3), np.uint8)
    crops[1, 80:176, 64:160] = 200
    mouths = features.cut_mouths(crops)
    assert mouths.shape == (2, 64, 64) and mouths.dtype == np.uint8
    assert (mouths[0] == 0).all()
    assert (mouths[1] == 200).all()


def test_steps_count_only_whole_windows() -> None:
    assert [features.count_mel_steps(n) for n in (0, 399, 400, 559, 560)] == [0, 0, 1, 1, 2]
    assert features.log_mel(np.zeros(100, np.int16)).shape == (0, 40)


def test_silence_sits_on_the_floor() -> None:
    assert (features.log_mel(np.zeros(16_000, np.int16)) == np.log(features.ENERGY_FLOOR)).all()


def test_energies_equal_the_library_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    samples = np.random.default_rng(3).integers(-9000, 9000, 16_000, dtype=np.int16)
    expected, _ = psf.fbank(samples, 16_000, nfilt=40, nfft=512)
    # The library pads one window more at the end with zeros; ours stops at the last whole one.
    expected = expected[: features.count_mel_steps(len(samples))]
    monkeypatch.setattr(features, "STEPS_PER_BLOCK", 7)
    got = features.log_mel(samples)
    np.testing.assert_allclose(got, np.log(expected), rtol=1e-5)


def test_a_tone_lights_its_own_band_and_its_own_steps() -> None:
    time = np.arange(16_000) / 16_000
    tone = 8000 * np.sin(2 * np.pi * 1000 * time)
    tone[:8000] = 0
    mel = features.log_mel(tone.astype(np.int16))
    # 40 bands evenly over 0..2840 mel; 1000 Hz is 1000 mel, so band 1000 / (2840 / 41) - 1 = 13.4.
    assert mel[80].argmax() in (13, 14)
    # Step 47 ends at sample 47 * 160 + 400 = 7920, before the tone; step 50 starts at 8000.
    assert (mel[:48] == 0).all() and mel[50].max() > 10


def test_bands_are_normalised_over_time_but_stillness_is_not_blown_up() -> None:
    mel = np.stack([np.array([0.0, 4.0, 8.0]), np.array([1.0, 1.001, 1.002])], axis=1)
    normal = features.normalise_bands(mel)
    assert normal[:, 0] == pytest.approx([-1.2247, 0, 1.2247], abs=1e-3)
    assert np.abs(normal[:, 1]).max() < 0.01


@pytest.mark.parametrize("samples", [0, 100])
def test_a_face_beyond_the_end_of_the_sound_has_no_bands_and_no_warning(samples: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (block,) = features.normal_blocks(np.zeros(samples, np.int16))
    assert block.shape == (0, features.MEL_BANDS)


def test_bands_are_normalised_by_the_steps_that_count() -> None:
    mel = np.array([[0.0], [4.0], [8.0], [-90.0]])
    counts = np.array([True, True, True, False])
    # Fewer than a second of them say too little: then all do, whose mean is -19.5 and deviation 40.8.
    assert features.normalise_bands(mel, counts)[:, 0] == pytest.approx([0.4779, 0.5759, 0.6740, -1.7278], abs=1e-4)
    long, long_counts = np.repeat(mel, 40, axis=0), np.repeat(counts, 40)
    # By those that count alone the mean is 4 and the deviation 3.266; what does not count is measured by them.
    normal = features.normalise_bands(long, long_counts)[::40, 0]
    assert normal == pytest.approx([-1.2247, 0, 1.2247, -28.7815], abs=1e-4)


@pytest.mark.parametrize("speaks", [None, np.arange(2000) % 700 < 400, np.arange(2000) < 30])
def test_long_sound_is_brought_to_one_level_block_by_block(
    speaks: np.ndarray | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    samples = (rng.standard_normal(240 + 2000 * 160) * np.linspace(20, 4000, 240 + 2000 * 160)).astype(np.int16)
    (whole,) = features.normal_blocks(samples, speaks)
    assert (whole == features.normalise_bands(features.log_mel(samples), speaks)).all()
    monkeypatch.setattr(features, "MOST_STEPS_HELD", 1999)
    monkeypatch.setattr(features, "STEPS_PER_BLOCK", 300)
    blocks = list(features.normal_blocks(samples, speaks))
    assert [len(block) for block in blocks] == [300] * 6 + [200]
    # Sums in double precision: those of float32 are good for four digits.
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-3)

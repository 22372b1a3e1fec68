"""What is done to the training's pictures and sounds leaves them where they are in time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.mouths import disturb_mouths, recompress
from training.robustness import mix
from training.sounds import disturb_sound, loudness, music
from training.train import reused
from training.windows import _at_another_rate

FLASH = 17


def flashing_pictures() -> np.ndarray:
    """40 textured pictures; from FLASH on they are brighter by 90."""
    texture = np.random.default_rng(0).integers(40, 120, (100, 100))
    return np.stack([texture + 90 * (index >= FLASH) for index in range(40)]).astype(np.uint8)


def test_pictures_change_in_the_frame_in_which_they_changed_before() -> None:
    for seed in range(40):
        spoilt = disturb_mouths(flashing_pictures(), np.random.default_rng(seed))
        assert spoilt.shape == (40, 64, 64)
        steps = np.diff(spoilt.reshape(40, -1).astype(float).mean(axis=1))
        assert np.argmax(np.abs(steps)) == FLASH - 1


def test_a_coarser_rate_factor_loses_more() -> None:
    pictures = np.random.default_rng(1).integers(0, 255, (12, 8, 8)).repeat(8, axis=1).repeat(8, axis=2)
    pictures = pictures.astype(np.uint8)
    losses = [np.abs(recompress(pictures, factor).astype(int) - pictures).mean() for factor in (10, 30, 45)]
    assert recompress(pictures, 10).shape == (12, 64, 64)
    assert losses[0] < 4 < losses[1] < losses[2]


def test_a_click_stays_where_it_was() -> None:
    click = np.zeros(16_000)
    click[8_000:8_040] = 20_000.0
    silence = np.zeros(16_000)
    for seed in range(40):
        spoilt = disturb_sound(click, silence, np.random.default_rng(seed))
        power = np.convolve(spoilt**2, np.ones(160), "same")
        # Music and noise go by the power of the click's whole second, so the click stands out above them.
        assert abs(int(power.argmax()) - 8_020) < 400


def test_music_is_heard_at_the_level_asked_for() -> None:
    bed = music(48_000, np.random.default_rng(2))
    assert bed.shape == (48_000,)
    assert abs(loudness(bed * 1000) - 1000) < 30


def test_frames_at_another_rate_are_neither_early_nor_late_on_average() -> None:
    rng = np.random.default_rng(3)
    moved = [_at_another_rate(np.arange(40.0), rng) - np.arange(40.0) for _ in range(400)]
    kept = [late for late in moved if len(np.unique(late.round(6))) > 1]
    assert max(np.abs(late).max() for late in kept) > 0.4
    # Lost frames are shown late, as a player does; the rest only rounds.
    assert -0.5 < np.mean(moved) < 0.05


def test_each_window_is_used_as_often_as_asked_for_on_average() -> None:
    fresh = [(torch.full((2,), index),) * 4 for index in range(400)]
    batches = list(reused(fresh, 2, torch.Generator().manual_seed(0)))  # type: ignore[arg-type]
    assert [int(batch[0][0]) for batch in batches] == list(range(400))
    used = torch.cat([batch[0][::2] for batch in batches])
    # The first batch had nothing to draw from.
    assert len(used) == 799
    assert used.bincount()[:380].double().mean().item() > 1.9
    assert all(int(batch[0][-1]) >= index - 12 for index, batch in enumerate(batches))


def test_a_voice_is_mixed_as_loud_as_was_said() -> None:
    """The squares of 16 bits do not fit into 16 bits. At 0 dB the other is made as loud, at 20 dB a tenth of that."""
    own, other = (np.full(1000, level, np.int16) for level in (4000, 8000))
    assert mix(own, other, 0.0) == pytest.approx(np.full(1000, 8000), abs=1)
    assert mix(own, other, 20.0) == pytest.approx(np.full(1000, 4400), abs=1)

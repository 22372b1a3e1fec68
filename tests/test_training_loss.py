"""What the training rewards, on embeddings worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from training.loss import shift_scores, sync_loss, whole_context


def matching_batch(batch: int = 3, frames: int = 30) -> tuple[torch.Tensor, torch.Tensor]:
    """Every sound frame its own direction; lip t equals sound t + 15, the middle of its 31 shifts."""
    sound = torch.eye(batch * (frames + 30)).view(batch, frames + 30, -1)
    return sound[:, 15 : 15 + frames].clone(), sound


def test_shift_scores_pair_lip_t_with_sound_t_plus_k() -> None:
    lips, sound = matching_batch()
    scores = shift_scores(lips, sound)
    assert scores.shape == (3, 30, 31)
    assert (scores[:, :, 15] == 1).all()
    assert scores.sum() == 3 * 30


def test_matching_streams_cost_less_than_moved_ones_and_hit() -> None:
    lips, sound = matching_batch()
    every_lip, every_sound = torch.ones(3, 30, dtype=torch.bool), torch.ones(3, 60, dtype=torch.bool)
    scale = torch.tensor(12.0)
    good, hits = sync_loss(lips, sound, every_lip, every_sound, scale)
    bad, misses = sync_loss(sound[:, 20:50], sound, every_lip, every_sound, scale)
    assert hits == 1 and misses == 0
    assert good < bad


def test_sound_that_does_not_exist_is_never_chosen() -> None:
    lips, sound = matching_batch()
    # The last 20 sound frames do not exist, but would match perfectly if they were looked at.
    sound[:, 40:] = lips[:, :20].roll(1, dims=1)
    exists = torch.ones(3, 60, dtype=torch.bool)
    exists[:, 40:] = False
    loss, hits = sync_loss(lips, sound, torch.ones(3, 30, dtype=torch.bool), exists, torch.tensor(12.0))
    assert torch.isfinite(loss)
    assert hits == 1


def test_embeddings_that_say_nothing_cost_the_logarithm_of_the_choices() -> None:
    lips, sound = torch.zeros(2, 30, 8), torch.zeros(2, 60, 8)
    all_lips, all_sound = torch.ones(2, 30, dtype=torch.bool), torch.ones(2, 60, dtype=torch.bool)
    loss, _ = sync_loss(lips, sound, all_lips, all_sound, torch.tensor(12.0), others=4)
    # Frame: 31 shifts and 4 sounds of the one other clip; clip: 31 shifts.
    assert loss.item() == pytest.approx(np.log(35) + np.log(31), rel=1e-4)


def test_only_embeddings_whose_eleven_frames_exist_count() -> None:
    exists = torch.ones(1, 30, dtype=torch.bool)
    exists[0, 25:] = False
    # Embedding i sees the frames i .. i + 10: the last whole one is 14.
    assert whole_context(exists)[0].tolist() == [True] * 15 + [False] * 5

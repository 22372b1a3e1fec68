"""A training that was broken off goes on from its checkpoint."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from training.train import _resume, _save


def parts() -> tuple[nn.Linear, torch.optim.AdamW]:
    layer = nn.Linear(3, 2)
    return layer, torch.optim.AdamW(layer.parameters())


def step(layer: nn.Linear, optimiser: torch.optim.Optimizer) -> None:
    optimiser.zero_grad()
    layer(torch.ones(1, 3)).square().sum().backward()
    optimiser.step()


def test_weights_and_momentum_come_back_and_the_next_step_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "net.checkpoint"
    first, again = parts(), parts()
    for _ in range(5):
        step(*first)
    _save(path, 5, *first)
    step(*first)
    assert _resume(path, *again) == 5
    step(*again)
    assert torch.equal(first[0].weight, again[0].weight)
    assert [file.name for file in tmp_path.iterdir()] == ["net.checkpoint"]


def test_without_a_checkpoint_a_training_starts_at_the_first_step(tmp_path: Path) -> None:
    layer, optimiser = parts()
    before = layer.weight.clone()
    assert _resume(tmp_path / "none", layer, optimiser) == 0
    assert torch.equal(layer.weight, before)

"""``python -m training.face.train``: files of training pictures -> weights. Goes on where it was stopped."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel

from detectors.lite_network import LiteFaceNetwork
from training.face.batches import batches
from training.face.loss import detection_loss
from training.face.prepare import training_files, validation_files
from training.face.validate import validate

BATCH = 16
AVERAGE_DECAY = 0.998
"""Of the moving average of the weights, which is what is kept: about the last 500 steps."""
WEIGHT_DECAY = 0.01
WARM_UP_STEPS = 300
MAX_GRADIENT = 10.0


def train(pictures: Path, out: Path, *, steps: int, rate: float, seed: int, device: str, validate_every: int) -> None:
    torch.manual_seed(seed)
    network = LiteFaceNetwork().to(device, memory_format=torch.channels_last)
    average = AveragedModel(network, avg_fn=_average, use_buffers=True)
    optimiser = torch.optim.AdamW(network.parameters(), lr=rate, weight_decay=WEIGHT_DECAY)
    checkpoint = out.with_suffix(".checkpoint")
    done = _resume(checkpoint, network, average, optimiser)
    started, parts = time.monotonic(), []
    for step, (images, labels) in enumerate(itertools.islice(_endless(pictures, seed, done), steps - done), done):
        for group in optimiser.param_groups:
            group["lr"] = rate * _schedule(step, steps)
        parts.append(_train_step(network, optimiser, images.to(device), labels.to(device)))
        average.update_parameters(network)
        if (step + 1) % validate_every == 0 or step + 1 == steps:
            line: dict[str, float] = {"step": step + 1, "minutes": round((time.monotonic() - started) / 60, 1)}
            line |= {name: round(float(np.mean([part[name] for part in parts])), 4) for name in parts[0]}
            line |= validate(average.module, validation_files(pictures), device)
            print(json.dumps(line), flush=True)
            parts.clear()
            save_network(average.module, out)
            states = {"network": network.state_dict(), "average": average.state_dict()}
            torch.save({"step": step + 1, "optimiser": optimiser.state_dict(), **states}, checkpoint)


def _average(kept: torch.Tensor, new: torch.Tensor, number: torch.Tensor) -> torch.Tensor:
    """A moving average; in the beginning over fewer steps, so that the first weights are soon forgotten."""
    if not kept.is_floating_point():
        return new
    share = 1 - min(AVERAGE_DECAY, (1 + int(number)) / (10 + int(number)))
    return kept + share * (new - kept)


def _resume(
    checkpoint: Path, network: LiteFaceNetwork, average: AveragedModel, optimiser: torch.optim.Optimizer
) -> int:
    """How many steps are done."""
    if not checkpoint.exists():
        return 0
    state = torch.load(checkpoint, weights_only=True)
    network.load_state_dict(state["network"])
    average.load_state_dict(state["average"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def _endless(pictures: Path, seed: int, done: int) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Pass after pass; files that were added meanwhile are in the next one."""
    for number in itertools.count():
        yield from batches(training_files(pictures), BATCH, np.random.default_rng([seed, done, number]))


def _schedule(step: int, steps: int) -> float:
    """Share of the full learning rate: a short warm-up, then a cosine down to nearly nothing."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (0.505 + 0.495 * math.cos(math.pi * step / steps))


def _train_step(
    network: LiteFaceNetwork, optimiser: torch.optim.Optimizer, images: torch.Tensor, labels: torch.Tensor
) -> dict[str, float]:
    network.train()
    with torch.autocast(images.device.type, torch.bfloat16):
        levels = network(images)
    loss, parts = detection_loss(levels, labels)
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
    optimiser.step()
    return parts


def save_network(network: torch.nn.Module, path: Path) -> None:
    """In half precision: 0.7 MB."""
    unfinished = path.with_suffix(".part")
    tensors = {name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}
    save_file({name: tensor.half() if tensor.dim() == 4 else tensor for name, tensor in tensors.items()}, unfinished)
    unfinished.rename(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=Path, required=True, help="folder that training.face.prepare filled")
    parser.add_argument("--out", type=Path, required=True, help="weights; a checkpoint lies beside them")
    parser.add_argument("--steps", type=int, default=24000)
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--validate_every", type=int, default=500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    train(
        options.pictures,
        options.out,
        steps=options.steps,
        rate=options.rate,
        seed=options.seed,
        device=options.device,
        validate_every=options.validate_every,
    )


if __name__ == "__main__":
    main()

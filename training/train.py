"""Trains the embedded model: ``python -m training.train --corpus DIR --out FILE``. Runs on a CPU or a GPU."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from syncnet.models.lite_network import LiteNetwork
from training.corpus import load_corpus, read_cleaning, write_manifest
from training.loss import sync_loss, whole_context
from training.validate import validate
from training.windows import Window, Windows

BATCH = 24
DROPOUT = 0.2
AVERAGE_DECAY = 0.995
"""Of the moving average of the weights, which is what is kept: about the last 200 steps."""
WEIGHT_DECAY = 0.02
WARM_UP_STEPS = 200
MAX_GRADIENT = 5.0


def main() -> None:
    options = _parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    corpus = load_corpus(options.corpus, options.cache)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_manifest(corpus, options.out.parent / "manifest.tsv")
    cleaning = read_cleaning()
    clips = [clip for clip in corpus.clips if clip.role == "trained on" and cleaning.get(clip.name, 0) is not None]
    early = {name: frames for name, frames in cleaning.items() if frames is not None}
    loader = DataLoader(Windows(corpus, clips, options.seed, early), batch_size=BATCH, num_workers=1, prefetch_factor=6)
    network = LiteNetwork(DROPOUT).to(options.device, memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True)
    if options.compile:
        network.frame_network.compile()
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=WEIGHT_DECAY)
    started = time.monotonic()
    best, outcomes = 0.0, []
    for step, window in enumerate(itertools.islice(loader, options.steps)):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _schedule(step, options.steps)
        outcomes.append(_train_step(network, optimiser, window, options.device))
        average.update_parameters(network)
        if (step + 1) % options.validate_every == 0:
            loss, hits = np.mean(outcomes, axis=0)
            outcomes.clear()
            quality = validate(average.module, corpus, [c for c in corpus.clips if c.held_out], options.device)
            minutes = round((time.monotonic() - started) / 60, 1)
            line = {"step": step + 1, "minutes": minutes, "loss": round(loss, 3), "train_hits": round(hits, 3)}
            print(json.dumps(line | quality), flush=True)
            if quality["score"] >= best:
                best = quality["score"]
                save_network(average.module, options.out)


def _schedule(step: int, steps: int) -> float:
    """Share of the full learning rate: a short warm-up, then a cosine down to nothing."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _train_step(
    network: LiteNetwork, optimiser: torch.optim.Optimizer, window: Window, device: str
) -> tuple[float, float]:
    """One step down the loss: (loss, share of windows found within a frame)."""
    mouths, mel, lips_valid, sound_valid = (part.to(device) for part in window)
    network.train()
    lips = network.embed_lips(network.frame_network(mouths.float()))
    loss, hits = sync_loss(
        lips,
        network.embed_sound(mel),
        whole_context(lips_valid),
        whole_context(sound_valid),
        network.log_scale.exp(),
    )
    optimiser.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), MAX_GRADIENT)
    optimiser.step()
    return loss.item(), hits.item()


def save_network(network: torch.nn.Module, path: Path) -> None:
    save_file({name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}, path)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/lite.safetensors"))
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--validate_every", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile for the frame network: a third faster")
    return parser.parse_args()


if __name__ == "__main__":
    main()

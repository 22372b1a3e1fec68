"""Trains the embedded model: ``python -m training.train --corpus DIR --out FILE``. Runs on a CPU or a GPU."""

from __future__ import annotations

import argparse
import itertools
import json
import math
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from syncnet.models.lite import load_networks
from syncnet.models.lite_network import LiteNetwork
from training.corpus import add_corpus_flags, load_corpus, open_clips, read_cleaning, write_manifest
from training.loss import sync_loss, whole_context
from training.validate import validate
from training.windows import Window, Windows

BATCH = 24
DROPOUT = 0.2
AVERAGE_DECAY = 0.995
"""Of the moving average of the weights, which is what is kept: about the last 200 steps."""
USES = 2
"""How often a window is used: making one costs as much as learning from it."""
KEPT_BATCHES = 12
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
    if options.open_licences:
        usable = open_clips(options.corpus)
        clips = [clip for clip in clips if clip.name in usable]
    early = {name: frames for name, frames in cleaning.items() if frames is not None}
    network = _network(options)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE_DECAY), use_buffers=True)
    if options.compile:
        network.frame_network.compile()
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=WEIGHT_DECAY)
    checkpoint = options.out.with_suffix(".checkpoint")
    first = _resume(checkpoint, network, average, optimiser)
    # Other windows than those before the break.
    windows = Windows(corpus, clips, options.seed + first, early)
    fresh = DataLoader(windows, batch_size=BATCH // USES, num_workers=1, prefetch_factor=6)
    batches = reused(fresh, USES, torch.Generator().manual_seed(options.seed))
    started = time.monotonic()
    outcomes = []
    for step, window in enumerate(itertools.islice(batches, options.steps - first), first):
        for group in optimiser.param_groups:
            group["lr"] = options.rate * _schedule(step, options.steps)
        outcomes.append(_train_step(network, optimiser, window, options.device))
        average.update_parameters(network)
        done = step + 1 == options.steps
        if (step + 1) % options.save_every == 0 or done:
            save_network(average.module, options.out)
            _save(checkpoint, step + 1, network, average, optimiser)
        if (step + 1) % options.validate_every == 0 or done:
            loss, hits = np.mean(outcomes, axis=0)
            outcomes.clear()
            quality = validate(average.module, corpus, [c for c in corpus.clips if c.held_out], options.device)
            minutes = round((time.monotonic() - started) / 60, 1)
            line = {"step": step + 1, "minutes": minutes, "loss": round(loss, 3), "train_hits": round(hits, 3)}
            print(json.dumps(line | quality), flush=True)
    # The next training starts afresh.
    checkpoint.unlink(missing_ok=True)


def reused(fresh: Iterable[Window], uses: int, generator: torch.Generator) -> Iterator[Window]:
    """Batches of ``uses`` parts each: a fresh part, and parts drawn from the last few,
    so that a part is used so often on average."""
    kept: list[Window] = []
    for part in fresh:
        drawn = [kept[int(torch.randint(len(kept), (), generator=generator))] for _ in range(uses - 1)] if kept else []
        batch = [part, *drawn]
        yield tuple(torch.cat([window[field] for window in batch]) for field in range(len(part)))  # type: ignore[misc]
        kept = [*kept, part][-KEPT_BATCHES:]


def _network(options: argparse.Namespace) -> LiteNetwork:
    """A fresh one, or one that goes on from the weights of an earlier training."""
    network = LiteNetwork(DROPOUT)
    if options.start:
        network.load_state_dict(load_networks(options.start)[0].state_dict())
    # torch's annotations do not know memory_format here, its documentation does.
    network.to(device=options.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network


def _save(path: Path, step: int, *parts: torch.nn.Module | torch.optim.Optimizer) -> None:
    """In one go, so that a break leaves the checkpoint before."""
    half = path.with_suffix(".half")
    torch.save({"step": step, "parts": [part.state_dict() for part in parts]}, half)
    half.replace(path)


def _resume(path: Path, *parts: torch.nn.Module | torch.optim.Optimizer) -> int:
    """The steps that were done before; 0 where there is no checkpoint."""
    if not path.exists():
        return 0
    saved = torch.load(path, weights_only=True)
    for part, state in zip(parts, saved["parts"], strict=True):
        part.load_state_dict(state)
    return int(saved["step"])


def _schedule(step: int, steps: int) -> float:
    """Share of the full learning rate: a short warm-up, then a cosine down to nothing."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (0.5 + 0.5 * math.cos(math.pi * step / steps))


def _train_step(
    network: LiteNetwork, optimiser: torch.optim.Optimizer, window: Window, device: str
) -> tuple[float, float]:
    """One step down the loss: (loss, share of windows found within a frame)."""
    mouths, mel, lips_valid, sound_valid = (part.to(device) for part in window)
    network.train()
    with torch.autocast(torch.device(device).type, torch.bfloat16):
        lips = network.embed_lips(network.frame_network(mouths.float()))
        sound = network.embed_sound(mel)
    loss, hits = sync_loss(
        lips.float(), sound.float(), whole_context(lips_valid), whole_context(sound_valid), network.log_scale.exp()
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
    add_corpus_flags(parser)
    parser.add_argument("--out", type=Path, default=Path("training/runs/lite.safetensors"))
    parser.add_argument("--start", type=Path, help="weights to go on from; none: from nothing")
    parser.add_argument("--open_licences", action="store_true", help="only clips that may be used commercially")
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--save_every", type=int, default=50)
    parser.add_argument("--validate_every", type=int, default=500)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--compile", action="store_true", help="torch.compile for the frame network: a third faster")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""Trains the embedded model: ``python -m training.train --corpus DIR --out FILE``. Runs on a CPU or a GPU."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from syncnet.models.lite_network import LiteNetwork
from training.corpus import LEFT_OUT_SOURCES, load_corpus
from training.loss import sync_loss, whole_context
from training.validate import validate
from training.windows import Windows

BATCH = 24


def main() -> None:
    options = _parse()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    corpus = load_corpus(options.corpus, options.cache)
    clips = [c for c in corpus.clips if not c.held_out and c.source not in LEFT_OUT_SOURCES]
    offsets = json.loads(options.offsets.read_text()) if options.offsets else {}
    dropped = {name for name, offset in offsets.items() if offset is None}
    clips = [c for c in clips if c.name not in dropped]
    loader = DataLoader(
        Windows(corpus, clips, offsets, options.seed), batch_size=BATCH, num_workers=1, prefetch_factor=6
    )
    network = LiteNetwork(dropout=0.2).to(options.device, memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(0.995), use_buffers=True)
    if options.start:
        from safetensors.torch import load_file

        network.load_state_dict(load_file(options.start))
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=0.02)
    started = time.monotonic()
    best, losses, hits, step = 0.0, [], [], 0
    for mouths, mel, lips_valid, sound_valid in loader:
        done = (time.monotonic() - started) / (60 * options.minutes) if options.minutes else step / options.steps
        if done >= 1:
            break
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * done)) + 1e-6
        network.train()
        frames = network.frame_network(mouths.to(options.device).float())
        lips = network.embed_lips(frames)
        sound = network.embed_sound(mel.to(options.device))
        loss, hit = sync_loss(
            lips,
            sound,
            whole_context(lips_valid).to(options.device),
            whole_context(sound_valid).to(options.device),
            network.log_scale.exp(),
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(network)
        losses.append(loss.item())
        hits.append(hit.item())
        step += 1
        if step % options.validate_every == 0:
            quality = validate(average.module, corpus, [c for c in corpus.clips if c.held_out], options.device)
            line = {
                "step": step,
                "minutes": round((time.monotonic() - started) / 60, 1),
                "loss": round(float(np.mean(losses)), 3),
                "train_hits": round(float(np.mean(hits)), 3),
                **quality,
            }
            print(json.dumps(line), flush=True)
            losses, hits = [], []
            if quality["score"] >= best:
                best = quality["score"]
                save_network(average.module, options.out)
    save_network(average.module, options.out.with_suffix(".last.safetensors"))


def save_network(network: torch.nn.Module, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()}, path)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))
    parser.add_argument("--out", type=Path, default=Path("training/runs/lite.safetensors"))
    parser.add_argument("--offsets", type=Path, help="JSON of clip name -> frames its sound is early, null: drop")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long instead of --steps")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--validate_every", type=int, default=400)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--device", default="cpu")
    return parser.parse_args()


if __name__ == "__main__":
    main()

"""The networks alone, against the published way and against the machine's best matrix product, in one process."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from detectors.registry import S3FD_FILE
from detectors.s3fd import load_s3fd
from syncnet.conventions import CROP_SIZE_PX
from syncnet.models.checkpoint import load_checkpoint
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.precision import dtype_of
from syncnet.models.syncnet_v2 import load_syncnet_v2
from syncnet.models.syncnet_v2_network import WINDOW_FRAMES, SyncNetV2Layers
from syncnet.settings import Precision

PUBLISHED_WINDOWS_AT_ONCE = 20
PIECE_FRAMES = 64
"""As many crops as the pipeline hands over at once."""
PRODUCT_SIZES = (1024, 2048, 4096)
PUBLISHED_720P = (180, 320)
"""A 720p picture at the published quarter scale: rows, columns."""


@dataclass(frozen=True)
class Way:
    """One way to do the same thing."""

    name: str
    run: Callable[[], object]
    items: int
    flop: float
    """Of all its items together."""
    precision: Precision = "float32"


@dataclass(frozen=True)
class Rate:
    """What the best of some rounds came to."""

    items_per_second: float
    share_of_product: float
    """Floating-point operations a second over those of the machine's best matrix product in the same rounds and the
    same precision."""


class PublishedLips:
    """The lip stream as published: five frames through 3-D convolutions, twenty windows at a time."""

    def __init__(self, weights_path: Path) -> None:
        self._layers = SyncNetV2Layers()
        load_checkpoint(self._layers, weights_path)
        self._layers.eval().requires_grad_(False)

    @torch.inference_mode()
    def embed_lips(self, crops: np.ndarray) -> np.ndarray:
        """(n, 224, 224, 3) uint8 BGR -> (n - 4, 1024) float32."""
        pictures = torch.from_numpy(crops).float().permute(3, 0, 1, 2)
        embeddings = []
        for first in range(0, len(crops) - WINDOW_FRAMES + 1, PUBLISHED_WINDOWS_AT_ONCE):
            end = min(first + PUBLISHED_WINDOWS_AT_ONCE, len(crops) - WINDOW_FRAMES + 1)
            windows = torch.stack([pictures[:, window : window + WINDOW_FRAMES] for window in range(first, end)])
            embeddings.append(self._layers.netfclip(self._layers.netcnnlip(windows).flatten(1)))
        result: np.ndarray = torch.cat(embeddings).numpy()
        return result


def measure_networks(weights_dir: Path, precisions: list[Precision], rounds: int) -> dict[str, dict[str, Rate]]:
    """Per network, per way of running it: its rate. All ways take turns, so that a busy machine is fair to them."""
    rates = {"lips": _measure(_lip_ways(weights_dir, precisions), rounds)}
    rates["s3fd"] = _measure(_s3fd_ways(weights_dir, precisions), rounds)
    return rates


def _lip_ways(weights_dir: Path, precisions: list[Precision]) -> list[Way]:
    path = weights_dir / SYNCNET_V2_FILE
    crops = np.random.default_rng(1).integers(0, 256, (PIECE_FRAMES, CROP_SIZE_PX, CROP_SIZE_PX, 3), dtype=np.uint8)
    windows = PIECE_FRAMES - WINDOW_FRAMES + 1
    published = PublishedLips(path)
    flop = _count_flop(lambda: published.embed_lips(crops[:WINDOW_FRAMES])) * windows
    ways = [Way("published", lambda: published.embed_lips(crops), windows, flop)]
    for precision in precisions:
        model = load_syncnet_v2(path, "cpu", precision)
        ways.append(Way(precision, lambda model=model: model.embed_lips(crops), windows, flop, precision))
    return ways


def _s3fd_ways(weights_dir: Path, precisions: list[Precision]) -> list[Way]:
    path = weights_dir / S3FD_FILE
    rows, columns = PUBLISHED_720P
    frames = list(np.random.default_rng(2).integers(0, 256, (8, 4 * rows, 4 * columns, 3), dtype=np.uint8))
    single = load_s3fd(path, "cpu").create(100, 4 * columns, 4 * rows).detect
    flop = _count_flop(lambda: single(frames[0])) * len(frames)
    ways = [Way("published", lambda: [single(frame) for frame in frames], len(frames), flop)]
    for precision in precisions:
        spec = load_s3fd(path, "cpu", precision)
        # Faces of 100 px and more are looked for at the published scale.
        detector = spec.create(100, 4 * columns, 4 * rows)
        ways.append(
            Way(precision, lambda detector=detector: detector.detect_batch(frames), len(frames), flop, precision)
        )
    return ways


def _count_flop(run: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter:
        run()
    return float(counter.get_total_flops())


def _measure(ways: list[Way], rounds: int) -> dict[str, Rate]:
    seconds: dict[str, float] = {}
    products = {way.precision: 0.0 for way in ways}
    for _ in range(rounds):
        for precision, best in products.items():
            products[precision] = max(best, best_product(dtype_of(precision)))
        for way in ways:
            started = time.perf_counter()
            way.run()
            took = time.perf_counter() - started
            seconds[way.name] = min(took, seconds.get(way.name, took))
    return {
        way.name: Rate(way.items / seconds[way.name], way.flop / seconds[way.name] / products[way.precision])
        for way in ways
    }


def best_product(dtype: torch.dtype) -> float:
    """Floating-point operations a second of the best of some square matrix products."""
    best = 0.0
    for size in PRODUCT_SIZES:
        factor: Tensor = torch.randn(size, size).to(dtype)
        for _ in range(2):
            started = time.perf_counter()
            factor @ factor
            best = max(best, 2 * size**3 / (time.perf_counter() - started))
    return best

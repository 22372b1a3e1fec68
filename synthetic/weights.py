"""Weights that everyone can make anew from the names of the tensors, for networks whose trained weights are not here.

The recipe is that of the golden values (goldens/README.md of the test data).
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from detectors.s3fd.network import S3fdNetwork
from syncnet.models.syncnet_v2_network import SyncNetV2Layers


def seeded_tensor(name: str, shape: tuple[int, ...]) -> Tensor:
    if name.endswith("num_batches_tracked"):
        return torch.zeros(shape, dtype=torch.long)
    draw = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape)
    if name.endswith("running_var"):
        values = 0.5 + np.abs(draw)
    elif name.endswith("running_mean"):
        values = 0.1 * draw
    elif len(shape) == 1:
        values = 0.1 * draw + (1 if name.endswith("weight") else 0)
    else:
        values = draw * np.sqrt(2 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32))


def seeded_state(network: nn.Module) -> dict[str, Tensor]:
    return {name: seeded_tensor(name, tuple(tensor.shape)) for name, tensor in network.state_dict().items()}


def seeded_syncnet_v2_state(test_data: Path) -> dict[str, Tensor]:
    """With the running statistics that make the seeded network well conditioned."""
    state = seeded_state(SyncNetV2Layers())
    with np.load(test_data / "goldens" / "bn_stats.npz") as statistics:
        assert set(statistics.files) <= state.keys()
        state.update({name: torch.from_numpy(statistics[name]) for name in statistics.files})
    return state


def write_seeded_syncnet_v2(path: Path, test_data: Path) -> Path:
    torch.save(seeded_syncnet_v2_state(test_data), path)
    return path


def write_seeded_s3fd(path: Path) -> Path:
    torch.save(seeded_state(S3fdNetwork()), path)
    return path

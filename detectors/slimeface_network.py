"""The network of libfacedetection (Wu, Peng and Yu, 2023), by YuNet's authors; its weights are in a Python package.

Layers as in ``objectdetect_cnn`` of facedetectcnn-model.cpp (github.com/ShiqiYu/libfacedetection), the landmarks left
out. The library's own code gives the same faces, in whole pixels, and takes 1.6 times as long for a picture of 720p.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
OUTPUTS = 6
"""Of a cell: logits of "a face" and of "an object"; middle of the box in strides from the cell; logarithm of width and
height in strides."""
_WIDTH = 64
STEP_PX = 32
"""Height and width of pictures are multiples of it."""

Read = Callable[[str, int], Tensor]
"""The weights of a name, so many numbers."""


def read_from(library: Path) -> Read:
    """Reads weights by the names that they have in the library. It raises ValueError for one that is not there."""
    loaded = ctypes.CDLL(str(library))

    def read(name: str, count: int) -> Tensor:
        return torch.tensor(np.ctypeslib.as_array((ctypes.c_float * count).in_dll(loaded, name)))

    return read


class _Pair(nn.Module):
    """Each pixel by itself, then each channel with its neighbours."""

    def __init__(self, read: Read, name: str, inputs: int, outputs: int) -> None:
        super().__init__()
        self.pixels = nn.Conv2d(inputs, outputs, 1)
        self.channels = nn.Conv2d(outputs, outputs, 3, padding=1, groups=outputs)
        _fill(self.pixels, read(f"{name}_pw_weight", outputs * inputs), read(f"{name}_pw_bias", outputs))
        # The library has the nine numbers of a channel one row apart.
        by_place = read(f"{name}_dw_weight", 9 * outputs).view(9, outputs)
        _fill(self.channels, by_place.T, read(f"{name}_dw_bias", outputs))

    def forward(self, rows: Tensor) -> Tensor:
        return functional.relu(self.channels(self.pixels(rows)), inplace=True)


class _Heads(nn.Module):
    """What each cell of a level says, the library's three heads side by side."""

    def __init__(self, read: Read, level: int) -> None:
        super().__init__()
        names_sizes = (("cls", 1), ("obj", 1), ("bbox", 4))
        heads = [_Pair(read, f"bbox_head__multi_level_{name}__{level}", _WIDTH, size) for name, size in names_sizes]
        self.pixels = nn.Conv2d(_WIDTH, OUTPUTS, 1)
        self.channels = nn.Conv2d(OUTPUTS, OUTPUTS, 3, padding=1, groups=OUTPUTS)
        for side_by_side, parts in (
            (self.pixels, [head.pixels for head in heads]),
            (self.channels, [head.channels for head in heads]),
        ):
            biases = [part.bias for part in parts if part.bias is not None]
            _fill(side_by_side, torch.cat([part.weight for part in parts]), torch.cat(biases))

    def forward(self, rows: Tensor) -> Tensor:
        told: Tensor = self.channels(self.pixels(rows))
        return told


class SlimefaceNetwork(nn.Module):
    """Pictures -> what each cell says."""

    def __init__(self, read: Read) -> None:
        super().__init__()
        # Nine places of three colours, and five numbers that fill them up to 32.
        first = read("backbone__model0_pw_weight", 16 * 32).view(16, 32)[:, :27].reshape(16, 3, 3, 3)
        self.first = nn.Conv2d(3, 16, 3, stride=2, padding=1)
        _fill(self.first, first.permute(0, 3, 1, 2), read("backbone__model0_pw_bias", 16))
        self.second = _Pair(read, "backbone__model0_dp", 16, 16)
        self.stages = nn.ModuleList(
            nn.Sequential(
                _Pair(read, f"backbone__model{number}_dp1", inputs, inputs),
                _Pair(read, f"backbone__model{number}_dp2", inputs, outputs),
            )
            for number, (inputs, outputs) in enumerate(((16, 32), (32, 64), *3 * ((64, 64),)), 1)
        )
        self.necks = nn.ModuleList(_Pair(read, f"neck__lateral_convs__{level}", _WIDTH, _WIDTH) for level in range(3))
        self.heads = nn.ModuleList(_Heads(read, level) for level in range(3))

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """(B, H, W, 3), BGR 0..255 -> for each level (B, 6, rows, columns); the cell at row r and column c has its
        centre at (c, r) times the stride."""
        rows = functional.relu(self.first(pictures.permute(0, 3, 1, 2).float()), inplace=True)
        early, late, *deep = self.stages
        rows = late(early(_half(self.second(rows))))
        levels = []
        for stage in deep:
            rows = stage(_half(rows))
            levels.append(rows)
        told: list[Tensor] = []
        above: Tensor | None = None
        for level, neck, head in zip(reversed(levels), reversed(self.necks), reversed(self.heads), strict=True):
            above = neck(level if above is None else level + functional.interpolate(above, scale_factor=2.0))
            told.insert(0, head(above))
        return tuple(told)


def _fill(convolution: nn.Conv2d, weight: Tensor, bias: Tensor) -> None:
    convolution.weight.data = weight.detach().reshape(convolution.weight.shape).contiguous()
    if convolution.bias is not None:
        convolution.bias.data = bias.detach()


def _half(rows: Tensor) -> Tensor:
    """Of each square of four the largest. torch's own layer notes their places too, which takes longer."""
    columns = torch.maximum(rows[..., ::2], rows[..., 1::2])
    return torch.maximum(columns[:, :, ::2], columns[:, :, 1::2])

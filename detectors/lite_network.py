"""The network of the embedded face detector: plain 3x3 convolutions, three levels, no anchors.

Each cell of a level says how sure it is of a face, and where its box and landmarks lie (as in FCOS, Tian et al., 2019;
a top-down path joins the levels as in FPN, Lin et al., 2017).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDES = (8, 16, 32)
FACE_PX = (20.0, 56.0, 160.0)
"""Size of a face, the root of its box's area, that each level has in its middle; boxes are told in units of it."""
LANDMARKS = 5
OUTPUTS = 1 + 4 + 2 * LANDMARKS
"""Of a cell: logit of the score, middle of the box in strides from the cell, logarithm of width and height in
``FACE_PX``, landmarks in ``FACE_PX`` from the cell."""
_WIDTH = 64
_SMALLEST_SIDE_PX = 8
"""Smaller pictures are filled up: the first convolution sees 6 x 6 pixels."""
_FIRST_LOGIT = -4.0
"""At the start hardly a cell has a face, which is how pictures are (as in RetinaNet, Lin et al., 2017)."""


def _convolution(inputs: int, outputs: int, stride: int = 1, size: int = 3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class LiteFaceNetwork(nn.Module):
    """Pictures -> what each cell says."""

    def __init__(self) -> None:
        super().__init__()
        # Straight to a quarter of the size: two layers of stride 2 with few channels would take twice as long.
        self.stem = nn.Sequential(_convolution(3, 32, 4, size=6), _convolution(32, 32))
        self.fine = nn.Sequential(_convolution(32, 48, 2), _convolution(48, 48))
        self.middle = nn.Sequential(
            _convolution(48, _WIDTH, 2), _convolution(_WIDTH, _WIDTH), _convolution(_WIDTH, _WIDTH)
        )
        self.coarse = nn.Sequential(
            _convolution(_WIDTH, _WIDTH, 2), _convolution(_WIDTH, _WIDTH), _convolution(_WIDTH, _WIDTH)
        )
        self.down_to_middle = nn.Conv2d(_WIDTH, _WIDTH, 1)
        self.down_to_fine = nn.Conv2d(_WIDTH, 48, 1)
        self.heads = nn.ModuleList(_head(width) for width in (48, _WIDTH, _WIDTH))

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """(B, H, W, 3), BGR 0..255 -> for each level (B, rows, columns, 15); the cell at row r and column c has its
        centre at (c, r) times the stride. Norms bring 0..255 to scale: nothing is done to the picture before."""
        bottom, right = (max(0, _SMALLEST_SIDE_PX - side) for side in pictures.shape[1:3])
        if right or bottom:
            pictures = functional.pad(pictures, (0, 0, 0, right, 0, bottom))
        fine = self.fine(self.stem(pictures.permute(0, 3, 1, 2).to(self.down_to_fine.weight.dtype)))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        middle = middle + _twice(self.down_to_middle(coarse), middle)
        fine = fine + _twice(self.down_to_fine(middle), fine)
        levels = (fine, middle, coarse)
        return [head(level).permute(0, 2, 3, 1) for head, level in zip(self.heads, levels, strict=True)]


def _head(width: int) -> nn.Sequential:
    told = nn.Conv2d(width, OUTPUTS, 1)
    nn.init.zeros_(told.bias)  # type: ignore[arg-type]  # there is one, as always where nothing else is said
    nn.init.constant_(told.bias[:1], _FIRST_LOGIT)  # type: ignore[index]
    return nn.Sequential(_convolution(width, width), told)


def _twice(smaller: Tensor, larger: Tensor) -> Tensor:
    """Each cell of a level as four of the next finer one, as many as that has."""
    doubled = functional.interpolate(smaller, scale_factor=2.0, mode="nearest")
    return doubled[:, :, : larger.shape[2], : larger.shape[3]]


def cell_centres(rows: int, columns: int, stride: int, device: torch.device) -> Tensor:
    """(rows, columns, 2), x and y in pixels."""
    y, x = torch.meshgrid(
        torch.arange(rows, device=device) * stride, torch.arange(columns, device=device) * stride, indexing="ij"
    )
    return torch.stack([x, y], dim=2).float()


def decode(told: Tensor, centres: Tensor, stride: int, face_px: float) -> tuple[Tensor, Tensor]:
    """What cells tell (..., 15), and their centres (..., 2) -> boxes (..., 4) and landmarks (..., 5, 2), in pixels."""
    middle = centres + told[..., 1:3] * stride
    half = told[..., 3:5].clamp(-4, 4).exp() * (face_px / 2)
    landmarks = centres[..., None, :] + told[..., 5:].reshape(*told.shape[:-1], LANDMARKS, 2) * face_px
    return torch.cat([middle - half, middle + half], dim=-1), landmarks

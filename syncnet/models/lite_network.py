"""The network of the embedded model: two streams, both convolutional in time without padding."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from syncnet.models.features import MEL_BANDS, MOUTH_SIZE_PX

EMBEDDING_SIZE = 128
FRAME_FEATURES = 128
CONTEXT_FRAMES = 11
"""Frames (and the sound beside them) that one embedding sees; it stands for the middle one."""
MIDDLE_FRAME = CONTEXT_FRAMES // 2
CONTEXT_STEPS = 41
"""Mel steps that one sound embedding sees; the first belongs to the first of the 11 frames."""


def _convolve(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def _convolve_in_time(inputs: int, outputs: int, width: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, width, stride=stride, bias=False),
        nn.BatchNorm1d(outputs),
        nn.ReLU(inplace=True),
    )


class FrameNetwork(nn.Module):
    """One mouth square with its neighbours in time -> 128 numbers."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(_convolve(3, 16), _convolve(16, 32), _convolve(32, 64), _convolve(64, 96))
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(96 * (MOUTH_SIZE_PX // 16) ** 2, FRAME_FEATURES)

    def forward(self, mouths: Tensor) -> Tensor:
        """(batch, T, 64, 64) grey 0..255 -> (batch, T - 2, 128), one row a frame that has both neighbours."""
        mouths = mouths - mouths.mean(dim=(2, 3), keepdim=True)
        mouths = mouths / (mouths.std(dim=(2, 3), keepdim=True) + 4.0)
        here = mouths[:, 1:-1]
        stacked = torch.stack([here, here - mouths[:, :-2], mouths[:, 2:] - here], dim=2)
        batch, frames = stacked.shape[:2]
        images = stacked.flatten(0, 1).contiguous(memory_format=torch.channels_last)
        features = self.convolutions(images).flatten(1)
        rows: Tensor = self.linear(self.dropout(features))
        return rows.view(batch, frames, FRAME_FEATURES)


class LiteNetwork(nn.Module):
    """Lip and sound embeddings of unit length, 128 numbers, one a frame."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.frame_network = FrameNetwork(dropout)
        self.lip_time = nn.Sequential(
            nn.BatchNorm1d(FRAME_FEATURES),
            nn.ReLU(inplace=True),
            _convolve_in_time(FRAME_FEATURES, 192, 5),
            nn.Dropout(dropout),
            _convolve_in_time(192, 192, 5),
            nn.Conv1d(192, EMBEDDING_SIZE, 1),
        )
        self.sound = nn.Sequential(
            _convolve_in_time(MEL_BANDS, 128, 3),
            _convolve_in_time(128, 160, 3, stride=2),
            _convolve_in_time(160, 160, 3, stride=2),
            _convolve_in_time(160, 192, 5),
            nn.Dropout(dropout),
            _convolve_in_time(192, 192, 5),
            nn.Conv1d(192, EMBEDDING_SIZE, 1),
        )
        self.log_scale = nn.Parameter(torch.tensor(2.5))
        """Logarithm of the softmax's learnt inverse temperature; training only."""

    def embed_lips(self, frame_features: Tensor) -> Tensor:
        """(batch, T, 128) of ``frame_network`` -> (batch, T - 8, 128)."""
        return functional.normalize(self.lip_time(frame_features.transpose(1, 2)).transpose(1, 2), dim=2)

    def embed_sound(self, mel: Tensor) -> Tensor:
        """(batch, steps, 40) normalised mel -> (batch, (steps - 41) // 4 + 1, 128)."""
        return functional.normalize(self.sound(mel.transpose(1, 2)).transpose(1, 2), dim=2)

"""The network of S3FD, its layers by their published names.

Source: Zhang et al., "S3FD: Single Shot Scale-invariant Face Detector", 2017, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

_TAPS = (15, 22, 29)
"""Layers of ``vgg`` after which a level looks for faces."""
_LEVEL_CHANNELS = (256, 512, 512, 1024, 512, 256)
_BACKGROUND_OUTPUTS = 3
"""Of the first level, whose many small anchors would else give many false alarms: the largest of them counts."""
SMALLEST_SIDE_PX = 28
"""The five pools (one of them rounds up) leave nothing of a smaller picture."""
_MEAN_BGR = (104.0, 117.0, 123.0)


class L2Norm(nn.Module):
    """Each place's channels brought to length 1, then weighted."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, features: Tensor) -> Tensor:
        # In float32 always: the squares of a sharp picture exceed what float16 can hold.
        features = features.float()
        norm = features.square().sum(dim=1, keepdim=True).sqrt() + 1e-10
        return features / norm * self.weight[:, None, None]


class S3fdNetwork(nn.Module):
    """Pictures -> for every anchor, a box relative to it and the probability of a face."""

    def __init__(self) -> None:
        super().__init__()
        self._dtype = torch.float32
        self.vgg = nn.Sequential(*_vgg16())
        self.L2Norm3_3 = L2Norm(256)
        self.L2Norm4_3 = L2Norm(512)
        self.L2Norm5_3 = L2Norm(512)
        self.extras = nn.ModuleList(
            [
                nn.Conv2d(1024, 256, 1),
                nn.Conv2d(256, 512, 3, stride=2, padding=1),
                nn.Conv2d(512, 128, 1),
                nn.Conv2d(128, 256, 3, stride=2, padding=1),
            ]
        )
        outputs = [_BACKGROUND_OUTPUTS + 1, *[2] * (len(_LEVEL_CHANNELS) - 1)]
        self.loc = nn.ModuleList([nn.Conv2d(channels, 4, 3, padding=1) for channels in _LEVEL_CHANNELS])
        self.conf = nn.ModuleList(
            [nn.Conv2d(channels, n, 3, padding=1) for channels, n in zip(_LEVEL_CHANNELS, outputs, strict=True)]
        )

    def calculate_in(self, dtype: torch.dtype) -> None:
        """The convolutions, in this precision and the layout that they want; norms and probabilities stay float32."""
        self._dtype = dtype
        for layers in (self.vgg, self.extras, self.loc, self.conf):
            # torch's annotations do not know memory_format here, its documentation does.
            layers.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, tuple[tuple[int, int], ...]]:
        """Frames (B, H, W, 3), uint8 BGR -> loc (B, N, 4), face probability (B, N), height and width of each level.

        Anchors come level by level, row by row.
        """
        pictures = (frames.float() - torch.tensor(_MEAN_BGR, device=frames.device)).flip(3).permute(0, 3, 1, 2)
        dtype = self._dtype
        levels = self._levels(pictures.to(dtype))
        locations, probabilities = [], []
        for level, locate, classify in zip(levels, self.loc, self.conf, strict=True):
            features = level.to(dtype)
            locations.append(locate(features).float().permute(0, 2, 3, 1).flatten(1, 2))
            scores = classify(features).float()
            background = scores[:, :-1].amax(dim=1)
            probabilities.append(torch.softmax(torch.stack([background, scores[:, -1]]), dim=0)[1].flatten(1))
        sizes = tuple((features.shape[2], features.shape[3]) for features in levels)
        return torch.cat(locations, dim=1), torch.cat(probabilities, dim=1), sizes

    def _levels(self, features: Tensor) -> Sequence[Tensor]:
        levels = []
        norms = dict(zip(_TAPS, (self.L2Norm3_3, self.L2Norm4_3, self.L2Norm5_3), strict=True))
        for position, layer in enumerate(self.vgg):
            features = layer(features)
            if position in norms:
                levels.append(norms[position](features))
        levels.append(features)
        for position, layer in enumerate(self.extras):
            features = functional.relu(layer(features))
            if position % 2 == 1:
                levels.append(features)
        return levels


def _vgg16() -> list[nn.Module]:
    """VGG16 up to its fifth pool, and its first two fully connected layers as convolutions."""
    layers: list[nn.Module] = []
    channels = 3
    for outputs, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        for _ in range(convolutions):
            layers += [nn.Conv2d(channels, outputs, 3, padding=1), nn.ReLU(inplace=True)]
            channels = outputs
        layers.append(nn.MaxPool2d(2, ceil_mode=outputs == 256))
    layers += [
        nn.Conv2d(512, 1024, 3, padding=6, dilation=6),
        nn.ReLU(inplace=True),
        nn.Conv2d(1024, 1024, 1),
        nn.ReLU(),
    ]
    return layers

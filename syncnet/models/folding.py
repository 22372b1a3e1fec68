"""Batch norms that go into the convolutions before them, for a network that learns no more."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_norms(network: nn.Module) -> None:
    """In place, with the same answers but for rounding: a fifth less work for the lips of ``lite``."""
    network.eval()
    for layers in network.modules():
        if not isinstance(layers, nn.Sequential):
            continue
        for place in range(len(layers) - 1):
            convolution, norm = layers[place], layers[place + 1]
            if isinstance(convolution, nn.Conv1d | nn.Conv2d) and isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                layers[place], layers[place + 1] = fuse_conv_bn_eval(convolution, norm), nn.Identity()

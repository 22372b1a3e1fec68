"""The published SyncNet: its layers by their published names, and the two streams in a form that runs fast.

Source: Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016, section 2.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from syncnet.conventions import FEATURE_STEPS_PER_FRAME

WINDOW_FRAMES = 5
"""Frames that one lip embedding sees."""
WINDOW_STEPS = FEATURE_STEPS_PER_FRAME * WINDOW_FRAMES
"""MFCC steps that one sound embedding sees."""
EMBEDDING_SIZE = 1024
# Few enough that what a layer gives is still in the processor's cache for the next: 5 MB a window in the first. A GPU
# has no such cache, and wants as much at once as a piece of crops holds.
_LIP_WINDOWS_AT_ONCE = {"cpu": 4, "cuda": 64, "mps": 64}
SOUND_WINDOWS_AT_ONCE = 64


class SyncNetV2Layers(nn.Module):
    """The layers as published. Positions in the sequences are the numbers in the names of the state dict."""

    def __init__(self) -> None:
        super().__init__()
        self.netcnnaud = nn.Sequential(
            *_sound_layer(1, 64),
            nn.Identity(),  # a pool of 1 x 1, as published
            *_sound_layer(64, 192),
            nn.MaxPool2d(3, stride=(1, 2)),
            *_sound_layer(192, 384),
            *_sound_layer(384, 256),
            *_sound_layer(256, 256),
            nn.MaxPool2d(3, stride=2),
            *_sound_layer(256, 512, kernel=(5, 4), padding=0),
        )
        self.netfcaud = _fully_connected()
        self.netcnnlip = nn.Sequential(
            *_lip_layer(3, 96, kernel=(WINDOW_FRAMES, 7, 7), stride=2, padding=0),
            _lip_pool(),
            *_lip_layer(96, 256, kernel=(1, 5, 5), stride=2),
            _lip_pool(padding=1),
            *_lip_layer(256, 256),
            *_lip_layer(256, 256),
            *_lip_layer(256, 256),
            _lip_pool(),
            *_lip_layer(256, 512, kernel=(1, 6, 6), padding=0),
        )
        self.netfclip = _fully_connected()


def _sound_layer(
    inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3), padding: int = 1
) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inputs, outputs, kernel, padding=padding), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True)


def _lip_layer(
    inputs: int, outputs: int, kernel: tuple[int, int, int] = (1, 3, 3), stride: int = 1, padding: int = 1
) -> tuple[nn.Module, ...]:
    convolution = nn.Conv3d(inputs, outputs, kernel, stride=(1, stride, stride), padding=(0, padding, padding))
    return convolution, nn.BatchNorm3d(outputs), nn.ReLU(inplace=True)


def _lip_pool(padding: int = 0) -> nn.Module:
    return nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, padding, padding))


def _fully_connected() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(512, 512), nn.BatchNorm1d(512), nn.ReLU(inplace=True), nn.Linear(512, EMBEDDING_SIZE)
    )


class SyncNetV2Streams(nn.Module):
    """The same two functions, as close as float32 can tell: batch norms folded, a lip window as 15 channels.

    Of the lip stream the layers that see places (and fill the cache) run over a few windows at a time. Its last
    convolution spans the whole picture that is left: it is a matrix product, whose 19 MB of weights are read once for
    all windows of a piece.
    """

    def __init__(self, layers: SyncNetV2Layers, dtype: torch.dtype = torch.float32) -> None:
        """``dtype`` is that of the layers that see places, which are all but a few hundredths of the work."""
        super().__init__()
        self._dtype = dtype
        layers = layers.eval()
        *places, last, relu = [_without_time(layer) for layer in _fold_norms(layers.netcnnlip)]
        self.lip_places = nn.Sequential(*places, nn.Flatten())
        # torch's annotations do not know memory_format here, its documentation does.
        self.lip_places.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.lip_window = nn.Sequential(_as_linear(cast("nn.Conv2d", last)), relu, *_fold_norms(layers.netfclip))
        self.sound = nn.Sequential(*_fold_norms(layers.netcnnaud), nn.Flatten(), *_fold_norms(layers.netfcaud))
        self.requires_grad_(False)

    def embed_lips(self, crops: Tensor) -> Tensor:
        """(n, 224, 224, 3) uint8 BGR -> (n - 4, 1024), one row for each window of 5 crops."""
        windows = crops.unfold(0, WINDOW_FRAMES, 1)
        features = []
        for batch in torch.split(windows, _LIP_WINDOWS_AT_ONCE[crops.device.type]):
            # Colour and frame merge into channels in the order of the flattened kernel of the first layer, and as the
            # innermost dimension: the layout that the convolutions want.
            pictures = batch.flatten(3).permute(0, 3, 1, 2).to(self._dtype)
            features.append(self.lip_places(pictures).float())
        embeddings: Tensor = self.lip_window(torch.cat(features))
        return embeddings

    def embed_sound(self, mfcc: Tensor) -> Tensor:
        """(steps, 13) float32 -> ((steps - 20) // 4 + 1, 1024), one row for each frame with 20 steps from its start."""
        windows = mfcc.unfold(0, WINDOW_STEPS, FEATURE_STEPS_PER_FRAME)
        embeddings: Tensor = self.sound(windows[:, None])
        return embeddings


def _fold_norms(layers: nn.Sequential) -> list[nn.Module]:
    folded: list[nn.Module] = []
    for layer in layers:
        if not isinstance(layer, _BatchNorm):
            folded.append(layer)
        elif isinstance(folded[-1], nn.Linear):
            folded[-1] = fuse_linear_bn_eval(folded[-1], layer)
        elif isinstance(folded[-1], (nn.Conv2d, nn.Conv3d)):
            folded[-1] = fuse_conv_bn_eval(folded[-1], layer)
    return folded


def _without_time(layer: nn.Module) -> nn.Module:
    """The same layer over pictures: the first kernel spans the whole window, the others a single frame of it."""
    if isinstance(layer, nn.Conv3d):
        kernel = layer.weight.flatten(1, 2)
        flat = nn.Conv2d(kernel.shape[1], kernel.shape[0], kernel.shape[2], layer.stride[1], layer.padding[1])
        flat.load_state_dict({"weight": kernel, "bias": layer.bias})
        return flat
    if isinstance(layer, nn.MaxPool3d):
        sizes = cast("tuple[tuple[int, int, int], ...]", (layer.kernel_size, layer.stride, layer.padding))
        size, stride, padding = (across for _, across, _ in sizes)
        return nn.MaxPool2d(size, stride, padding)
    return layer


def _as_linear(convolution: nn.Conv2d) -> nn.Linear:
    """The same convolution over a picture of just its kernel's size, flattened."""
    kernel = convolution.weight.flatten(1)
    linear = nn.Linear(kernel.shape[1], kernel.shape[0])
    linear.load_state_dict({"weight": kernel, "bias": convolution.bias})
    return linear

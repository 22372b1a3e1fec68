"""Silero's voice activity detector, version 6: samples -> how likely somebody speaks.

Source: github.com/snakers4/silero-vad, whose wheel carries the weights (MIT). It needs nothing but torch, and runs over
a whole sound at once.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

import weights
from syncnet.conventions import Samples
from syncnet.errors import ModelFileError

WEIGHTS_FILE = "silero_vad_16k.safetensors"
STEP_SAMPLES = 512
"""32 ms at 16 kHz."""
_CONTEXT_SAMPLES = 64
_BINS = 129
_SIZE = 128
_STEPS_AT_ONCE = 1024
"""Half a minute, 2.4 MB."""


class SileroNetwork(nn.Module):
    """Magnitudes of 256 samples every 128, four convolutions over each step, a recurrent layer over all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(_BINS, _SIZE, 3, padding=1)
        self.conv2 = nn.Conv1d(_SIZE, _SIZE // 2, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(_SIZE // 2, _SIZE // 2, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(_SIZE // 2, _SIZE, 3, padding=1)
        self.lstm = nn.LSTM(_SIZE, _SIZE)
        self.final_conv = nn.Conv1d(_SIZE, 1, 1)

    def forward(
        self, steps: torch.Tensor, state: tuple[torch.Tensor, torch.Tensor] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, torch.Tensor]]:
        """Steps (n, 64 + 512), each with the samples before it, and the state behind the last -> (n,) 0 to 1, state."""
        waves = self.stft_conv(nn.functional.pad(steps, (0, _CONTEXT_SAMPLES), "reflect")[:, None])
        found = torch.hypot(waves[:, :_BINS], waves[:, _BINS:])
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            found = layer(found).relu()
        found, state = self.lstm(found[:, :, 0], state)
        return self.final_conv(found.relu()[:, :, None]).sigmoid()[:, 0, 0], state


@functools.cache
def load_silero() -> SileroNetwork:
    """The network that ships with the project; ModelFileError where its file is missing or was changed."""
    cure = "restore it with `git checkout weights/`"
    found = weights.find_weights(WEIGHTS_FILE, weights.WeightsPolicy(offline=True))
    if found is None:
        raise ModelFileError(f"the speech detector's {WEIGHTS_FILE} is missing", cure=cure)
    network = SileroNetwork()
    try:
        named = {_own_name(name): tensor for name, tensor in load_file(found.path).items()}
        network.load_state_dict(named)
    except (RuntimeError, OSError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ModelFileError(f"{found.path} does not fit ({reason})", path=found.path, cure=cure) from error
    return network.eval().requires_grad_(False)


def _own_name(name: str) -> str:
    """Theirs is a cell that is called for each step."""
    return name.replace("lstm_cell.", "lstm.") + "_l0" if name.startswith("lstm_cell.") else name


@torch.inference_mode()
def speech_chances(samples: Samples) -> np.ndarray:
    """How likely somebody speaks in each step of 512 int16 samples at 16 kHz, (n,) float32; the last may be cut."""
    network, state = load_silero(), None
    chances = []
    for steps in _steps(samples):
        found, state = network(steps, state)
        chances.append(found.numpy())
    return np.concatenate(chances) if chances else np.empty(0, np.float32)


def _steps(samples: Samples) -> Iterator[torch.Tensor]:
    count = -(-len(samples) // STEP_SAMPLES)
    for first in range(0, count, _STEPS_AT_ONCE):
        steps = min(_STEPS_AT_ONCE, count - first)
        start, end = first * STEP_SAMPLES, (first + steps) * STEP_SAMPLES
        piece = samples[max(0, start - _CONTEXT_SAMPLES) : end].astype(np.float32) / 32768
        before = _CONTEXT_SAMPLES if first == 0 else 0
        whole = np.pad(piece, (before, _CONTEXT_SAMPLES - before + steps * STEP_SAMPLES - len(piece)))
        yield torch.from_numpy(whole).unfold(0, _CONTEXT_SAMPLES + STEP_SAMPLES, STEP_SAMPLES)

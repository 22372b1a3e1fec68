"""Published checkpoints: files of torch's own format that hold a state dict."""

from __future__ import annotations

import hashlib
import io
import pickle
import textwrap
from pathlib import Path

import torch
from torch import nn

from syncnet.errors import ModelFileError

_CURE = "name the published file, or another of the same shape"
# A file that is no checkpoint can trip torch's reader up at any step.
_UNREADABLE = (pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError)


def load_checkpoint(network: nn.Module, path: Path) -> str:
    """Fill the network with exactly the tensors of a state-dict file and give the file's SHA-256, in hex.

    Only tensors are read from the file: nothing in it can run. Raises ModelFileError where it cannot be read, holds
    anything else, or where a name or a shape is not the network's.
    """
    try:
        content = path.read_bytes()
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read ({error.strerror})", path=path, cure=_CURE) from error
    except _UNREADABLE as error:
        raise ModelFileError(f"{path} is not a file of plain tensors", path=path, cure=_CURE) from error
    try:
        network.load_state_dict(state)
    except _UNREADABLE as error:
        # The first of several lines names the class only; the others can list every name of the network.
        lines = str(error).splitlines()
        problem = textwrap.shorten(" ".join(lines[1:] or lines), 200, placeholder=" ...")
        raise ModelFileError(f"{path} does not fit the network ({problem})", path=path, cure=_CURE) from error
    check_finite(network, path)
    return hashlib.sha256(content).hexdigest()


def check_finite(network: nn.Module, path: Path) -> None:
    """Raises ModelFileError where a weight is no number: no score would come of it, whatever the video."""
    for name, values in network.state_dict().items():
        if values.is_floating_point() and not bool(values.isfinite().all()):
            raise ModelFileError(f"{path} holds weights that are not numbers ({name})", path=path, cure=_CURE)

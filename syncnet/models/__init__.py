"""The scorers behind one small protocol, and the one registry that loads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from syncnet import MAX_SHIFT_FRAMES
from syncnet.errors import UsageError
from syncnet.models.lite_files import find_lite, lite_identity
from syncnet.settings import Precision
from weights import WeightsFile, WeightsPolicy, find_weights, require_weights

MODEL_NAMES = ("lite", "syncnet_v2")
SYNCNET_V2_FILE = "syncnet_v2.model"
MIN_TRACK_FRAMES = {
    # Eleven frames make one embedding; with fewer than fifteen pairs the far shifts would have none left.
    "lite": 11 + MAX_SHIFT_FRAMES,
    # Five make one; with fewer than sixteen windows the far shifts would meet zero vectors only, and the last is never
    # used.
    "syncnet_v2": 5 + MAX_SHIFT_FRAMES + 1,
}
"""A shorter track gives no embedding to compare, or too few."""


Metric = Literal["cosine", "euclidean"]


@dataclass(frozen=True)
class Embeddings:
    """Lips and sound of one track as points that lie close together where they belong together."""

    video: np.ndarray
    """(W, D) float32, one a frame."""
    audio: np.ndarray
    """(A, D) float32, one a frame; the sound may reach beyond the track at both ends."""
    audio_lead: int
    """``video[i]`` is in step with ``audio[audio_lead + i]``."""
    metric: Metric
    zero_pad_ends: bool
    """Whether sound that does not exist counts as a zero vector (as published) or not at all."""
    middle_frame: int = 0
    """``video[i]`` stands for frame ``i + middle_frame`` of the track, the middle one of those that it sees."""


class FaceEncoder(Protocol):
    """Takes in the face crops of one track, piece by piece, and keeps only numbers of them."""

    def push(self, crops: np.ndarray) -> None:
        """The next crops of the track, shape (n, 224, 224, 3), uint8 BGR."""


class SyncModel(Protocol):
    """A lip-sync model. One copy serves all threads."""

    name: str
    identity: str
    """SHA-256 of what the score depends on: the weights, and the calibration where there is one."""
    min_track_frames: int
    """A shorter track gives no embedding to compare, or too few."""

    def face_encoder(self) -> FaceEncoder:
        """A new encoder, one for each track."""

    def embed(self, encoder: FaceEncoder, samples: np.ndarray, first_frame: int, frame_count: int) -> Embeddings:
        """Embeddings of a track whose crops were all pushed; ``samples`` are those of the whole file."""

    def confidence(self, raw: float, embedding_count: int) -> float:
        """Median minus minimum of the mean distances over so many lip embeddings, on the familiar SyncNet scale.

        ``raw`` is in the unit of ``syncnet.scoring.distance_unit``.
        """


@dataclass(frozen=True)
class ChosenModel:
    """A model that is at hand, not loaded yet."""

    name: str
    identity: str
    """As SyncModel has it."""
    min_track_frames: int
    verified: bool
    """Whether its files are those of the manifest, so that they fit."""


def choose_model(name: str, policy: WeightsPolicy) -> ChosenModel:
    """The model that ``load_model`` would load. Raises as that does, but for files that do not fit."""
    if _is_published(name, policy):
        found = _published_weights(policy)
        return ChosenModel("syncnet_v2", found.sha256, MIN_TRACK_FRAMES["syncnet_v2"], found.verified)
    files = find_lite(policy)
    identity = lite_identity(*(file.sha256 for file in files))
    return ChosenModel("lite", identity, MIN_TRACK_FRAMES["lite"], all(file.verified for file in files))


def load_model(name: str, device: str, policy: WeightsPolicy, precision: Precision = "float32") -> SyncModel:
    """The model, verified and resident on the device (``auto``, ``cpu`` or ``cuda``).

    ``precision`` is that of syncnet_v2; lite calculates in float32, in which it takes a hundredth of a video's time.
    ``auto`` is syncnet_v2 where its file is at hand, else lite; it never uses the network. A model asked for by name is
    fetched where it is missing.

    Raises UsageError for an unknown model or a device that the machine does not have,
    ModelFileError for a missing or corrupt file.
    """
    device = resolve_device(device)
    if _is_published(name, policy):
        from syncnet.models.syncnet_v2 import load_syncnet_v2

        return load_syncnet_v2(_published_weights(policy).path, device, precision)
    from syncnet.models.lite import load_lite

    return load_lite(device, policy)


def resolve_device(name: str) -> str:
    """``auto`` becomes ``cuda`` where torch can use one, else ``cpu``; UsageError for ``cuda`` where it cannot."""
    import torch

    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "--device cuda: PyTorch finds no CUDA device here",
            cure='use --device cpu, or install a CUDA build of torch (docs/troubleshooting.md, "The GPU is not used")',
        )
    return name


def _is_published(name: str, policy: WeightsPolicy) -> bool:
    """Whether it is syncnet_v2, and not lite."""
    if name not in ("auto", *MODEL_NAMES):
        raise UsageError(f"--model {name} is not known", cure=f"use one of {', '.join(MODEL_NAMES)}")
    return name == "syncnet_v2" or (name == "auto" and find_weights(SYNCNET_V2_FILE, policy) is not None)


def _published_weights(policy: WeightsPolicy) -> WeightsFile:
    return require_weights(SYNCNET_V2_FILE, policy, "--model syncnet_v2", "--model lite")

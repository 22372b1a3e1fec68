"""Which lip-sync models there are, which one is meant, and loading it."""

from __future__ import annotations

from syncnet.errors import UsageError
from syncnet.models.choice import SYNCNET_V2_FILE, meant_model
from syncnet.models.lite_files import find_lite, lite_identity
from syncnet.models.protocol import SyncModel
from syncnet.settings import Precision, ScorerSettings
from syncnet.settings.checks import fitted
from weights import Identity, WeightsFile, WeightsPolicy, require_weights


def choose_model(name: str, policy: WeightsPolicy) -> Identity:
    """The model that ``load_model`` would load. Raises as that does, but for files that do not fit."""
    if _is_published(name, policy):
        return Identity("syncnet_v2", _published_weights(policy).sha256)
    return Identity("lite", lite_identity(*(file.sha256 for file in find_lite(policy))))


def load_model(name: str, device: str, policy: WeightsPolicy, precision: Precision = "float32") -> SyncModel:
    """The model, verified and resident on the device (``auto``, ``cpu``, ``cuda`` or ``mps``).

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
    """``auto`` becomes ``cuda`` where torch can use one, else ``cpu``; UsageError for a GPU that it cannot use."""
    import torch

    fitted(ScorerSettings, "device", name)
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "--device cuda: PyTorch finds no CUDA device here",
            cure='use --device cpu, or install a CUDA build of torch (docs/troubleshooting.md, "The GPU is not used")',
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise UsageError(
            "--device mps: PyTorch finds no GPU of a Mac here",
            cure="use --device cpu; it takes macOS on Apple silicon and a build of torch with MPS",
        )
    return name


def auto_model(policy: WeightsPolicy) -> str:
    """What ``auto`` comes to on this machine. Raises as ``choose_model`` does."""
    return meant_model("auto", policy)


def _is_published(name: str, policy: WeightsPolicy) -> bool:
    """Whether it is syncnet_v2, and not lite."""
    return meant_model(name, policy) == "syncnet_v2"


def _published_weights(policy: WeightsPolicy) -> WeightsFile:
    return require_weights(SYNCNET_V2_FILE, policy, "--model syncnet_v2", "--model lite")

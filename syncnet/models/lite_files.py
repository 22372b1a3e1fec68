"""Where the embedded model's two files are, and what it is called by them; nothing of it is loaded."""

from __future__ import annotations

import weights
from syncnet.errors import ModelFileError

WEIGHTS_FILE = "lite.safetensors"
CALIBRATION_FILE = "lite_calibration.json"
_SHORT_DIGEST = 12


def find_lite(policy: weights.WeightsPolicy) -> tuple[weights.WeightsFile, weights.WeightsFile]:
    """The weights and the calibration. Raises ModelFileError where one of them is missing or was changed."""
    return _find(WEIGHTS_FILE, policy), _find(CALIBRATION_FILE, policy)


def lite_identity(weights_sha256: str, calibration_sha256: str) -> str:
    """A score depends on both files."""
    return f"{weights_sha256}+{calibration_sha256[:_SHORT_DIGEST]}"


def _find(file_name: str, policy: weights.WeightsPolicy) -> weights.WeightsFile:
    found = weights.find_weights(file_name, policy)
    if found is None:
        raise ModelFileError(
            f"the embedded model's {file_name} is missing", cure="restore it with `git checkout weights/`"
        )
    return found

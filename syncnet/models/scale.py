"""How raw confidences of a model come to the familiar scale, without loading the model."""

from __future__ import annotations

import functools
from collections.abc import Callable

import weights
from syncnet.conventions import FPS
from syncnet.models.lite_calibration import read_calibration
from syncnet.models.lite_files import find_lite

Scale = Callable[[float, int], float]
"""From a raw confidence, and the number of lips that it is from, as ``SyncModel.confidence``."""


@functools.cache
def scale_of(model_name: str) -> Scale:
    """Raises ModelFileError where the embedded model's table is missing."""
    if model_name != "lite":
        return lambda raw, _: raw
    _, table = find_lite(weights.WeightsPolicy(offline=True))
    calibration = read_calibration(table.path)
    return lambda raw, lips: calibration.confidence_of(raw, lips / FPS)

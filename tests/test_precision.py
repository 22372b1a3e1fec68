"""Half precision: chosen where the hardware has it, part of what a score depends on, and near to float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from fakes import FakeDetector, FakeModel, FakeStages

from detectors.s3fd import load_s3fd
from syncnet.models.precision import dtype_of, is_in_hardware, resolve_precision
from syncnet.models.syncnet_v2_network import SyncNetV2Layers, SyncNetV2Streams
from syncnet.run import preparation
from syncnet.settings import ScorerSettings, SpeedSettings
from syncnet.stages import choose_stages
from synthetic.weights import seeded_syncnet_v2_state, write_seeded_s3fd
from weights import WeightsPolicy

# bfloat16 keeps 8 bits: each product of six layers one after the other is rounded by up to 1/256.
BFLOAT16_TOLERANCE = 0.02


@pytest.fixture
def hardware(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What torch says that the processor has; empty to begin with."""
    present: set[str] = set()
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported", "_is_amx_fp16_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name in present, raising=False)
    return present


def test_auto_is_float32_even_where_the_processor_has_bfloat16(hardware: set[str]) -> None:
    hardware.add("_is_avx512_bf16_supported")
    assert resolve_precision("auto", "cpu") == "float32"
    assert is_in_hardware("bfloat16", "cpu") and not is_in_hardware("float16", "cpu")


def test_what_is_asked_for_holds_without_hardware(hardware: set[str]) -> None:
    assert not hardware
    assert resolve_precision("bfloat16", "cpu") == "bfloat16"
    assert not is_in_hardware("bfloat16", "cpu") and is_in_hardware("float32", "cpu")


def test_precision_is_part_of_what_a_score_depends_on() -> None:
    settings = ScorerSettings()
    half = FakeStages(FakeModel(), FakeDetector(), precision="bfloat16")
    assert preparation._modes(settings, half) == {"reference": None, "precision": "bfloat16"}
    # Not named where it is float32, so that the scores of earlier versions hold.
    assert preparation._modes(settings, FakeStages()) == {"reference": None}


def test_lite_does_not_heed_it() -> None:
    settings = ScorerSettings(
        model="lite",
        detector="lite",
        device="cpu",
        speed=SpeedSettings("bfloat16", 7),
        weights=WeightsPolicy(None),
    )
    stages = choose_stages(settings, workers=1).load()
    assert stages.precision == "float32"
    assert stages.detect.detect_every_frames == 7


@pytest.mark.slow
def test_lip_embeddings_in_bfloat16_are_near_those_in_float32(test_data: Path) -> None:
    layers = SyncNetV2Layers()
    layers.load_state_dict(seeded_syncnet_v2_state(test_data))
    crops = torch.from_numpy(np.random.default_rng(3).integers(0, 256, (6, 224, 224, 3), dtype=np.uint8))
    with torch.inference_mode():
        exact = SyncNetV2Streams(layers).embed_lips(crops)
        rounded = SyncNetV2Streams(layers, dtype_of("bfloat16")).embed_lips(crops)
    assert rounded.dtype == torch.float32
    difference = float((rounded - exact).abs().max() / exact.abs().max())
    assert 0 < difference < BFLOAT16_TOLERANCE


@pytest.mark.slow
def test_s3fd_in_bfloat16_is_near_that_in_float32(tmp_path: Path) -> None:
    path = write_seeded_s3fd(tmp_path / "sfd_face.pth")
    picture = torch.from_numpy(np.random.default_rng(4).integers(0, 256, (1, 64, 96, 3), dtype=np.uint8))
    with torch.inference_mode():
        exact_boxes, exact_scores, exact_levels = load_s3fd(path, "cpu").network(picture)
        boxes, scores, levels = load_s3fd(path, "cpu", "bfloat16").network(picture)
    assert levels == exact_levels
    assert boxes.dtype == scores.dtype == torch.float32
    assert 0 < float((scores - exact_scores).abs().max()) < 0.1
    assert float((boxes - exact_boxes).abs().max() / exact_boxes.abs().max()) < 5 * BFLOAT16_TOLERANCE

"""The registry: which model and device a name comes to, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save

import weights
from syncnet.errors import ModelFileError, UsageError
from syncnet.models.registry import load_model, resolve_device
from weights import WeightsPolicy

OFFLINE = WeightsPolicy(offline=True)


def test_auto_is_the_embedded_model() -> None:
    assert load_model("auto", "cpu", OFFLINE).name == "lite"


def test_a_model_that_is_not_there_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match="syncnet_v3"):
        load_model("syncnet_v3", "cpu", OFFLINE)


@pytest.mark.parametrize(("at_hand", "expected"), [(True, "cuda"), (False, "cpu")])
def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch, at_hand: bool, expected: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: at_hand)
    assert resolve_device("auto") == expected


def test_the_gpu_of_a_mac_is_taken_where_it_is_asked_for_and_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert resolve_device("mps") == "mps"
    # No score of it was compared yet.
    assert resolve_device("auto") == "cpu"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match="--device mps: PyTorch finds no GPU of a Mac here"):
        resolve_device("mps")


def test_cuda_without_a_gpu_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="--device cpu"):
        resolve_device("cuda")


@pytest.mark.parametrize("name", ["lite.safetensors", "lite_calibration.json"])
def test_a_changed_file_of_the_embedded_model_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes((weights.EMBEDDED_MODEL.parent / name).read_bytes() + b" ")
    with pytest.raises(ModelFileError, match="expected"):
        load_model("lite", "cpu", WeightsPolicy(tmp_path, offline=True))


def test_the_published_model_says_where_its_file_is_to_be_had(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"syncnet_v2\.model.*--offline.*weights fetch.*--model lite"):
        load_model("syncnet_v2", "cpu", WeightsPolicy(tmp_path, offline=True))


def test_a_file_that_is_not_the_published_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "syncnet_v2.model").write_bytes(b"something else")
    with pytest.raises(ModelFileError, match="expected"):
        load_model("syncnet_v2", "cpu", WeightsPolicy(tmp_path, offline=True))


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("lite.safetensors", b"junk", "does not fit this version"),
        ("lite.safetensors", save({}), "holds no tensors"),
        ("lite.safetensors", save({"other": torch.zeros(3)}), "does not fit this version"),
        ("lite_calibration.json", b"junk", "is not a calibration table"),
        ("lite_calibration.json", b'{"speech_seconds": [1.6]}', "is not a calibration table"),
        (
            "lite_calibration.json",
            b'{"speech_seconds": [1], "raw": [[0, 1]], "confidence": [1, 0]}',
            "do not increase",
        ),
        (
            "lite_calibration.json",
            b'{"speech_seconds": [1], "raw": [[0, NaN]], "confidence": [0, 1]}',
            "do not increase",
        ),
        (
            "lite_calibration.json",
            b'{"speech_seconds": [1, 2], "raw": [[0, 1]], "confidence": [0, 1]}',
            "differ in length",
        ),
    ],
)
def test_another_file_must_be_of_the_models_own_shape(tmp_path: Path, name: str, content: bytes, told: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelFileError, match=told) as raised:
        load_model("lite", "cpu", WeightsPolicy(tmp_path, offline=True, allow_unverified=True))
    assert raised.value.path == tmp_path / name
    assert "\n" not in str(raised.value)


def test_another_calibration_is_used_and_told_apart(tmp_path: Path) -> None:
    content = b'{"speech_seconds": [1], "raw": [[0, 1]], "confidence": [0, 20]}'
    (tmp_path / "lite_calibration.json").write_bytes(content)
    with pytest.raises(ModelFileError, match="expected"):
        load_model("lite", "cpu", WeightsPolicy(tmp_path, offline=True))
    model = load_model("lite", "cpu", WeightsPolicy(tmp_path, offline=True, allow_unverified=True))
    assert model.confidence(0.5, 100) == pytest.approx(10)
    assert not weights.is_known(model.identity)
    assert weights.is_known(load_model("lite", "cpu", OFFLINE).identity)

"""Model files: the order of the search, and the proof that a file is the right one."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

import weights
from syncnet.errors import ModelFileError, UsageError
from weights import (
    EMBEDDED_MODEL,
    WEIGHTS_ENVIRONMENT_VARIABLE,
    WeightsFile,
    WeightsPolicy,
    cache_folder,
    examine_weights,
    find_weights,
    is_known,
    require_weights,
)
from weights.manifest import load_manifest

CONTENT = b"the model"
CONTENT_SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A weights folder of its own, whose manifest knows ``tiny.model``."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    manifest = folder / "manifest.json"
    entry = {"sha256": CONTENT_SHA256, "bytes": len(CONTENT), "licence": "", "source": "", "urls": ["https://a.test/m"]}
    manifest.write_text(json.dumps({"tiny.model": entry}))
    monkeypatch.setattr(weights, "_OWN_FOLDER", folder)
    monkeypatch.setattr("weights.manifest.MANIFEST", manifest)
    monkeypatch.delenv(WEIGHTS_ENVIRONMENT_VARIABLE, raising=False)
    return folder


def folder_with_model(folder: Path, content: bytes = CONTENT) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "tiny.model").write_bytes(content)
    return folder


def path_found(policy: WeightsPolicy) -> Path | None:
    found = find_weights("tiny.model", policy)
    return found.path if found else None


def test_nowhere_is_none(checkout: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert find_weights("tiny.model", WeightsPolicy()) is None
    assert find_weights("tiny.model", WeightsPolicy(tmp_path / "empty")) is None


def test_order_of_the_search(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache_folder().parent.mkdir(parents=True, exist_ok=True)
    folder_with_model(cache_folder())
    assert path_found(WeightsPolicy()) == cache_folder() / "tiny.model"
    folder_with_model(checkout)
    assert path_found(WeightsPolicy()) == checkout / "tiny.model"
    by_environment = folder_with_model(tmp_path / "environment")
    monkeypatch.setenv(WEIGHTS_ENVIRONMENT_VARIABLE, str(by_environment))
    assert path_found(WeightsPolicy()) == by_environment / "tiny.model"
    by_flag = folder_with_model(tmp_path / "flag")
    assert path_found(WeightsPolicy(by_flag)) == by_flag / "tiny.model"


def test_corrupt_file_is_named_with_both_digests_and_the_cure(checkout: Path, tmp_path: Path) -> None:
    # A good file further down the search must not hide the bad one.
    folder_with_model(checkout)
    bad = folder_with_model(tmp_path / "flag", b"the modem")
    with pytest.raises(ModelFileError) as raised:
        find_weights("tiny.model", WeightsPolicy(bad))
    message = str(raised.value)
    assert raised.value.path == bad / "tiny.model"
    assert "\n" not in message
    for part in (
        str(bad / "tiny.model"),
        CONTENT_SHA256,
        hashlib.sha256(b"the modem").hexdigest(),
        "found by --weights_dir",
        "python -m weights fetch tiny.model",
    ):
        assert part in message


def test_file_larger_than_a_chunk_is_hashed_whole(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_CHUNK_BYTES", 4)
    assert examine_weights(folder_with_model(checkout) / "tiny.model").sha256 == CONTENT_SHA256


def test_name_outside_the_manifest_is_refused(checkout: Path) -> None:
    (checkout / "other.model").write_bytes(CONTENT)
    with pytest.raises(ModelFileError, match=r"other\.model is not listed"):
        find_weights("other.model", WeightsPolicy())


def test_unreadable_file_is_a_model_file_error(checkout: Path) -> None:
    with pytest.raises(ModelFileError, match=r"cannot be read \(No such file"):
        examine_weights(checkout / "tiny.model")


def test_named_folder_must_exist(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="--weights_dir names"):
        find_weights("tiny.model", WeightsPolicy(tmp_path / "absent"))
    monkeypatch.setenv(WEIGHTS_ENVIRONMENT_VARIABLE, str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=f"{WEIGHTS_ENVIRONMENT_VARIABLE} names"):
        find_weights("tiny.model", WeightsPolicy())


def test_manifest_entries_are_complete() -> None:
    manifest = load_manifest()
    assert {"face_detection_yunet_2023mar.onnx", "syncnet_v2.model", "sfd_face.pth"} <= set(manifest)
    for entry in manifest.values():
        assert set(entry) == {"sha256", "bytes", "licence", "source", "urls"}
        assert re.fullmatch("[0-9a-f]{64}", entry["sha256"])
        assert entry["bytes"] > 0
        assert entry["licence"] and entry["source"]
        assert all(url.startswith("https://") for url in entry["urls"])


def test_every_model_file_in_the_folder_is_the_one_of_the_manifest() -> None:
    shipped = [
        path for path in EMBEDDED_MODEL.parent.iterdir() if path.suffix in (".safetensors", ".onnx", ".pth", ".model")
    ]
    for path in shipped:
        examine_weights(path)
        assert path.stat().st_size == load_manifest()[path.name]["bytes"]


def test_another_file_is_accepted_only_on_demand_and_known_for_what_it_is(checkout: Path) -> None:
    path = folder_with_model(checkout, b"the modem") / "tiny.model"
    found = find_weights("tiny.model", WeightsPolicy(allow_unverified=True))
    assert found == WeightsFile(path, hashlib.sha256(b"the modem").hexdigest(), verified=False)
    assert not is_known(found.sha256)
    assert is_known(CONTENT_SHA256)
    assert is_known(f"{CONTENT_SHA256}+{CONTENT_SHA256[:12]}")
    assert not is_known(f"{CONTENT_SHA256}+{found.sha256[:12]}")
    assert not is_known("")


def test_offline_names_the_command_that_fetches(checkout: Path) -> None:
    with pytest.raises(ModelFileError, match=r"--model x needs tiny\.model.*weights fetch tiny\.model.*--model y"):
        require_weights("tiny.model", WeightsPolicy(offline=True), "--model x", "--model y")

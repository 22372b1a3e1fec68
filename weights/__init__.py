"""Model files: where they are looked for, and the proof that a file is the one that was meant.

Standard library only, so that every other part may build on it. Nothing here uses the network.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TypedDict, cast

from syncnet.errors import ModelFileError, UsageError

WEIGHTS_ENVIRONMENT_VARIABLE = "SYNC_FILTER_WEIGHTS"
"""Names a folder that is searched after ``--weights_dir`` and before the checkout's own."""

_OWN_FOLDER = Path(__file__).resolve().parent
EMBEDDED_MODEL = _OWN_FOLDER / "lite.safetensors"
"""The lip-sync model that ships with the project."""

_MANIFEST = _OWN_FOLDER / "manifest.json"
_CHUNK_BYTES = 1 << 20


class ManifestEntry(TypedDict):
    """What is known of a model file."""

    sha256: str
    bytes: int
    licence: str
    source: str
    urls: list[str]


def load_manifest() -> dict[str, ManifestEntry]:
    """Known model files by name."""
    return cast("dict[str, ManifestEntry]", json.loads(_MANIFEST.read_text(encoding="utf-8")))


def find_weights(file_name: str, weights_dir: Path | None) -> Path | None:
    """First verified place of a model file of the manifest, or None where it is nowhere.

    Looks in ``weights_dir``, then the folder that SYNC_FILTER_WEIGHTS names, then the checkout's ``weights/``.
    A corrupt file is never passed over in silence.

    Raises:
        UsageError: a folder that was named does not exist.
        ModelFileError: the first file found is not the one of the manifest, or cannot be read.
    """
    for folder in _search_folders(weights_dir):
        path = folder / file_name
        if path.is_file():
            verify_weights(path)
            return path
    return None


def require_weights(file_name: str, weights_dir: Path | None, wanted_by: str, instead: str) -> Path:
    """As ``find_weights`` for a file that the flag ``wanted_by`` cannot do without; ``instead`` is a flag that can.

    Raises ModelFileError, which says where the file is to be had, where it is nowhere.
    """
    path = find_weights(file_name, weights_dir)
    if path is None:
        url = load_manifest()[file_name]["urls"][0]
        raise ModelFileError(
            f"{wanted_by} needs {file_name}, which is not here",
            cure=f"fetch it from {url} into a folder and name that with --weights_dir, or use {instead}",
        )
    return path


def verify_weights(path: Path) -> str:
    """SHA-256 of a model file, in hex, after it was compared with the manifest's entry for the file's name.

    Raises ModelFileError where they differ, the manifest does not know the name, or the file cannot be read.
    """
    entry = load_manifest().get(path.name)
    if entry is None:
        raise ModelFileError(f"{path} is not listed in {_MANIFEST.name}", path=path, cure="use a file that is listed")
    actual = _sha256_of(path)
    if actual != entry["sha256"]:
        raise ModelFileError(
            f"{path} is not the expected file (SHA-256 expected {entry['sha256']}, actual {actual})",
            path=path,
            cure="delete it and fetch it again" + _from_first_url(entry),
        )
    return actual


def _search_folders(weights_dir: Path | None) -> list[Path]:
    named = [
        ("--weights_dir", weights_dir),
        (WEIGHTS_ENVIRONMENT_VARIABLE, os.environ.get(WEIGHTS_ENVIRONMENT_VARIABLE)),
    ]
    folders = []
    for origin, folder in named:
        if not folder:
            continue
        if not Path(folder).is_dir():
            raise UsageError(
                f"{origin} names {folder}, which is no folder", path=folder, cure="name a folder that exists"
            )
        folders.append(Path(folder))
    return [*folders, _OWN_FOLDER]


def _sha256_of(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK_BYTES):
                digest.update(chunk)
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error.strerror})", path=path, cure="check that it exists and its permissions"
        ) from error
    return digest.hexdigest()


def _from_first_url(entry: ManifestEntry) -> str:
    return f" from {entry['urls'][0]}" if entry["urls"] else ""

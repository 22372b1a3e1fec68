"""What is known of each model file: its digest, its licence, where it can be fetched."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict, cast

MANIFEST = Path(__file__).resolve().parent / "manifest.json"


class ManifestEntry(TypedDict):
    """What is known of a model file."""

    sha256: str
    bytes: int
    licence: str
    source: str
    urls: list[str]
    """In order of trust; empty for what ships with the project."""


def load_manifest() -> dict[str, ManifestEntry]:
    """Known model files by name."""
    return cast("dict[str, ManifestEntry]", json.loads(MANIFEST.read_text(encoding="utf-8")))

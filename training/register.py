"""Writes the digests of the embedded model's files into weights/manifest.json."""

from __future__ import annotations

import hashlib
import json

import weights
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE


def main() -> None:
    folder = weights.EMBEDDED_MODEL.parent
    manifest_path = folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    for name in (WEIGHTS_FILE, CALIBRATION_FILE):
        path = folder / name
        entry = manifest.setdefault(name, {"licence": "MIT", "source": "training/README.md", "urls": []})
        entry.update(sha256=hashlib.sha256(path.read_bytes()).hexdigest(), bytes=path.stat().st_size)
        print(f"{name}: {entry['sha256']} ({entry['bytes']:,} bytes)")
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()

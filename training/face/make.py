"""``python -m training.face.make --shared DIR --work DIR``: from pictures to weights in weights/, and the table.

Goes on where it was stopped. Each step can be run alone: training/face/README.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import weights
from detectors import LITE_FILE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shared", type=Path, required=True, help="folder with frames/, corpus/, clips/ and weights/")
    parser.add_argument("--work", type=Path, required=True, help="some 4 GB of training pictures, and checkpoints")
    parser.add_argument("--device", default="cpu", help="of the training")
    options = parser.parse_args()
    pictures, trained = options.work / "pictures", options.work / LITE_FILE
    _run("prepare", "--shared", options.shared, "--out", pictures)
    _run("train", "--pictures", pictures, "--out", trained, "--device", options.device)
    register(trained)
    table = Path(__file__).parent / "evaluation.json"
    _run("evaluate", "--clips", options.shared / "clips", "--weights_dir", options.shared / "weights", "--out", table)


def _run(step: str, *arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", f"training.face.{step}", *map(str, arguments)], check=True)


def register(trained: Path) -> None:
    """Puts the weights beside the other embedded model and their digest into weights/manifest.json."""
    folder = weights.EMBEDDED_MODEL.parent
    shutil.copyfile(trained, folder / LITE_FILE)
    manifest_path = folder / "manifest.json"
    manifest = json.loads(manifest_path.read_text())
    entry = manifest.setdefault(LITE_FILE, {"licence": "MIT", "source": "training/face/README.md", "urls": []})
    content = (folder / LITE_FILE).read_bytes()
    entry.update(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()

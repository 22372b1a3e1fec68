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
from detectors.registry import LITE_FILE

_TOOL = Path(__file__).parents[2] / "filter_videos_by_sync_score.py"


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
    clips, weights_dir = options.shared / "clips", options.shared / "weights"
    results = [_score(clips, weights_dir, options.work, detector) for detector in ("lite", "yunet")]
    table = Path(__file__).parent / "evaluation.json"
    _run("evaluate", "--clips", clips, "--weights_dir", weights_dir, "--out", table, "--results", *results)


def _run(step: str, *arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", f"training.face.{step}", *map(str, arguments)], check=True)


def _score(clips: Path, weights_dir: Path, work: Path, detector: str) -> Path:
    """The results file of the tool over all clips."""
    out = work / f"scores_{detector}"
    flags = ["--model", "lite", "--detector", detector, "--keep_all", "--report", "off"]
    folders = ["--input_dir", clips, "--output_dir", out, "--weights_dir", weights_dir]
    command = [sys.executable, _TOOL, *folders, *flags]
    subprocess.run([str(word) for word in command], check=True)
    return out / "sync_filter_results.json"


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

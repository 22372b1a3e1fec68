"""What half precision does to the scores of SyncNet v2.

    python -m benchmarks.precision --clips DIR --weights_dir DIR [--precision bfloat16 float16] [--clip NAME ...]

Scores each clip in float32 and in each other precision, with YuNet's faces, and prints the largest change of a mean
distance, of the confidence, and whether the offset stayed. Of weights drawn from names the distances mean nothing, but
rounding treats them alike; the real ones give the real answer. float16 without hardware for it takes long.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch

from detectors.registry import resolve_detector
from syncnet.models.precision import is_in_hardware
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.scoring.score import SyncScore
from syncnet.settings import Precision
from syncnet.system.cores import count_cores
from syncnet.system.interruption import StopFlag
from weights import WeightsPolicy

CLIP_LIST = Path(__file__).with_name("clips.json")


@dataclass(frozen=True)
class Change:
    """Of one track."""

    distance: float
    confidence: float
    of_confidence: float
    """What it was in float32."""
    offset_frames: int


def main() -> None:
    arguments = parse_arguments()
    torch.set_num_threads(count_cores())
    names = arguments.clip or [clip["name"] for clip in json.loads(CLIP_LIST.read_text())["in_sync"]]
    exact = score_clips(arguments.clips, arguments.weights_dir, names, "float32")
    print(f"{len(names)} clips, {len(exact)} tracks\n")
    print("| precision | hardware | distance | confidence, median | most | median in float32 | offsets moved |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for precision in cast("list[Precision]", arguments.precision):
        rounded = score_clips(arguments.clips, arguments.weights_dir, names, precision)
        changes = [change(exact[track], rounded[track]) for track in exact if track in rounded]
        hardware = "yes" if is_in_hardware(precision, "cpu") else "no"
        distance = max(each.distance for each in changes)
        confidences = [each.confidence for each in changes]
        usual = np.median([each.of_confidence for each in changes])
        moved = sum(each.offset_frames != 0 for each in changes)
        print(
            f"| {precision} | {hardware} | {distance:.4f} | {np.median(confidences):.3f} | {max(confidences):.3f} "
            f"| {usual:.2f} | {moved} of {len(changes)} |",
            flush=True,
        )


def score_clips(clips: Path, weights_dir: Path, names: list[str], precision: Precision) -> dict[str, SyncScore]:
    """The scores of all tracks by clip and place."""
    policy = WeightsPolicy(weights_dir, offline=True, allow_unverified=True)
    model = load_model("syncnet_v2", "cpu", policy, precision)
    stages = Stages(model, resolve_detector("yunet", policy), decode_threads=count_cores())
    scores = {}
    for name in names:
        for track in score_video(clips / name, stages, StopFlag()).tracks:
            if track.score is not None:
                scores[f"{name} {track.first_frame} {track.mean_box}"] = track.score
    return scores


def change(exact: SyncScore, rounded: SyncScore) -> Change:
    distance = float(np.nanmax(np.abs(exact.curve - rounded.curve)))
    return Change(
        distance,
        abs(exact.confidence - rounded.confidence),
        exact.confidence,
        rounded.offset_frames - exact.offset_frames,
    )


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of the clips of benchmarks/clips.json")
    parser.add_argument("--weights_dir", type=Path, required=True, help="folder of syncnet_v2.model and YuNet's file")
    parser.add_argument("--precision", nargs="+", default=["bfloat16"], choices=("bfloat16", "float16"))
    parser.add_argument("--clip", nargs="+", metavar="NAME", help="only these")
    return parser.parse_args()


if __name__ == "__main__":
    main()

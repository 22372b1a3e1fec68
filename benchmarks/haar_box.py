"""How a Haar cascade's square becomes a tight face box: fitted on real video, with YuNet's boxes as the truth.

    python -m benchmarks.haar_box --clips DIR --weights_dir DIR

Prints, for the frontal and the profile cascade, the centre shift and the size of the tight box in sides of the square
(the median, and the middle half of all faces in brackets): the constants of detectors/haar.py.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from detectors.haar import FRONTAL, PROFILE, BoxMapping, Cascade
from detectors.registry import resolve_detector
from syncnet.errors import VideoError
from syncnet.media.opening import open_media
from weights import WeightsPolicy

MIN_FACE_PX = 50
SURE_SCORE = 0.8
SAME_FACE_DISTANCE = 0.35
"""Centres of the same face lie at most so many face heights apart."""
AS_FOUND = BoxMapping(shift_x=0.0, shift_y=0.0, width=1.0, height=1.0)


def main() -> None:
    arguments = parse_arguments()
    fits: dict[str, list[list[float]]] = {settings.file_name: [] for settings in (FRONTAL, PROFILE)}
    for path in sorted(arguments.clips.iterdir()):
        for file_name, fit in fits_of_video(path, arguments):
            fits[file_name].append(fit)
    columns = "shift x", "shift y", "width", "height"
    print(f"{'cascade':34}{'faces':>6}" + "".join(f"{column:>26}" for column in columns))
    for file_name, rows in fits.items():
        quarter, median, three_quarters = np.percentile(np.array(rows), (25, 50, 75), axis=0)
        cells = [f"{m:.3f} ({q:.3f} .. {t:.3f})" for m, q, t in zip(median, quarter, three_quarters, strict=True)]
        print(f"{file_name:34}{len(rows):6}" + "".join(f"{cell:>26}" for cell in cells))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="folder of videos")
    parser.add_argument("--weights_dir", type=Path, help="folder of the YuNet model file")
    parser.add_argument("--every", type=int, default=12, help="frames from one look to the next (default 12)")
    # So that one long video does not outweigh the others.
    parser.add_argument("--looks", type=int, default=10, help="looks at a video at most (default 10)")
    return parser.parse_args()


def fits_of_video(path: Path, arguments: argparse.Namespace) -> Iterator[tuple[str, list[float]]]:
    """Cascade file and (shift x, shift y, width, height) of each face that YuNet is sure of and a cascade found."""
    try:
        media = open_media(path)
    except VideoError as error:
        print(error, file=sys.stderr)
        return
    size = media.info.width, media.info.height
    yunet = resolve_detector("yunet", WeightsPolicy(arguments.weights_dir)).create(MIN_FACE_PX, *size)
    frontal, profile = (
        Cascade(replace(settings, mapping=AS_FOUND), MIN_FACE_PX, *size) for settings in (FRONTAL, PROFILE)
    )
    for frame_bgr in islice(media.frames(), 0, arguments.every * arguments.looks, arguments.every):
        faces = yunet.detect(frame_bgr)
        faces_px = faces.boxes[faces.scores >= SURE_SCORE]
        # As in the detector: the profile cascade is asked where the frontal one finds nothing.
        settings, (squares, _) = FRONTAL, frontal.find(frame_bgr)
        if len(squares) == 0:
            settings, (squares, _) = PROFILE, profile.find(frame_bgr)
        for square in squares:
            fit = fit_of_square(square, faces_px)
            if fit is not None:
                yield settings.file_name, fit


def fit_of_square(square: np.ndarray, faces_px: np.ndarray) -> list[float] | None:
    """Centre shift x, y, width and height of the face in the square, in its sides; None where there is no face."""
    side = square[2] - square[0]
    centre = (square[:2] + square[2:]) / 2
    for face in faces_px:
        width, height = face[2:] - face[:2]
        shift = (face[:2] + face[2:]) / 2 - centre
        if np.abs(shift).max() < SAME_FACE_DISTANCE * height:
            return [*(shift / side), width / side, height / side]
    return None


if __name__ == "__main__":
    main()

"""Face crops as the published pipeline makes them: smoothed with zeros beyond the ends, written as XVID."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from syncnet.conventions import CROP_SIZE_PX, FPS
from syncnet.errors import UsageError
from syncnet.faces.crops import crop_face, smooth_boxes
from syncnet.faces.tracks import Track
from syncnet.system.invocation import install_requirements


def smooth_as_published(boxes: np.ndarray) -> np.ndarray:
    """Centre x, centre y and half-size of each box, (L, 4) -> (L, 3), float64, median-filtered over 13 frames.

    Beyond the ends there are zeros: the first and the last six values are too small, down to the least of seven.
    """
    return smooth_boxes(boxes, beyond="constant")


def write_crop_video(frames: Iterable[np.ndarray], track: Track, avi: Path) -> None:
    """The 224 x 224 crops of ``frames``, (H, W, 3) uint8 BGR, which are those of the track in order; without sound.

    By OpenCV's writer, as published. Raises UsageError where it cannot write XVID.
    """
    writer = cv2.VideoWriter(
        str(avi), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"XVID"), float(FPS), (CROP_SIZE_PX, CROP_SIZE_PX)
    )
    if not writer.isOpened():
        raise UsageError("OpenCV was built without XVID", cure=install_requirements())
    try:
        for frame_bgr, (x, y, s) in zip(frames, smooth_as_published(track.boxes), strict=True):
            writer.write(crop_face(frame_bgr, x, y, s))
    finally:
        writer.release()

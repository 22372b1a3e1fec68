"""The teacher: YuNet, looking at a picture in several sizes, shifted and mirrored."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from training.face.labels import LANDMARKS, Faces, merge

_MIN_SCORE = 0.3
_SUPPRESSION_OVERLAP = 0.3
_SHIFT_PX = 5
_SIZES = (1.5, 0.6)
"""Beside the picture's own size, in which the boxes count more: in it the pupil will be compared."""


class Teacher:
    """YuNet from its file."""

    def __init__(self, model_path: Path) -> None:
        self._network = cv2.FaceDetectorYN.create(
            str(model_path), "", (320, 320), _MIN_SCORE, _SUPPRESSION_OVERLAP, 5000
        )

    def look(self, picture: np.ndarray, factor: float = 1.0) -> Faces:
        """What it finds in a picture (H, W, 3) that is resized first; in pixels of the picture."""
        height, width = picture.shape[:2]
        size = max(1, round(width * factor)), max(1, round(height * factor))
        if size != (width, height):
            interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            picture = cv2.resize(picture, size, interpolation=interpolation)
        self._network.setInputSize(size)
        rows = self._network.detect(picture)[1]
        if rows is None:
            return Faces.none()
        rows = rows[np.isfinite(rows).all(axis=1)].astype(np.float32)
        scale = np.array([width / size[0], height / size[1]], np.float32)
        corners = rows[:, :2] * scale, (rows[:, :2] + rows[:, 2:4]) * scale
        return Faces(
            np.concatenate(corners, axis=1), rows[:, 4:14].reshape(-1, LANDMARKS, 2) * scale, rows[:, 14].clip(0, 1)
        )

    def label(self, picture: np.ndarray) -> Faces:
        """The faces of a picture with soft scores from all views."""
        width = picture.shape[1]
        shifted = cv2.copyMakeBorder(picture, _SHIFT_PX, 0, _SHIFT_PX, 0, cv2.BORDER_REPLICATE)
        back = np.array([[1, 0, -_SHIFT_PX], [0, 1, -_SHIFT_PX]], np.float32)
        own_size = [
            self.look(picture),
            self.look(cv2.flip(picture, 1)).mirrored(width),
            self.look(shifted).moved(back),
        ]
        return merge([(faces, 2.0) for faces in own_size] + [(self.look(picture, size), 1.0) for size in _SIZES])

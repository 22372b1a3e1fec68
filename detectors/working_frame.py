"""The size at which a detector looks at the frames of a video."""

from __future__ import annotations

import cv2
import numpy as np

from syncnet.media.picture import Frame, reduce

SMALL_FRAME_PX = 480
"""Longer side up to which a quick detector sees frames unreduced: less would save little and make boxes coarser."""
_MAX_ENLARGEMENT = 2.0
"""Beyond that there is nothing more to be seen in the pixels, and lips of so few pixels cannot be read anyway."""


class WorkingFrame:
    """Frames of one size, resized by one factor, and the way back for boxes."""

    def __init__(self, frame_width: int, frame_height: int, scale: float) -> None:
        self.size = max(1, round(frame_width * scale)), max(1, round(frame_height * scale))
        """Width and height in pixels."""
        self._interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        # Each axis has its own factor, because sizes are rounded.
        self._to_full_frame = np.tile([frame_width / self.size[0], frame_height / self.size[1]], 2)

    @classmethod
    def for_faces(
        cls,
        min_face_px: int,
        reliable_face_px: int,
        frame_width: int,
        frame_height: int,
        small_frame_px: int = SMALL_FRAME_PX,
    ) -> WorkingFrame:
        """Faces of ``min_face_px`` become as high as the detector needs to find them reliably.

        Larger working frames would only cost time. ``small_frame_px``: longer side up to which no frame is reduced.
        """
        wanted = reliable_face_px / min_face_px
        small_frame = min(1.0, small_frame_px / max(frame_width, frame_height))
        return cls(frame_width, frame_height, min(max(wanted, small_frame), _MAX_ENLARGEMENT))

    @property
    def pixels(self) -> int:
        return self.size[0] * self.size[1]

    def resize(self, frame: Frame) -> np.ndarray:
        """The frame in the working size, BGR."""
        return reduce(frame, self.size, self._interpolation)

    def from_full_frame(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes (N, 4), xyxy in pixels of the full frame, in pixels of the working frame."""
        working: np.ndarray = boxes / self._to_full_frame
        return working

    def to_full_frame(self, boxes: np.ndarray) -> np.ndarray:
        """Boxes (N, 4), xyxy in pixels of the working frame, in pixels of the full frame."""
        full: np.ndarray = boxes * self._to_full_frame
        return full

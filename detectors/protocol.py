"""Face detectors behind one protocol, their boxes in one convention.

A box is tight around the face, forehead to chin, as WIDER FACE annotates and S3FD gives. A detector whose own boxes
differ maps them before it returns them, so that everything downstream (tracks, crops, models) sees one kind of box.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    # Not loaded for a run that knows every video: it loads a decoder.
    from syncnet.media.picture import Frame


@dataclass(frozen=True, slots=True)
class Detections:
    """The faces of one frame."""

    boxes: np.ndarray
    """Tight face boxes inside the frame, shape (N, 4), float32, xyxy in pixels of the full frame."""
    scores: np.ndarray
    """How sure the detector is, shape (N,), float32, on a scale of its own."""

    @classmethod
    def inside(cls, boxes: np.ndarray, scores: np.ndarray, frame_width: int, frame_height: int) -> Detections:
        """Boxes (N, 4) cut at the frame's border; those that have no number or no area left are dropped."""
        clipped = np.clip(boxes, 0, (frame_width, frame_height, frame_width, frame_height)).reshape(-1, 4)
        kept = np.isfinite(clipped).all(axis=1) & (clipped[:, 2:] > clipped[:, :2]).all(axis=1)
        return cls(clipped[kept].astype(np.float32), np.asarray(scores)[kept].astype(np.float32))


def box_overlaps(boxes_a: np.ndarray, boxes_b: np.ndarray) -> np.ndarray:
    """Intersection over union of each pair of xyxy boxes, (A, 4) and (B, 4) -> (A, B). Empty boxes overlap nothing."""
    top_left = np.maximum(boxes_a[:, None, :2], boxes_b[None, :, :2])
    bottom_right = np.minimum(boxes_a[:, None, 2:], boxes_b[None, :, 2:])
    shared = np.clip(bottom_right - top_left, 0, None).prod(axis=2)
    area_a = np.clip(boxes_a[:, 2:] - boxes_a[:, :2], 0, None).prod(axis=1)
    area_b = np.clip(boxes_b[:, 2:] - boxes_b[:, :2], 0, None).prod(axis=1)
    union = area_a[:, None] + area_b[None, :] - shared
    overlaps = np.zeros(shared.shape)
    np.divide(shared, union, out=overlaps, where=union > 0)
    return overlaps


class FaceDetector(Protocol):
    """Finds faces in single frames of one video. Not for use by two threads at once."""

    def detect(self, frame: Frame) -> Detections: ...


@runtime_checkable
class NearDetector(FaceDetector, Protocol):
    """One that can look at the surroundings of known faces alone."""

    def detect_near(self, frame: Frame, boxes: np.ndarray) -> Detections | None:
        """Where the faces of ``boxes``, (N, 4) xyxy, seen just before, are now; None: look at the whole frame."""


class DetectorSpec(Protocol):
    """Which detector is used: cheap to share between threads, each of which creates its own detectors from it."""

    @property
    def name(self) -> str:
        """One of ``syncnet.settings.DETECTORS``."""

    @property
    def identity(self) -> str:
        """SHA-256, in hex, of the file that holds its weights."""

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> FaceDetector:
        """A detector for the frames of one video, looking for faces of ``min_face_px`` pixels and more.

        Smaller faces are returned too where they happen to be seen.
        """

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        """An upper estimate of the memory that such a detector takes, the frame and the model not counted."""

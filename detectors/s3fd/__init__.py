"""S3FD, the face detector of the published lip-sync pipeline. Its boxes are tight: it was trained on WIDER FACE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from detectors.protocol import Detections
from detectors.s3fd.boxes import MIN_CANDIDATE_SCORE, anchors, decode, pick_faces
from detectors.s3fd.network import SMALLEST_SIDE_PX, S3fdNetwork
from detectors.working_frame import WorkingFrame
from syncnet.media.picture import Frame, bgr_of
from syncnet.models.checkpoint import load_checkpoint
from syncnet.models.precision import dtype_of
from syncnet.settings import S3FD_SMALL_FRAME_PX, Precision
from syncnet.system.shared_batch import SharedBatch

RELIABLE_FACE_PX = 25
"""What the smallest faces of the published pipeline, 100 px, are at its quarter scale."""
PUBLISHED_SCALE = 0.25
_PIXELS_AT_ONCE = 1 << 19
"""Of pictures in the network at once: its first layers hold 64 floats a pixel, 128 MB."""
_BYTES_A_PIXEL = 640
"""Of the working frame: what a layer takes and gives, 64 floats each. 581 were measured (benchmarks/memory.py)."""
_QUEUED_PICTURES = 16
"""At most so many of several videos go to a GPU together: 0.5 GB in the first layers at half of 720p."""

_Found = tuple[np.ndarray, np.ndarray, tuple[tuple[int, int], ...]]
"""Of one picture: what the network says of each anchor, (N, 4) and (N,), and the size of each level."""


@dataclass(frozen=True)
class S3fdSpec:
    """The network, loaded once and shared by all threads, each of which creates its own detectors from it."""

    network: S3fdNetwork
    identity: str
    """SHA-256 of the model file, in hex."""
    device: str
    queue: SharedBatch[_Found] | None = None
    """With it the looks of all threads go to the device in common batches."""
    published_scale: bool = False
    """Whether frames are looked at as the published pipeline does: at a quarter of their size, whatever that is."""
    name: str = "s3fd"

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> S3fdDetector:
        """A detector for the frames of one video, looking for faces of ``min_face_px`` pixels and more."""
        resize: Callable[[Frame], np.ndarray] = partial(resize_as_published, scale=PUBLISHED_SCALE)
        if not self.published_scale:
            resize = _working_frame(min_face_px, frame_width, frame_height).resize
        return S3fdDetector(self.network, self.device, resize, self.queue)

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        """On a GPU most of it is the GPU's."""
        pixels = round(frame_width * frame_height * PUBLISHED_SCALE**2)
        if not self.published_scale:
            pixels = _working_frame(min_face_px, frame_width, frame_height).pixels
        return _BYTES_A_PIXEL * pixels

    def with_queue(self) -> S3fdSpec:
        """The same with a queue that all its detectors share. On a GPU it pays; on a processor single pictures are as
        fast as batches, and every thread has a core of its own."""
        return replace(self, queue=SharedBatch(partial(_run, self.network, self.device), _QUEUED_PICTURES))


def _working_frame(min_face_px: int, frame_width: int, frame_height: int) -> WorkingFrame:
    return WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height, S3FD_SMALL_FRAME_PX)


class S3fdDetector:
    """Faces of one video."""

    def __init__(
        self,
        network: S3fdNetwork,
        device: str,
        resize: Callable[[Frame], np.ndarray],
        queue: SharedBatch[_Found] | None = None,
    ) -> None:
        self._network = network
        self._device = device
        self._resize = resize
        self._queue = queue

    def detect(self, frame: Frame) -> Detections:
        """Tight boxes of the faces in a frame, with their probabilities, which are above 0.9."""
        return self.detect_batch([frame])[0]

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """As ``detect``, for frames of one size."""
        if not frames:
            return []
        pictures = [self._resize(frame) for frame in frames]
        height, width = pictures[0].shape[:2]
        at_once = max(1, _PIXELS_AT_ONCE // (height * width))
        found: list[Detections] = []
        for first in range(0, len(pictures), at_once):
            found += self._find(pictures[first : first + at_once], frames[0].shape[1], frames[0].shape[0])
        return found

    def _find(self, pictures: list[np.ndarray], frame_width: int, frame_height: int) -> list[Detections]:
        height, width = pictures[0].shape[:2]
        if min(height, width) < SMALLEST_SIDE_PX:
            return [Detections(np.empty((0, 4), np.float32), np.empty(0, np.float32)) for _ in pictures]
        if self._queue is not None:
            found = [self._queue.ask(picture) for picture in pictures]
        else:
            found = _run(self._network, self._device, np.stack(pictures))
        return [
            _faces(loc, scores, anchors(width, height, levels), frame_width, frame_height)
            for loc, scores, levels in found
        ]


@torch.inference_mode()
def _run(network: S3fdNetwork, device: str, pictures: np.ndarray) -> list[_Found]:
    """Pictures (B, H, W, 3), uint8 BGR, through the network."""
    loc, scores, levels = network(torch.from_numpy(pictures).to(device))
    return [(loc, scores, levels) for loc, scores in zip(loc.cpu().numpy(), scores.cpu().numpy(), strict=True)]


def _faces(loc: np.ndarray, scores: np.ndarray, anchors: np.ndarray, width: int, height: int) -> Detections:
    likely = scores > MIN_CANDIDATE_SCORE
    scores = scores[likely]
    boxes = decode(loc[likely], anchors[likely]) * np.array([width, height, width, height], np.float32)
    faces = pick_faces(boxes, scores)
    return Detections.inside(boxes[faces], scores[faces], width, height)


def resize_as_published(frame: Frame, scale: float) -> np.ndarray:
    """The frame resized bilinearly by a factor. The factor itself is used, not the ratio of the rounded sizes."""
    if min(frame.shape[:2]) * scale < 1:  # nothing would be left of it, and there is no face in it either
        return bgr_of(frame)
    return cv2.resize(bgr_of(frame), None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)


def load_s3fd(path: Path, device: str, precision: Precision = "float32", *, published_scale: bool = False) -> S3fdSpec:
    """The detector from a file that the caller trusts; ModelFileError where it is of another shape."""
    network = S3fdNetwork()
    identity = load_checkpoint(network, path)
    network.eval().requires_grad_(False).calculate_in(dtype_of(precision))
    spec = S3fdSpec(network.to(device), identity, device, published_scale=published_scale)
    return spec.with_queue() if device == "cuda" else spec

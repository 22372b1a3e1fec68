"""The embedded face detector: small, ours, and always at hand. Its boxes are YuNet's, from whom it learnt them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load

from detectors.lite_boxes import SAME_FACE_OVERLAP, find_faces
from detectors.lite_network import LiteFaceNetwork
from detectors.protocol import Detections
from detectors.two_looks import united
from detectors.working_frame import WorkingFrame
from syncnet.errors import ModelFileError
from syncnet.media.picture import Frame
from syncnet.models.folding import fold_norms
from syncnet.system.shared_batch import SharedBatch

RELIABLE_FACE_PX = 20
"""Face height to which the smallest face of interest is brought."""
MIN_SCORE = 0.6
"""On the 217 held-out frames three places that are no face have more, and 94 % of the sure faces."""
_LARGE_FRAME_PX = 640
"""Faces beyond those that were learnt fit into a larger working frame: they are looked for in a reduced one too."""
_REDUCED_FRAME_PX = 320
_PIXELS_AT_ONCE = 1 << 21
_BYTES_A_PIXEL = 40
"""Of the working frame: what the first layers take and give."""
_QUEUED_PICTURES = 16

Found = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Of one picture: boxes (N, 4), landmarks (N, 5, 2), scores (N,)."""


@dataclass(frozen=True)
class LiteSpec:
    """The network, loaded once and shared by all threads, each of which creates its own detectors from it."""

    network: LiteFaceNetwork
    identity: str
    """SHA-256 of the weights file, in hex."""
    device: str
    queue: SharedBatch[Found] | None = None
    """With it the looks of all threads go to the device in common batches."""
    name: str = "lite"

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> LiteDetector:
        """A detector for the frames of one video, looking for faces of ``min_face_px`` pixels and more."""
        return LiteDetector(self, min_face_px, frame_width, frame_height)

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        return _BYTES_A_PIXEL * WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height).pixels

    def with_queue(self) -> LiteSpec:
        """The same with a queue that all its detectors share: for a GPU. On a processor batches gain little."""
        return replace(self, queue=SharedBatch(partial(_run, self.network, self.device), _QUEUED_PICTURES))

    def look(self, pictures: list[np.ndarray]) -> list[Found]:
        """The faces in pictures (H, W, 3), BGR, of one size, in their own pixels."""
        if self.queue is not None:
            return [self.queue.ask(picture) for picture in pictures]
        return _run(self.network, self.device, np.stack(pictures))


class LiteDetector:
    """Faces of one video."""

    def __init__(self, spec: LiteSpec, min_face_px: int, frame_width: int, frame_height: int) -> None:
        self._spec = spec
        self._working_frames = [WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height)]
        if max(self._working_frames[0].size) > _LARGE_FRAME_PX:
            scale = _REDUCED_FRAME_PX / max(frame_width, frame_height)
            self._working_frames.append(WorkingFrame(frame_width, frame_height, scale))

    def detect(self, frame: Frame) -> Detections:
        """Tight boxes of the faces in a frame of the size that was named, with scores from 0.6 to 1."""
        return self.detect_batch([frame])[0]

    def detect_batch(self, frames: Sequence[Frame]) -> list[Detections]:
        """As ``detect``, for frames of one size."""
        at_once = max(1, _PIXELS_AT_ONCE // self._working_frames[0].pixels)
        found: list[Detections] = []
        for first in range(0, len(frames), at_once):
            found += self._find(frames[first : first + at_once])
        return found

    def _find(self, frames: Sequence[Frame]) -> list[Detections]:
        looks = []
        for working_frame in self._working_frames:
            faces = self._spec.look([working_frame.resize(frame) for frame in frames])
            looks.append([(working_frame.to_full_frame(boxes), scores) for boxes, _, scores in faces])
        height, width = frames[0].shape[:2]
        if len(looks) == 1:
            return [Detections.inside(*found, width, height) for found in looks[0]]
        pairs = zip(*looks, strict=True)
        both = [united(fine, coarse, SAME_FACE_OVERLAP) for fine, coarse in pairs]
        return [Detections.inside(*found, width, height) for found in both]


@torch.inference_mode()
def _run(network: LiteFaceNetwork, device: str, pictures: np.ndarray) -> list[Found]:
    """Pictures (B, H, W, 3), uint8 BGR, through the network."""
    return find_faces(network(torch.from_numpy(pictures).to(device)), MIN_SCORE)


def load_lite_detector(path: Path, device: str) -> LiteSpec:
    """The detector from its weights; ModelFileError where they do not fit."""
    network = LiteFaceNetwork()
    try:
        content = path.read_bytes()
        network.load_state_dict({name: tensor.float() for name, tensor in load(content).items()})
    except (OSError, SafetensorError, RuntimeError) as error:
        raise ModelFileError(
            f"{path} cannot be read as weights of the face detector", path=path, cure="check the file out again"
        ) from error
    fold_norms(network.requires_grad_(False))
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    spec = LiteSpec(network, hashlib.sha256(content).hexdigest(), device)
    return spec.with_queue() if device == "cuda" else spec

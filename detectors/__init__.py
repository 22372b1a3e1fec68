"""Face detectors behind one protocol, their boxes in one convention.

A box is tight around the face, forehead to chin, as WIDER FACE annotates and S3FD gives. A detector whose own boxes
differ maps them before it returns them, so that everything downstream (tracks, crops, models) sees one kind of box.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from detectors.cascades import cascades_sha256, check_cascades
from syncnet.errors import ModelFileError, UsageError
from syncnet.settings import Precision
from weights import WeightsFile, WeightsPolicy, find_weights, require_weights

DETECTOR_NAMES = ("lite", "haar", "yunet", "s3fd")
YUNET_FILE = "face_detection_yunet_2023mar.onnx"
S3FD_FILE = "sfd_face.pth"
LITE_FILE = "lite_face.safetensors"
"""Ships with the project."""


@dataclass(frozen=True)
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

    def detect(self, frame_bgr: np.ndarray) -> Detections: ...


class DetectorSpec(Protocol):
    """Which detector is used: cheap to share between threads, each of which creates its own detectors from it."""

    @property
    def name(self) -> str:
        """One of ``DETECTOR_NAMES``."""

    @property
    def identity(self) -> str:
        """SHA-256, in hex, of the model file; of both cascade files one after the other for ``haar``."""

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> FaceDetector:
        """A detector for the frames of one video, looking for faces of ``min_face_px`` pixels and more.

        Smaller faces are returned too where they happen to be seen.
        """

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        """An upper estimate of the memory that such a detector takes, the frame and the model not counted."""


@dataclass(frozen=True)
class HaarSpec:
    """The cascades inside OpenCV: nothing to download."""

    identity: str
    name: str = "haar"

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> FaceDetector:
        from detectors.haar import HaarDetector

        return HaarDetector(min_face_px, frame_width, frame_height)

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        from detectors.haar import look_bytes

        return look_bytes(min_face_px, frame_width, frame_height)


@dataclass(frozen=True)
class YunetSpec:
    """YuNet, from its verified file."""

    identity: str
    model_path: Path
    name: str = "yunet"

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> FaceDetector:
        from detectors.yunet import YunetDetector

        return YunetDetector(self.model_path, min_face_px, frame_width, frame_height)

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        from detectors.yunet import look_bytes

        return look_bytes(min_face_px, frame_width, frame_height)


@dataclass(frozen=True)
class ChosenDetector:
    """A detector that is at hand, not loaded yet."""

    name: str
    identity: str
    """As DetectorSpec has it."""
    verified: bool
    """Whether its file is that of the manifest, so that it fits."""


def choose_detector(name: str, policy: WeightsPolicy) -> ChosenDetector:
    """The detector that ``resolve_detector`` would give. Raises as that does, but for files that do not fit."""
    settled = _settle(name, policy)
    if settled == "haar":
        return ChosenDetector(settled, cascades_sha256(), verified=True)
    found = _weights_of(settled, policy)
    return ChosenDetector(settled, found.sha256, found.verified)


def resolve_detector(
    name: str, policy: WeightsPolicy, device: str = "cpu", precision: Precision = "float32"
) -> DetectorSpec:
    """The detector to use. ``auto``: yunet where its file is at hand, else haar, and never from the network.

    One asked for by name is fetched where it is missing. ``device`` is that of lite and s3fd, ``precision`` that of
    s3fd. Raises ModelFileError where a file is corrupt or cannot be had.
    """
    settled = _settle(name, policy)
    if settled == "haar":
        check_cascades()
        return HaarSpec(cascades_sha256())
    found = _weights_of(settled, policy)
    if settled == "lite":
        from detectors.lite import load_lite_detector

        return load_lite_detector(found.path, device)
    if settled == "s3fd":
        from detectors.s3fd import load_s3fd

        return load_s3fd(found.path, device, precision)
    if not found.verified:
        from detectors.yunet import check_yunet_file

        check_yunet_file(found.path)
    return YunetSpec(found.sha256, found.path)


def _settle(name: str, policy: WeightsPolicy) -> str:
    if name not in ("auto", *DETECTOR_NAMES):
        raise UsageError(f"unknown detector {name}", cure=f"choose auto, {', '.join(DETECTOR_NAMES)}")
    if name == "auto":
        return "yunet" if find_weights(YUNET_FILE, policy) else "haar"
    return name


def _weights_of(name: str, policy: WeightsPolicy) -> WeightsFile:
    if name == "lite":
        embedded = find_weights(LITE_FILE, policy)
        if embedded is None:
            raise ModelFileError(
                f"the embedded face detector's {LITE_FILE} is missing", cure="restore it with `git checkout weights/`"
            )
        return embedded
    file_name = {"yunet": YUNET_FILE, "s3fd": S3FD_FILE}[name]
    return require_weights(file_name, policy, f"--detector {name}", "--detector haar")

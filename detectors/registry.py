"""Which face detectors there are, which one is meant, and making it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detectors.cascades import cascades_sha256, check_cascades
from detectors.protocol import DetectorSpec, FaceDetector
from syncnet.errors import ModelFileError
from syncnet.settings import Precision, ScorerSettings
from syncnet.settings.checks import fitted
from weights import Identity, WeightsFile, WeightsPolicy, find_weights, require_weights

YUNET_FILE = "face_detection_yunet_2023mar.onnx"
S3FD_FILE = "sfd_face.pth"
LITE_FILE = "lite_face.safetensors"
"""Ships with the project."""


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


def choose_detector(name: str, policy: WeightsPolicy) -> Identity:
    """The detector that ``resolve_detector`` would give. Raises as that does, but for files that do not fit."""
    settled = _settle(name, policy)
    if settled == "haar":
        return Identity(settled, cascades_sha256())
    return Identity(settled, _weights_of(settled, policy).sha256)


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
    fitted(ScorerSettings, "detector", name)
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

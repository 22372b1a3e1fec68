"""Versions of the libraries that a score depends on, without loading them: that takes seconds."""

from __future__ import annotations

import importlib
from importlib import metadata

_MODULES = {"torch": "torch", "opencv": "cv2", "av": "av"}
_PACKAGES = {
    "torch": ["torch"],
    "opencv": [f"opencv-{kind}" for kind in ("python-headless", "python", "contrib-python-headless", "contrib-python")],
    "av": ["av"],
}


def library_version(name: str) -> str:
    """As the library itself tells it; ``name`` is torch, opencv or av."""
    for package in _PACKAGES[name]:
        try:
            version = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
        # The fourth number is that of the package around OpenCV.
        return ".".join(version.split(".")[:3]) if name == "opencv" else version
    return str(importlib.import_module(_MODULES[name]).__version__)

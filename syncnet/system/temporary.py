"""Names for files that are being written, by which what a kill left of them is known and removed."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

TEMPORARY_PREFIX = ".sync_filter_"
TEMPORARY_SUFFIX = ".part"


def temporary_beside(path: Path) -> Path:
    """A new name in the folder of ``path``. It is not made of that name, which may already be as long as names can be.

    Every writer takes this one, so that one rule finds all leftovers.
    """
    return path.with_name(f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}")


def is_temporary(name: str) -> bool:
    """Whether it is a name of such a file."""
    return name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)


def remove_temporaries(folder: str | Path, names: Iterable[str], *, idle_seconds: float = 0.0) -> int:
    """Removes those of the names in the folder that are such files, and counts them.

    ``idle_seconds``: only those that were written to so long ago, where others may be writing now.
    """
    removed = 0
    for name in names:
        if is_temporary(name):
            path = os.path.join(folder, name)
            with contextlib.suppress(OSError):
                if not idle_seconds or time.time() - os.lstat(path).st_mtime > idle_seconds:
                    os.unlink(path)
                    removed += 1
    return removed

"""What the tool put into the two folders, known again without the video that it was made of."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from syncnet.inputs.discovery import FileIdentity
from syncnet.inputs.origin import Placement


def is_placed_file(path: Path, status: os.stat_result, placement: Placement) -> bool:
    """Whether this is still what was put there, and nothing that somebody made of it or in its place.

    ``status``: of what stands there, a link as itself.
    """
    if stat.S_ISLNK(status.st_mode):
        return bool(placement.link) and os.readlink(path) == placement.link
    return not placement.link and placement.identity.is_of_copy(FileIdentity.of(status))


def remove_empty(folder: Path, top: Path) -> None:
    """Removes the folder and those above it, below ``top``, as far as they are empty."""
    while top in folder.parents:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent

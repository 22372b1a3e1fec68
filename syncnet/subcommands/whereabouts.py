"""Where the video of a stored score is now."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path, PurePath
from typing import Protocol

from syncnet.inputs.belonging import input_named
from syncnet.inputs.discovery import FileIdentity
from syncnet.inputs.manifest import is_uri, location_of
from syncnet.inputs.paths import absolute
from syncnet.placement.folders import OutputFolders


class Stored(Protocol):
    """As much of a record as tells where its file is."""

    @property
    def path(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def found_in(self) -> str: ...
    @property
    def identity(self) -> FileIdentity | None: ...


def find_location(stored: Stored, input_dir: Path | None, folders: OutputFolders, moved: set[str]) -> str:
    """Where the video is: its own file, else what was put into the output folder; empty where neither is there."""
    location = location_of(PurePath(stored.source or stored.path), input_dir or "")
    if stored.path not in moved:
        file = location if input_dir or os.path.isabs(location) else _found_at(stored)
        if is_uri(location) or not file:
            # Nobody knows where it is relative to.
            return location
        with contextlib.suppress(OSError):
            if stored.identity in (None, FileIdentity.of(os.stat(file))):
                return location
    placed = (folder / stored.path for folder in (folders.good_dir, folders.poor_dir))
    return next((absolute(path) for path in placed if path.exists()), "")


def _found_at(stored: Stored) -> str:
    """Where the last run found it; empty where that is not known, or cannot be looked at now."""
    own = input_named(stored.found_in)
    known = stored.found_in and own.base.is_dir()
    return str(own.video(stored.source or stored.path).path) if known else ""

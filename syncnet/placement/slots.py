"""The two places of a video, one in each folder: whether it stands there, and whether what stands there is the tool's.

All that decides it is in here: placing, the quick look of a run that finds nothing to do, and the choice of names.
"""

from __future__ import annotations

import filecmp
import os
import stat
import unicodedata
from pathlib import Path
from typing import Protocol

from syncnet.inputs.discovery import FileIdentity, VideoFile, node_of
from syncnet.inputs.origin import Placement, file_mark
from syncnet.inputs.paths import absolute
from syncnet.placement.folders import OutputFolders
from syncnet.settings import PlaceMode

_PIECE_BYTES = 1024 * 1024


class History(Protocol):
    """What is remembered of the files under one relative path; the ledger is one."""

    def knows(self, path: str, identity: FileIdentity) -> bool:
        """Whether such a file was ever recorded there."""

    def was_moved(self, path: str) -> bool:
        """Whether the video's own file was moved, or was about to be, so that no other copy of it may exist."""

    def placement(self, path: str) -> Placement | None:
        """What was put there last; None where nothing was, or where an earlier version put it."""

    def has_placement(self, path: str) -> bool:
        """Whether there is one."""

    def note_moving(self, path: str) -> None:
        """Heard before the video's own file is moved."""

    def note_placed(self, path: str, placement: Placement | None) -> None:
        """Heard when something was put there, or nothing stands there any more."""


def look(path: str | Path) -> os.stat_result | None:
    """What stands there, a link as itself; None where nothing does. Raises OSError."""
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def is_in_place(status: os.stat_result | None, target: str, video: VideoFile, mode: PlaceMode) -> bool:
    """Whether the video as it now is stands there, put in this way. Its ``node`` has to be known."""
    if status is None:
        return False
    if stat.S_ISLNK(status.st_mode):
        return mode == "symlink" and os.readlink(target) == absolute(video.path)
    if mode == "symlink" or not stat.S_ISREG(status.st_mode):
        return False
    is_hardlink = node_of(status) == video.node
    return is_hardlink == (mode == "hardlink") and video.identity.is_of_copy(FileIdentity.of(status))


class Slots:
    """Of one video, whose file is at hand or gone from the input."""

    def __init__(self, video: VideoFile, folders: OutputFolders, history: History) -> None:
        self.targets = {
            True: folders.good_dir / video.relative_path,
            False: folders.poor_dir / video.relative_path,
        }
        self.name = str(video.relative_path)
        self.placement = history.placement(self.name)
        self._video = video
        self._history = history

    def stands(self, target: Path, mode: PlaceMode, *, to_the_byte: bool = False) -> bool:
        """``is_in_place``, and under its own name; ``to_the_byte``: size and time are not taken for it."""
        status = look(target)
        if status is None or not is_in_place(status, str(target), self._video, mode) or not self._is_spelled(target):
            return False
        as_bytes = to_the_byte and mode in ("copy", "move") and stat.S_ISREG(status.st_mode)
        return not as_bytes or filecmp.cmp(self._video.file, target, shallow=False)

    def is_own(self, target: Path) -> bool:
        """Whether what stands there may be replaced or removed: it is this tool's, of this video, and not its last.

        Then it is a link to the video; or was made of the very file that the video still is, whatever was written to
        that since; or has the video's size and time; or the video has all of its bytes.
        """
        status = look(target)
        if status is None or not self._is_spelled(target):
            return False
        if stat.S_ISLNK(status.st_mode):
            return self._is_own_link(target)
        if not stat.S_ISREG(status.st_mode):
            return False
        if node_of(status) == self._video.node:
            return True
        if not self._history.was_moved(self.name) and self._was_put(status):
            mark = self.placement.mark if self.placement else ""
            if (mark and mark == file_mark(self._video.path)) or self._video.identity.is_of_copy(_identity(status)):
                return True
        return self._begins_with(target, status)

    def may_be_it(self, target: Path) -> bool:
        """Of a video that is gone: whether this is the file that was left there, whose time a copied folder may have
        lost."""
        status = look(target)
        if status is not None and stat.S_ISLNK(status.st_mode):
            return self._is_link_of_the_tool(target)
        return status is not None and stat.S_ISREG(status.st_mode) and status.st_size == self._video.file_bytes

    def _was_put(self, status: os.stat_result) -> bool:
        if self.placement:
            return self.placement.identity.is_of_copy(_identity(status))
        return self._history.knows(self.name, _identity(status))

    def _begins_with(self, target: Path, status: os.stat_result) -> bool:
        """Whether nothing is lost with it: half of an upload, or a copy of the same bytes."""
        if self._video.uri and not self._video.fetched:
            # Its bytes are not at hand, and not worth fetching for this.
            return False
        if status.st_size > self._video.file.stat().st_size:
            return False
        with open(self._video.file, "rb") as whole, open(target, "rb") as part:
            while piece := part.read(_PIECE_BYTES):
                if whole.read(len(piece)) != piece:
                    return False
        return True

    def _is_own_link(self, target: Path) -> bool:
        if os.readlink(target) == absolute(self._video.path):
            return True
        if not self._is_link_of_the_tool(target):
            return False
        # Of the same video by another way, or of one that was there before the disk was moved.
        return not os.path.exists(target) or os.path.samefile(target, self._video.path)

    def _is_link_of_the_tool(self, target: Path) -> bool:
        leads_to = os.readlink(target)
        if self.placement:
            return leads_to == self.placement.link
        own = self._video.source or self.name
        return leads_to == absolute(self._video.path) or (os.path.isabs(leads_to) and leads_to.endswith(f"/{own}"))

    def _is_spelled(self, target: Path) -> bool:
        """Whether it stands there under this very name, and not in other letters on a disk that ignores case."""
        if self.placement:
            return True
        parts = self._video.relative_path.parts
        folders = [target.parents[len(parts) - 1 - number] for number in range(len(parts))]
        return all(_is_listed(folder, name) for folder, name in zip(folders, parts, strict=True))


def _is_listed(folder: Path, name: str) -> bool:
    other = look(folder / name.swapcase())
    if name == name.swapcase() or other is None or node_of(other) != node_of(os.lstat(folder / name)):
        return True
    # The one file may have both names as hard links.
    return _composed(name) in map(_composed, os.listdir(folder))


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _identity(status: os.stat_result) -> FileIdentity:
    return FileIdentity.of(status)

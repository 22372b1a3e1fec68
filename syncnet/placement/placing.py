"""good_quality/ and poor_quality/: whole copies, links or the videos themselves, under their own relative paths."""

from __future__ import annotations

import errno
import filecmp
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from syncnet.errors import VideoError
from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.inputs.remote import local_copy
from syncnet.placement.folders import OutputFolders
from syncnet.placement.transfer import (
    copy_file,
    hardlink_file,
    move_file,
    symlink_file,
)
from syncnet.settings import PlaceMode
from syncnet.system.interruption import StopFlag

DONE: dict[PlaceMode, str] = {"copy": "copied", "hardlink": "linked", "symlink": "linked", "move": "moved"}


class CopyError(VideoError):
    """The scored video could not be copied to its folder."""


class History(Protocol):
    """What is remembered of the files under one relative path; the ledger is one."""

    def knows(self, path: str, identity: FileIdentity) -> bool:
        """Whether such a file was ever recorded there, so that a copy like it was put there by this tool."""

    def was_moved(self, path: str) -> bool:
        """Whether the video's own file was moved, so that no other copy of it exists."""

    def note_moving(self, path: str) -> None:
        """Heard before the video's own file is moved."""


def place_video(
    video: VideoFile,
    folders: OutputFolders,
    *,
    passed: bool | None,
    stop: StopFlag,
    history: History,
    mode: PlaceMode = "copy",
) -> bool:
    """Makes the video stand in the folder of its verdict, and in no other; ``None`` (no face): in neither.

    Says whether anything had to be done. An earlier copy of the video is replaced or, in the other folder, renamed
    over or removed; a file that this tool did not put there is never touched. A remote video is copied, whatever the
    mode, and fetched for that where it is not at hand. Raises CopyError or FetchError, leaving nothing half-written,
    and Interrupted.
    """
    slots = _Slots(video, folders, history)
    try:
        if not video.uri:
            for target in slots.targets.values():
                _refuse_source(video.path, target)
        if passed is None:
            return _remove_own(slots.targets.values(), slots)
        wanted, other = slots.targets[passed], slots.targets[not passed]
        done = not slots.stands(wanted)
        if done:
            slots.refuse_foreign(wanted)
            wanted.parent.mkdir(parents=True, exist_ok=True)
            if slots.stands(other):
                move_file(other, wanted, stop)
            else:
                _transfer(video, wanted, mode, history, stop)
        return _remove_own([other], slots) or done
    except OSError as error:
        raise _copy_error(error, video.path, mode) from error


def replace_verdict(video: VideoFile, folders: OutputFolders, *, passed: bool | None, history: History) -> bool:
    """The same for a video whose file is gone from the input: what stands in a folder is renamed, never removed.

    Says whether anything had to be done. Raises CopyError.
    """
    if passed is None:
        return False
    slots = _Slots(video, folders, history)
    wanted, other = slots.targets[passed], slots.targets[not passed]
    try:
        if not slots.stands(other) or slots.stands(wanted):
            return False
        slots.refuse_foreign(wanted)
        wanted.parent.mkdir(parents=True, exist_ok=True)
        move_file(other, wanted, StopFlag())
    except OSError as error:
        raise _copy_error(error, video.path, "copy") from error
    return True


class _Slots:
    """The two places of one video, and whose files stand there."""

    def __init__(self, video: VideoFile, folders: OutputFolders, history: History) -> None:
        self.targets = {
            True: folders.good_dir / video.relative_path,
            False: folders.poor_dir / video.relative_path,
        }
        self._video = video
        self._history = history

    def stands(self, target: Path) -> bool:
        """Whether the video as it now is stands there: copied, linked or moved."""
        status = _look(target)
        if status is None:
            return False
        if stat.S_ISLNK(status.st_mode):
            return os.readlink(target) == os.path.abspath(self._video.path)
        return stat.S_ISREG(status.st_mode) and self._video.identity.is_of_copy(FileIdentity.of(status))

    def is_own(self, target: Path) -> bool:
        """Whether what stands there may be replaced or removed, because it is this tool's and not the only copy."""
        status = _look(target)
        if status is None:
            return False
        path = self._video.file
        if stat.S_ISLNK(status.st_mode):
            return os.readlink(target) == os.path.abspath(path)
        if not stat.S_ISREG(status.st_mode):
            return False
        relative_path = str(self._video.relative_path)
        if self._history.knows(relative_path, FileIdentity.of(status)) and not self._history.was_moved(relative_path):
            return True
        if self._video.uri and not self._video.fetched:
            # Its bytes are not at hand, and not worth fetching for this.
            return False
        return status.st_size == path.stat().st_size and filecmp.cmp(path, target, shallow=False)

    def refuse_foreign(self, target: Path) -> None:
        """Raises CopyError where a file stands that this tool did not put there, or that was moved there."""
        if _look(target) is not None and not self.is_own(target):
            raise CopyError(
                f"{target} already exists and is not a copy of this video",
                path=self._video.path,
                cure="move that file away or rename the video, then run again",
            )


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _remove_own(targets: Iterable[Path], slots: _Slots) -> bool:
    own = [target for target in targets if slots.is_own(target)]
    for target in own:
        target.unlink()
    return bool(own)


def _transfer(video: VideoFile, target: Path, mode: PlaceMode, history: History, stop: StopFlag) -> None:
    if video.uri:
        with local_copy(video, stop) as at_hand:
            copy_file(at_hand.file, target, stop)
    elif mode == "hardlink":
        hardlink_file(video.path, target)
    elif mode == "symlink":
        symlink_file(video.path, target)
    elif mode == "move":
        history.note_moving(str(video.relative_path))
        if video.path.is_symlink():
            # A link would lead elsewhere from its new place.
            copy_file(video.path, target, stop)
            video.path.unlink()
        else:
            move_file(video.path, target, stop)
    else:
        copy_file(video.path, target, stop)


def _refuse_source(source: Path, target: Path) -> None:
    """Links can make a target name mean the source itself; the input is never changed."""
    try:
        same_place = target.name == source.name and os.path.samefile(target.parent, source.parent)
    except FileNotFoundError:
        same_place = False
    if not same_place and source.is_symlink():
        same_place = os.path.realpath(source) == os.path.join(os.path.realpath(target.parent), target.name)
    if same_place:
        raise CopyError(
            f"its copy {target} would replace the video itself",
            path=source,
            cure="give an --output_dir outside the input folder",
        )


def _copy_error(error: OSError, source: Path, mode: PlaceMode) -> CopyError:
    cures = {
        errno.ENOSPC: "free some space on the output disk and run again",
        errno.EDQUOT: "free some space within your quota and run again",
        errno.ENAMETOOLONG: "give a shorter --output_dir, or rename the video",
        errno.EXDEV: "a hard link cannot point to another disk: give --place copy or --place symlink",
        errno.EMLINK: "it has as many hard links as a file can have: give --place copy",
        errno.ENOENT: "the video was moved or deleted while it was being scored; run again",
    }
    cure = cures.get(error.errno or 0, "check that the output folder can be written to, then run again")
    if mode != "copy" and error.errno in (errno.EPERM, errno.EOPNOTSUPP):
        cure = "the output disk may not support such links: give --place copy"
    return CopyError(f"could not be {DONE[mode]}: {(error.strerror or str(error)).lower()}", path=source, cure=cure)

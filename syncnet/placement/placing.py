"""good_quality/ and poor_quality/: whole copies, links or the videos themselves, under their own relative paths."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from syncnet.errors import VideoError
from syncnet.inputs.discovery import FileIdentity, VideoFile, node_of
from syncnet.inputs.origin import Placement, file_mark
from syncnet.inputs.paths import absolute
from syncnet.inputs.remote import local_copy
from syncnet.placement.folders import OutputFolders
from syncnet.placement.slots import History, Slots, look
from syncnet.placement.transfer import (
    copy_file,
    hardlink_file,
    is_copy,
    move_file,
    remove_file,
    symlink_file,
)
from syncnet.results import Deed
from syncnet.settings import PlaceMode
from syncnet.system.interruption import StopFlag

DONE: dict[PlaceMode, Deed] = {"copy": "copied", "hardlink": "linked", "symlink": "linked", "move": "moved"}

OVER: Deed = "taken to the other folder"


class CopyError(VideoError):
    """The scored video could not be copied to its folder."""


def place_video(
    video: VideoFile,
    folders: OutputFolders,
    *,
    passed: bool | None,
    stop: StopFlag,
    history: History,
    mode: PlaceMode = "copy",
    scored_now: bool = False,
) -> Deed:
    """Makes the video stand in the folder of its verdict, put there in this way, and in no other; ``None`` (no face):
    in neither.

    Says what had to be done, which is false where nothing had. An earlier copy of the video is replaced or, in the
    other folder, renamed or removed; what this tool did not put there is never touched, nor what was made of another
    video. A remote video is copied, whatever the mode, and fetched for that where it is not at hand. ``scored_now``:
    its size and time may be those of other bytes. Raises CopyError or FetchError, leaving nothing half-written, and
    Interrupted.
    """
    with _explained(video, mode):
        if not video.uri:
            video = replace(video, node=node_of(video.path.stat()))
        slots = Slots(video, folders, history)
        if not video.uri:
            for target in slots.targets.values():
                _refuse_source(video.path, target)
        if passed is None:
            return "removed" if _remove(slots, slots.targets.values(), history) else ""
        wanted, other = slots.targets[passed], slots.targets[not passed]
        leftover = look(other) if slots.is_own(other) else None
        stands = mode != "move" and slots.stands(wanted, mode, to_the_byte=scored_now)
        deed: Deed = ""
        if not stands:
            old = _refuse_foreign(slots, video, wanted)
            wanted.parent.mkdir(parents=True, exist_ok=True)
            if mode != "move" and slots.stands(other, mode, to_the_byte=scored_now):
                move_file(other, wanted, stop, old=old)
                deed = OVER
            else:
                _transfer(video, wanted, mode, slots, history, stop, old)
                deed = DONE["copy" if video.uri else mode]
        if not (stands and slots.placement and slots.placement.mode == mode):
            # Where it cannot be noted, the next run finds it out again.
            with contextlib.suppress(OSError):
                history.note_placed(slots.name, _placement_at(wanted, video, mode))
        if leftover is not None and look(other) is not None:
            remove_file(other, leftover)
        return deed or ("" if leftover is None else "removed")


def replace_verdict(video: VideoFile, folders: OutputFolders, *, passed: bool | None, history: History) -> Deed:
    """The same for a video whose file is gone from the input: what stands in a folder is renamed, never removed.

    Says what had to be done. Raises CopyError.
    """
    if passed is None:
        return ""
    with _explained(video, "copy"):
        slots = Slots(video, folders, history)
        wanted, other = slots.targets[passed], slots.targets[not passed]
        if look(other) is None or slots.may_be_it(wanted):
            return ""
        if not slots.may_be_it(other):
            if slots.placement is None and not history.was_moved(slots.name):
                # It was never placed, so this is somebody else's.
                return ""
            raise CopyError(
                f"{other} is no longer the file that was put there",
                path=video.path,
                cure="put it back, or move that file away, then run again",
            )
        if look(wanted) is not None:
            raise _taken(wanted, video)
        wanted.parent.mkdir(parents=True, exist_ok=True)
        move_file(other, wanted, StopFlag())
    return OVER


@contextlib.contextmanager
def _explained(video: VideoFile, mode: PlaceMode) -> Iterator[None]:
    """What the system refuses comes out as CopyError."""
    try:
        yield
    except FileExistsError as error:
        raise _taken(Path(error.filename2 or error.filename), video) from error
    except OSError as error:
        raise _copy_error(error, video.path, mode) from error


def _refuse_foreign(slots: Slots, video: VideoFile, target: Path) -> os.stat_result | None:
    """What stands there and may go; None where nothing stands.

    Raises CopyError where a file stands that this tool did not put there, or that is the last of another video.
    """
    status = look(target)
    if status is not None and not slots.is_own(target):
        raise _taken(target, video)
    return status


def _taken(target: Path, video: VideoFile) -> CopyError:
    return CopyError(
        f"{target} already exists and is not a copy of this video",
        path=video.path,
        cure="move that file away or rename the video, then run again",
    )


def _remove(slots: Slots, targets: Iterable[Path], history: History) -> bool:
    own = [(target, status) for target in targets if slots.is_own(target) and (status := look(target))]
    for target, status in own:
        remove_file(target, status)
    if own and slots.placement:
        history.note_placed(slots.name, None)
    return bool(own)


def _placement_at(target: Path, video: VideoFile, mode: PlaceMode) -> Placement | None:
    """What stands there now. A move counts as one when the video's own file is gone from its place."""
    status = look(target)
    if status is None:
        return None
    if mode == "move" and os.path.lexists(video.path):
        mode = "copy"
    link = os.readlink(target) if stat.S_ISLNK(status.st_mode) else ""
    return Placement(mode, FileIdentity.of(status), "" if video.uri else file_mark(video.path), link)


def _transfer(
    video: VideoFile,
    target: Path,
    mode: PlaceMode,
    slots: Slots,
    history: History,
    stop: StopFlag,
    old: os.stat_result | None,
) -> None:
    if video.uri:
        with local_copy(video, stop) as at_hand:
            copy_file(at_hand.file, target, stop, old=old)
    elif mode == "hardlink":
        hardlink_file(video.path, target, old=old)
    elif mode == "symlink":
        symlink_file(absolute(video.path), target, old=old)
    elif mode == "move":
        history.note_moving(slots.name)
        try:
            _move(video.path, target, stop, old)
        except BaseException:
            # What was about to happen did not, or not all of it: the next run finishes it.
            with contextlib.suppress(OSError):
                now = _placement_at(target, video, mode) if slots.is_own(target) else slots.placement
                history.note_placed(slots.name, now)
            raise
    else:
        copy_file(video.path, target, stop, old=old)


def _move(source: Path, target: Path, stop: StopFlag, old: os.stat_result | None) -> None:
    if not source.is_symlink():
        move_file(source, target, stop, old=old)
        return
    # A link would lead elsewhere from its new place.
    link = source.lstat()
    if not is_copy(source, target, old):
        copy_file(source, target, stop, old=old)
    remove_file(source, link)


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
    usual = "check that the output folder can be written to, then run again"
    if error.filename is not None and os.fspath(error.filename) == os.fspath(source):
        usual = "check that the video can be read, then run again"
    elif error.errno == errno.EIO:
        usual = "check the disks that it is on and goes to, then run again"
    cure = cures.get(error.errno or 0, usual)
    if mode != "copy" and error.errno in (errno.EPERM, errno.EOPNOTSUPP):
        cure = "the output disk may not support such links: give --place copy"
    return CopyError(f"could not be {DONE[mode]}: {(error.strerror or str(error)).lower()}", path=source, cure=cure)

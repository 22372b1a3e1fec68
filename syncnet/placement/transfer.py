"""One file under a new name, whole or not at all: copied, linked or moved, and never over a file of anybody else."""

from __future__ import annotations

import contextlib
import errno
import filecmp
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from syncnet.inputs.discovery import FileIdentity
from syncnet.system.atomic import NO_HARD_LINKS, NewFile, link_itself, sync_folder, take_name
from syncnet.system.interruption import StopFlag
from syncnet.system.temporary import temporary_beside

COPY_PIECE_BYTES = 4 * 1024 * 1024
RESERVED_BYTES = 16 * 1024 * 1024
"""Left free by copies, for the ledger and the results file."""


def copy_file(source: Path, target: Path, stop: StopFlag, *, old: os.stat_result | None = None) -> None:
    """Name apart, the copy has the bytes, the mode and the modification time of its source.

    ``old``, here and below, is what stands under the target's name and may go. Raises OSError, FileExistsError where
    anything else stands there by now, and Interrupted, leaving nothing half-written.
    """
    with _named(target, old) as temporary, open(source, "rb") as reader, open(temporary, "xb") as writer:
        status = os.fstat(reader.fileno())
        if shutil.disk_usage(target.parent).free < status.st_size + RESERVED_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        _copy_bytes(reader, writer, stop)
        # Some file systems keep no modes; that is no reason to do without the copy. Windows knows one only, and what
        # may not be written cannot be removed there either.
        with contextlib.suppress(PermissionError):
            if os.name != "nt":
                os.chmod(temporary, stat.S_IMODE(status.st_mode) & 0o777)
        os.utime(temporary, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fsync(writer.fileno())
        stop.check()


def hardlink_file(source: Path, target: Path, *, old: os.stat_result | None = None) -> None:
    """A second name for the same bytes; of a link, for what it leads to. Raises OSError."""
    with _named(target, old) as temporary:
        os.link(os.path.realpath(source), temporary)


def symlink_file(leads_to: str, target: Path, *, old: os.stat_result | None = None) -> None:
    """A link with this text. Raises OSError."""
    with _named(target, old) as temporary:
        os.symlink(leads_to, temporary)


def move_file(source: Path, target: Path, stop: StopFlag, *, old: os.stat_result | None = None) -> None:
    """The file, or the link, itself: under the name of the target first, and then no longer under its own.

    Onto another disk it is copied, unless ``old`` is such a copy already, which a run that died has left. A file that
    changed meanwhile is left beside its copy. Raises OSError and Interrupted.
    """
    status = source.lstat()
    try:
        with _named(target, old) as temporary:
            link_itself(source, temporary)
    except OSError as error:
        if error.errno in NO_HARD_LINKS:
            if old is not None:
                remove_file(target, old)
            take_name(source, target)
        elif error.errno != errno.EXDEV:
            raise
        elif source.is_symlink():
            symlink_file(os.readlink(source), target, old=old)
        elif not is_copy(source, target, old):
            copy_file(source, target, stop, old=old)
    # Gone where the disk knows no hard links; another file where one was uploaded meanwhile.
    with contextlib.suppress(FileNotFoundError, FileExistsError):
        remove_file(source, status)
    sync_folder(target.parent)


def is_copy(source: Path, target: Path, status: os.stat_result | None) -> bool:
    """Whether a file of its own with the same bytes stands there; ``status``, of what does, not following a link."""
    if status is None or not stat.S_ISREG(status.st_mode):
        # A link to the source has its bytes too, for as long as the source is there.
        return False
    return filecmp.cmp(source, target, shallow=False)


def remove_file(path: Path, old: os.stat_result) -> None:
    """Removes what was looked at, and nothing that took its place since. Raises OSError, then FileExistsError."""
    _set_aside(path, old).unlink()


@contextlib.contextmanager
def _named(target: Path, old: os.stat_result | None) -> Iterator[Path]:
    """A temporary name, whose file stands under the target's name in the end: claimed there, never put over a file."""
    new, aside = NewFile(target, synced=False, exclusive=True), None
    try:
        yield new.temporary
        aside = _set_aside(target, old) if old is not None else None
        new.put()
    except BaseException:
        new.discard()
        if aside is not None:
            with contextlib.suppress(OSError):
                take_name(aside, target)
        raise
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()
    sync_folder(target.parent)


def _set_aside(path: Path, old: os.stat_result) -> Path:
    """A temporary name under which ``old`` stands now. What turns out to be another file is given its name back."""
    aside = temporary_beside(path)
    os.rename(path, aside)
    if not _is_same(aside.lstat(), old):
        take_name(aside, path)
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    return aside


def _is_same(status: os.stat_result, old: os.stat_result) -> bool:
    return os.path.samestat(status, old) and FileIdentity.of(status) == FileIdentity.of(old)


def _copy_bytes(reader: BinaryIO, writer: BinaryIO, stop: StopFlag) -> None:
    """By the kernel where it can, which on some file systems shares the blocks instead of writing them again."""
    copied = 0
    copy_range = getattr(os, "copy_file_range", None)
    while copy_range is not None:
        stop.check()
        try:
            count = copy_range(reader.fileno(), writer.fileno(), COPY_PIECE_BYTES, copied, copied)
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO):
                raise
            break
        if count == 0:
            break
        copied += count
    # The rest, all of it where the kernel cannot: some file systems answer 0 for a file that holds something.
    reader.seek(copied)
    writer.seek(copied)
    while piece := _read(reader):
        stop.check()
        writer.write(piece)
    writer.flush()


def _read(reader: BinaryIO) -> bytes:
    try:
        return reader.read(COPY_PIECE_BYTES)
    except OSError as error:
        # So that it is told which of the two disks failed.
        error.filename = reader.name
        raise

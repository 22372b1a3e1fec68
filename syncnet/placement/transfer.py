"""One file under a new name, whole or not at all: copied, linked or moved."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from syncnet.inputs.discovery import FileIdentity
from syncnet.system.interruption import StopFlag
from syncnet.system.temporary import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, temporary_beside

COPY_PIECE_BYTES = 4 * 1024 * 1024
RESERVED_BYTES = 16 * 1024 * 1024
"""Left free by copies, for the ledger and the results file."""


def copy_file(source: Path, target: Path, stop: StopFlag) -> None:
    """Name apart, the copy has the bytes, the mode and the modification time of its source; it replaces the target.

    Raises OSError and Interrupted, leaving nothing half-written.
    """
    # The temporary name is not made of the video's: that one may already be as long as names can be.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=TEMPORARY_PREFIX, suffix=TEMPORARY_SUFFIX)
    try:
        with open(source, "rb") as reader, open(handle, "wb") as writer:
            status = os.fstat(reader.fileno())
            if shutil.disk_usage(target.parent).free < status.st_size + RESERVED_BYTES:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            _copy_bytes(reader, writer, stop)
            # Some file systems keep no modes; that is no reason to do without the copy.
            with contextlib.suppress(PermissionError):
                os.chmod(name, stat.S_IMODE(status.st_mode) & 0o777)
            os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(writer.fileno())
        stop.check()
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    sync_folder(target.parent)


def hardlink_file(source: Path, target: Path) -> None:
    """A second name for the same bytes; of a link, for what it leads to. Raises OSError."""
    _put(lambda name: os.link(os.path.realpath(source), name), target)


def symlink_file(source: Path, target: Path) -> None:
    """A link to the absolute path of the source. Raises OSError."""
    _put(lambda name: os.symlink(os.path.abspath(source), name), target)


def move_file(source: Path, target: Path, stop: StopFlag) -> None:
    """The file, or the link, itself; onto another disk, a copy whose source is removed when the copy is whole.

    A file that changed meanwhile is left beside its copy. Raises OSError and Interrupted.
    """
    identity = FileIdentity.of(source.lstat())
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        copy_file(source, target, stop)
        if FileIdentity.of(source.lstat()) == identity:
            source.unlink()
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Makes the new name itself last. Not every file system offers it, and the file is whole without."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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
    while piece := reader.read(COPY_PIECE_BYTES):
        stop.check()
        writer.write(piece)
    writer.flush()


def _put(make: Callable[[str], None], target: Path) -> None:
    name = str(temporary_beside(target))
    make(name)
    try:
        os.replace(name, target)
    finally:
        # Still there after an error, and where both names are of one file: then replacing does nothing.
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
    sync_folder(target.parent)

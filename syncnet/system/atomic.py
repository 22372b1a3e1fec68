"""A file stands under its name whole or not at all: written beside it, synced, then given the name."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable
from pathlib import Path

from syncnet.system.handles import open_handle
from syncnet.system.temporary import temporary_beside

NO_HARD_LINKS = (errno.EPERM, errno.EOPNOTSUPP, errno.ENOTSUP, errno.ENOSYS, *([errno.EINVAL] * (os.name == "nt")))
"""What disks say that give a file one name only."""


class NewFile:
    """``with NewFile(path) as temporary:`` makes a file, or a link, named ``temporary``; then it stands under ``path``.

    A reader sees the old file or the new one, never half of it. Where the block or the last step fails, the old one
    stays and nothing else is left. What a kill leaves has a name that ``remove_temporaries`` knows.
    """

    def __init__(self, path: Path, *, synced: bool = True, exclusive: bool = False) -> None:
        """``synced``: on the disk before it takes its name, else a loss of power may leave an empty file; False only
        for what is made again where it cannot be read. ``exclusive``: never in the place of another file."""
        self.temporary = temporary_beside(path)
        self._path = path
        self._synced = synced
        self._exclusive = exclusive

    def put(self) -> None:
        """Gives the file its name. Raises OSError; FileExistsError where that is taken and the file is exclusive."""
        try:
            if self._synced and not self.temporary.is_symlink():
                sync(self.temporary)
            (take_name if self._exclusive else os.replace)(self.temporary, self._path)
        finally:
            # Also after a success: two hard links of one file are not replaced by each other but both stay.
            self.discard()
        if self._synced:
            sync_folder(self._path.parent)

    def discard(self) -> None:
        """Nothing of it stays."""
        with contextlib.suppress(OSError):
            self.temporary.unlink()

    def __enter__(self) -> Path:
        return self.temporary

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.put()
        else:
            self.discard()


def write_file(path: Path, data: bytes | Iterable[bytes], *, synced: bool = True, exclusive: bool = False) -> None:
    """The file with all of the data, whole or by its pieces. Raises OSError as NewFile does."""
    with NewFile(path, synced=synced, exclusive=exclusive) as temporary, open(temporary, "xb") as writer:
        writer.writelines((data,) if isinstance(data, bytes) else data)


def sync(path: Path) -> None:
    """Returns when what was written to the file is on the disk. Raises OSError."""
    # Windows syncs only what is open for writing.
    handle = open_handle(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """Makes new names in the folder last. Not every file system offers it, and the files are whole without."""
    with contextlib.suppress(OSError):
        sync(folder)


def link_itself(source: Path, target: Path) -> None:
    """A second name for the file, or for the link itself where the system can do that. Raises OSError."""
    if os.link in os.supports_follow_symlinks:
        os.link(source, target, follow_symlinks=False)
    else:
        # Windows: there it is always the link itself.
        os.link(source, target)


def take_name(temporary: Path, path: Path) -> None:
    """Gives a file a name that no other has; its old name may stay beside it.

    Raises OSError; FileExistsError where the name is taken, also in other letters on a disk that ignores case.
    """
    try:
        link_itself(temporary, path)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        # Some disks of cameras and networks. An empty file takes the name first: only its maker may replace it.
        os.close(open_handle(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        try:
            os.replace(temporary, path)
        except BaseException:
            os.unlink(path)
            raise

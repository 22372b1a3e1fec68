"""A folder for temporary files of one video: gone at the end, and after a kill at the next start."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = "sync_filter_work_"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A new folder among the system's temporary files; first what dead processes left there is removed.

    Its user holds the kernel's lock on the folder itself, which ends with the process, however that ends: a folder
    that can be locked belongs to nobody.
    """
    _remove_leftovers(Path(tempfile.gettempdir()))
    folder, handle = _make_locked()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def _make_locked() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            # Another process or thread has taken it for a leftover already.
            continue
        # A file system that grants no lock grants none to those who clean up either.
        locked = _try_lock(handle) is not False
        # Until the lock was there it could be taken for a leftover.
        if locked and _is_at(handle, folder):
            return folder, handle
        os.close(handle)


def _remove_leftovers(parent: Path) -> None:
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    _remove_if_left(Path(entry.path))


def _remove_if_left(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        if os.fstat(handle).st_uid == os.getuid() and _try_lock(handle):
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool | None:
    """Whether the lock is ours now; None where the file system has none."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_at(handle: int, folder: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(folder))
    except FileNotFoundError:
        return False

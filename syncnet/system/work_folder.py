"""A folder for temporary files of one video: gone at the end, and after a kill at the next start."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncnet.system.handles import open_handle, try_lock

_PREFIX = "sync_filter_work_"
_LOCK = "lock"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A new folder among the system's temporary files; first what dead processes left there is removed.

    Its user holds the system's lock on a file in it, which ends with the process, however that ends: a folder whose
    file can be locked belongs to nobody.
    """
    _remove_leftovers(Path(tempfile.gettempdir()))
    folder, handle = _make_locked()
    try:
        yield folder
    finally:
        _remove(folder, handle)


def _make_locked() -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        try:
            handle = open_handle(folder / _LOCK, os.O_RDWR | os.O_CREAT)
        except FileNotFoundError:
            # Another process or thread has taken it for a leftover already.
            continue
        # A file system that grants no lock grants none to those who clean up either.
        locked = _try_lock(handle) is not False
        # Until the lock was there it could be taken for a leftover.
        if locked and _is_at(handle, folder / _LOCK):
            return folder, handle
        os.close(handle)


def _remove_leftovers(parent: Path) -> None:
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.is_dir(follow_symlinks=False) and _is_ours(entry):
                with contextlib.suppress(OSError):
                    _remove_if_left(Path(entry.path))


def _is_ours(entry: os.DirEntry[str]) -> bool:
    return not hasattr(os, "getuid") or entry.stat(follow_symlinks=False).st_uid == os.getuid()


def _remove_if_left(folder: Path) -> None:
    try:
        handle = open_handle(folder / _LOCK, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    except FileNotFoundError:
        # Of a process that was killed before it had its lock; what is not empty is no such folder.
        folder.rmdir()
        return
    if _try_lock(handle):
        _remove(folder, handle)
    else:
        os.close(handle)


def _remove(folder: Path, handle: int) -> None:
    """``handle``: of its lock, which is ours. Windows removes no file that is open, so the rest of it goes last."""
    shutil.rmtree(folder, ignore_errors=True)
    os.close(handle)
    if os.name == "nt":
        shutil.rmtree(folder, ignore_errors=True)


def _try_lock(handle: int) -> bool | None:
    """Whether the lock is ours now; None where the file system has none."""
    try:
        return try_lock(handle)
    except OSError:
        return None


def _is_at(handle: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False

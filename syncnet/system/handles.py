"""Open files by their handles, the same on Linux, macOS and Windows, and locks on them."""

from __future__ import annotations

import os
import threading
from pathlib import Path

_BINARY = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
"""Windows would put a carriage return before each line feed, and has no other processes that inherit the handle."""
_MOVING = threading.Lock()
"""Where a read at a place has to move the position of the file, which all threads share."""


def open_handle(path: str | Path, flags: int) -> int:
    """``os.open`` for bytes, not inherited by other programs. Raises OSError."""
    return os.open(path, flags | _BINARY, 0o666)


def read_at(handle: int, length: int, offset: int) -> bytes:
    """``os.pread``, which Windows does not have. Raises OSError."""
    if (read := getattr(os, "pread", None)) is not None:
        return bytes(read(handle, length, offset))
    with _MOVING:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.read(handle, length)


def write_at(handle: int, data: bytes, offset: int) -> int:
    """``os.pwrite``, which Windows does not have: how many bytes were written. Raises OSError."""
    if (write := getattr(os, "pwrite", None)) is not None:
        return int(write(handle, data, offset))
    with _MOVING:
        os.lseek(handle, offset, os.SEEK_SET)
        return os.write(handle, data)


def try_lock(handle: int) -> bool:
    """Whether the lock on the file is ours now; the system frees it when the handle is closed, or its process ends.

    Raises OSError where the file system has no locks.
    """
    # It takes a while to load, and only runs need it.
    from portalocker import LockFlags, exceptions, lock

    try:
        lock(handle, LockFlags.EXCLUSIVE | LockFlags.NON_BLOCKING)
    except exceptions.AlreadyLocked:
        return False
    except exceptions.LockException as error:
        cause = error.__cause__
        raise cause if isinstance(cause, OSError) else OSError(str(error)) from None
    return True

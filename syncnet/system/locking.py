"""One run at a time in an output folder, by a lock that the operating system frees when its holder dies."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.system.plain import read_json

EXIT_LOCKED = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
_MOST_HOLDER_BYTES = 1000


class LockedError(UsageError):
    """Another run works in the output folder."""


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds the lock file while the block runs. Raises LockedError at once where another process holds it.

    The file stays behind; it is the kernel's lock on it that counts, never its presence. What it holds is only told.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise UsageError(
            f"cannot write to {path}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error
    try:
        _lock(handle, path)
        _write_holder(handle)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            raise LockedError(
                f"another run is using {path.parent.parent} ({_read_holder(handle)})", cure="wait until it ends"
            ) from error
        raise UsageError(
            f"{path}: the file system does not support locks ({error.strerror})",
            cure="give an --output_dir on another disk",
        ) from error


def _write_holder(handle: int) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    try:
        os.ftruncate(handle, 0)
        os.pwrite(handle, text.encode(), 0)
    except OSError:
        # A full disk: the lock holds all the same, only its holder cannot be named.
        return


def _read_holder(handle: int) -> str:
    try:
        holder = read_json(os.pread(handle, _MOST_HOLDER_BYTES, 0))
        return f"pid {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # Between its lock and its first word.
        return "just started"

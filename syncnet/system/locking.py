"""One run at a time in an output folder, by a lock that the operating system frees when its holder dies.

Who holds it is told in a file beside it: on Windows nobody else can read a file that is locked.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.system.handles import open_handle, try_lock
from syncnet.system.plain import read_json

EXIT_LOCKED = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""
HOLDER_SUFFIX = ".json"
_MOST_HOLDER_BYTES = 1000


class LockedError(UsageError):
    """Another run works in the output folder."""


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Holds the lock file while the block runs. Raises LockedError at once where another process holds it.

    The file stays behind; it is the kernel's lock on it that counts, never its presence. What it holds is only told.
    """
    try:
        handle = open_handle(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise UsageError(
            f"cannot write to {path}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error
    try:
        _lock(handle, path)
        _write_holder(path)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, path: Path) -> None:
    try:
        ours = try_lock(handle)
    except OSError as error:
        raise UsageError(
            f"{path}: the file system does not support locks ({error.strerror})",
            cure="give an --output_dir on another disk",
        ) from error
    if not ours:
        raise LockedError(
            f"another run is using {path.parent.parent} ({_read_holder(path)})", cure="wait until it ends"
        )


def _holder_of(path: Path) -> Path:
    return path.with_name(path.name + HOLDER_SUFFIX)


def _write_holder(path: Path) -> None:
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    text = json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "since": since})
    # A full disk: the lock holds all the same, only its holder cannot be named.
    with contextlib.suppress(OSError):
        _holder_of(path).write_text(text, encoding="utf-8")


def _read_holder(path: Path) -> str:
    try:
        with open(_holder_of(path), "rb") as reader:
            holder = read_json(reader.read(_MOST_HOLDER_BYTES))
        return f"pid {holder['pid']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError, TypeError):
        # Between its lock and its first word.
        return "just started"

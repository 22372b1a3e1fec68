"""How many processor cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

from syncnet.system.cgroups import CGROUP_OF_PROCESS, CGROUP_ROOT, read_limits


def count_cores(cgroup_root: Path = CGROUP_ROOT, cgroup_of_process: Path = CGROUP_OF_PROCESS) -> int:
    """Cores that the process is allowed, at least 1: its affinity, and the cgroup's quota rounded up.

    A container with half a core's quota on a 64-core machine would otherwise start 64 threads and crawl.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = read_limits("cpu", "cpu.max", ("cpu.cfs_quota_us", "cpu.cfs_period_us"), cgroup_root, cgroup_of_process)
    # A quota and its period, in microseconds. Without a limit version 2 says "max", and version 1 says -1.
    quotas = [int(words[0]) / int(words[1]) for words in limits if len(words) == 2 and words[0].isdigit()]
    return max(1, min([allowed, *(math.ceil(quota) for quota in quotas if quota > 0)]))

"""What the cgroups of this process allow it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_OF_PROCESS = Path("/proc/self/cgroup")


def read_limits(
    controller: str, version_2: str, version_1: Sequence[str], root: Path, of_process: Path
) -> Iterator[list[str]]:
    """The words of the controller's files in each cgroup from the root down to the process's own.

    ``version_2`` and ``version_1``: names of the files in the two kinds of cgroup. See cgroups(7).
    """
    for line in read_text(of_process).splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            base, names = root, [version_2]
        elif controller in controllers.split(","):
            base, names = root / controller, [*version_1]
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", "..")]
        for count in range(len(parts) + 1):
            yield " ".join(read_text(base.joinpath(*parts[:count], name)) for name in names).split()


def read_text(path: Path) -> str:
    """Of a file of the system; empty where it cannot be read."""
    try:
        return path.read_text()
    except OSError:
        return ""

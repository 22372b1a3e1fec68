"""Nothing lost: the cases of docs/reliability.md as one command.

    python -m benchmarks.attack [--walks 60] [--seed 1] [--fuse PYTHON] [--only walks|rows] [--out attack.json]

Walks are chains of random steps of users and runs on one output folder (benchmarks/attack_walk.py): on this disk, on
another one, on one that ignores case and on one without hard links, which FUSE stands in for; and a disk that stalls.
Scores follow from the names of files. Rows are the single cases, by their tests. A case is as it should be, or
lost (a content that was there is nowhere), silent (the results are not as things are), hung, crashed. Markdown on
stdout, findings on stderr. ``--fuse``: a Python with mfusepy; without it those disks are not tried.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

REPOSITORY = Path(__file__).resolve().parent.parent
WRONG = ("lost", "silent", "hung", "crashed")
MOST_SECONDS_A_RUN = 60.0
"""A chain that says nothing for so long hangs."""
MOUNT_SECONDS = 10.0
STALLED_SECONDS = 40.0
"""The stalled disk itself takes a minute for each read."""
ROWS = {
    "names, kept copies, claims, output folders of other runs": "test_nothing_lost.py",
    "files of the user's own among the outputs": "test_ownership.py",
    "placed again: other ways, moves cut short, lost times, links": "test_placing_again.py test_place_modes.py",
    "merges after moves, lists of what passes": "test_merge.py test_rejudge.py",
    "stalled reads and copies, files of terabytes": "test_patience.py",
    "servers that are down, hang or drip": "test_remote.py test_remote_runs.py",
    "damaged ledgers, notes, caches": "test_damaged_state.py test_ledger.py",
    "stdout and stderr closed, full, or a pipe that ends": "test_streams.py",
    "logs, words, secrets, small things": "test_small_faults.py",
}


@dataclass
class Finding:
    """A line of the table."""

    case: str
    command: str
    cases: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    left_out: str = ""

    def __str__(self) -> str:
        outcome = ", ".join(f"{self.wrong[kind]} {kind}" for kind in WRONG)
        return f"| {self.case} | `{self.command}` | {self.left_out or f'{self.cases:,}'} | {outcome} |"


@contextmanager
def mounted(python: str | None, below: Path, fault: str) -> Iterator[Path | None]:
    """A folder on a disk with this fault; None where there is no FUSE."""
    if python is None:
        yield None
        return
    real, mountpoint = below / f"{fault}_real", below / fault
    for folder in (real, mountpoint):
        folder.mkdir()
    words = [python, "-m", "benchmarks.attack_disk", str(real), str(mountpoint), fault]
    disk = subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + MOUNT_SECONDS
    while not os.path.ismount(mountpoint) and disk.poll() is None and time.monotonic() < ends:
        time.sleep(0.1)
    try:
        yield mountpoint if os.path.ismount(mountpoint) else None
    finally:
        subprocess.run(["umount", "-l", str(mountpoint)], stderr=subprocess.DEVNULL, check=False)
        disk.kill()
        disk.wait()


@contextmanager
def other_disk(folder: Path) -> Iterator[Path | None]:
    """A folder in memory; None where there is no such disk."""
    memory = Path("/dev/shm")  # noqa: S108 (a folder of its own is made there)
    if not memory.is_dir() or memory.stat().st_dev == folder.stat().st_dev:
        yield None
        return
    with TemporaryDirectory(dir=memory) as name:
        yield Path(name)


def walk(case: str, folder: Path, output_parent: Path | None, options: argparse.Namespace) -> Finding:
    """Chains on one kind of disk."""
    finding = Finding(case, f"attack_walk, seed {options.seed}")
    if output_parent is None:
        finding.left_out = "not tried: no such disk"
        return finding
    (folder / case.replace(" ", "_")).mkdir()
    where = [str(folder / case.replace(" ", "_")), str(output_parent)]
    words = [
        sys.executable,
        "-m",
        "benchmarks.attack_walk",
        *where,
        *map(str, (options.seed, options.walks, options.runs)),
    ]
    said = folder / f"{case.replace(' ', '_')}.jsonl"
    with open(said, "wb") as writer:
        process = subprocess.Popen(words, cwd=REPOSITORY, stdout=writer)
    heard, size = time.monotonic(), 0
    while process.poll() is None:
        time.sleep(0.2)
        if said.stat().st_size > size:
            heard, size = time.monotonic(), said.stat().st_size
        if time.monotonic() - heard > MOST_SECONDS_A_RUN:
            finding.wrong["hung"] += 1
            process.kill()
    for line in said.read_text().splitlines():
        with contextlib.suppress(ValueError):
            _add(finding, json.loads(line))
    if process.returncode and not finding.wrong["hung"]:
        finding.wrong["crashed"] += 1
    return finding


def _add(finding: Finding, told: dict[str, object]) -> None:
    finding.cases += 1
    for kind in WRONG:
        if told.get(kind):
            finding.wrong[kind] += 1
            print(f"{finding.case}: {kind}: {json.dumps(told)}", file=sys.stderr, flush=True)


def stall(folder: Path, disk: Path | None) -> Finding:
    """A video on a disk that stalls, beside one that does not: the one is given up in time, the other is scored."""
    finding = Finding("a disk that stalls while it is read", "--timeout 2")
    if disk is None:
        finding.left_out = "not tried: no FUSE"
        return finding
    for name in ("fine_a.mp4", "fine_stalled.mp4"):
        (disk / name).write_bytes(name.encode() * 100)
    out = folder / "stalled_out"
    script = (
        "from benchmarks.attack_scores import install; install(); from syncnet.command import run_as_process as r; r()"
    )
    flags = ["--input_dir", str(disk), "--output_dir", str(out), "--score_cache", str(folder / "cache")]
    finding.cases = 1
    try:
        words = [sys.executable, "-c", script, *flags, "--timeout", "2", "--quiet"]
        code = subprocess.run(
            words, cwd=REPOSITORY, timeout=STALLED_SECONDS, capture_output=True, check=False
        ).returncode
    except subprocess.TimeoutExpired:
        finding.wrong["hung"] += 1
        return finding
    with contextlib.suppress(OSError, ValueError):
        entries = json.loads((out / "sync_filter_results.json").read_text())["results"]
        states = {Path(entry["video_path"]).name: entry["status"] for entry in entries}
        if (code, states) == (1, {"fine_a.mp4": "success", "fine_stalled.mp4": "failed"}):
            return finding
    finding.wrong["silent" if code == 0 else "crashed"] += 1
    return finding


def row(case: str, files: str) -> Finding:
    """The single cases of a kind. A test that fails counts as silent: it is looked at by its name."""
    finding = Finding(case, f"pytest {files}")
    paths = [str(REPOSITORY / "tests" / name) for name in files.split()]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *paths], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    counts = {kind: int(number) for number, kind in re.findall(r"(\d+) (passed|failed|error)", done.stdout)}
    finding.cases = sum(counts.values())
    finding.wrong["silent"] += finding.cases - counts.get("passed", 0)
    finding.wrong["crashed"] += not counts
    if done.returncode:
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith("FAILED")), file=sys.stderr)
    return finding


def walks(options: argparse.Namespace) -> Iterator[Finding]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "plain").mkdir()
        yield walk("users and runs by chance", folder, folder / "plain", options)
        with other_disk(folder) as disk:
            yield walk("the same onto another disk", folder, disk, options)
        with mounted(options.fuse, folder, "folds") as disk:
            yield walk("the same on a disk that ignores case", folder, disk, options)
        with mounted(options.fuse, folder, "no_links") as disk:
            yield walk("the same on a disk without hard links", folder, disk, options)
        with mounted(options.fuse, folder, "stalls") as disk:
            yield stall(folder, disk)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--walks", type=int, default=60)
    parser.add_argument("--runs", type=int, default=6, help="of each walk")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fuse", metavar="PYTHON")
    parser.add_argument("--only", choices=("walks", "rows"))
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    findings = [] if options.only == "rows" else list(walks(options))
    if options.only != "walks":
        findings += [row(case, files) for case, files in ROWS.items()]
    total = Finding("together", "benchmarks.attack")
    print("| case | command | cases | outcome |\n|---|---|---|---|")
    for finding in findings:
        print(finding)
        total.cases += finding.cases
        total.wrong += finding.wrong
    print(total)
    if options.out:
        told = [{**vars(finding), "wrong": dict(finding.wrong)} for finding in findings]
        options.out.write_text(json.dumps(told, indent=1) + "\n")
    return int(bool(total.wrong.total()))


if __name__ == "__main__":
    sys.exit(main())

"""Memory: limits of made-up machines, marks of made-up processes, and one that is real."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from syncnet.inputs.discovery import FileIdentity
from syncnet.scorer import ScorerSettings, SyncScorer
from syncnet.state.codec import from_plain
from syncnet.state.records import VideoRecord, record_to_plain
from syncnet.system.interruption import StopFlag
from syncnet.system.memory import FreedMemory, PeakMeter, _machine_memory_mb, find_trim, machine_memory_mb
from weights import WeightsPolicy

REPOSITORY = Path(__file__).resolve().parent.parent
PHYSICAL_MB = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.parametrize(
    ("of_process", "limits", "expected_mb"),
    [
        ("0::/\n", {"memory.max": "max\n"}, PHYSICAL_MB),
        ("0::/\n", {"memory.max": "10485760\n"}, 10),
        ("0::/a/b\n", {"a/memory.max": "5242880\n", "a/b/memory.max": "7340032\n"}, 5),
        ("4:cpu,memory:/x\n0::/\n", {"memory/x/memory.limit_in_bytes": "3145728\n"}, 3),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712\n"}, PHYSICAL_MB),
        ("", {}, PHYSICAL_MB),
    ],
)
def test_a_container_s_limit_counts(
    of_process: str, limits: dict[str, str], expected_mb: float, tmp_path: Path
) -> None:
    root, note = tmp_path / "cgroup", tmp_path / "of_process"
    note.write_text(of_process)
    for name, text in limits.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    assert _machine_memory_mb(root, note) == expected_mb


def test_this_machine_has_some() -> None:
    assert 100 < machine_memory_mb() <= PHYSICAL_MB


class Mark:
    """A high-water mark as a system keeps it."""

    def __init__(self) -> None:
        self.held = self.highest = 100

    def hold(self, mb: int) -> None:
        self.held = mb
        self.highest = max(self.highest, mb)

    def restart(self) -> bool:
        self.highest = self.held
        return True


@pytest.fixture
def mark() -> Iterator[Mark]:
    return Mark()


def test_each_stretch_has_the_peak_of_its_own_time(mark: Mark) -> None:
    meter = PeakMeter(lambda: mark.highest, mark.restart)
    mark.hold(900)
    mark.hold(200)
    with meter.measured() as first:
        mark.hold(500)
        mark.hold(300)
        # The mark starts anew here, and the first must not lose its 500.
        with meter.measured() as second:
            mark.hold(400)
            mark.hold(250)
        mark.hold(350)
    assert (first.peak_mb, second.peak_mb) == (500, 400)
    assert meter.most_mb() == 900


def test_a_system_that_does_not_tell_is_no_number(mark: Mark) -> None:
    with PeakMeter(lambda: mark.highest, lambda: False).measured() as span:
        mark.hold(500)
    assert span.peak_mb is None


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux starts its mark anew")
def test_the_real_mark_rises_with_what_is_held_and_knows_nothing_of_who_started_it(repository: Path) -> None:
    # In a process of its own: one that has grown and shrunk gives out memory that it holds already.
    program = """
from syncnet.system.memory import PEAK_OF_PROCESS
with PEAK_OF_PROCESS.measured() as small:
    pass
with PEAK_OF_PROCESS.measured() as large:
    assert len(bytearray(b"1") * (200 * 2**20)) == 200 * 2**20
with PEAK_OF_PROCESS.measured() as after:
    pass
print(small.peak_mb, large.peak_mb, after.peak_mb, PEAK_OF_PROCESS.most_mb())
"""
    held_here = bytearray(b"1") * (300 * 2**20)
    call = [sys.executable, "-c", program]
    printed = subprocess.run(call, cwd=repository, capture_output=True, text=True, check=True, timeout=60).stdout
    assert len(held_here) == 300 * 2**20
    if "None" in printed:
        pytest.skip("this system does not let a process start its mark anew")
    small, large, after, most = map(float, printed.split())
    assert small < 100
    assert large >= small + 190
    assert after <= large - 190
    assert most >= large


@pytest.mark.slow
def test_the_peak_of_a_video_is_recorded_and_told(repository: Path) -> None:
    scorer = SyncScorer(ScorerSettings(model="lite", detector="lite", weights=WeightsPolicy(offline=True)))
    score = scorer.measure(repository / "samples" / "no_face.mp4", StopFlag())
    if score.peak_memory_mb is None:
        pytest.skip("this system does not let a process start its mark anew")
    # More than Python with torch, less than any machine has.
    assert 100 < score.peak_memory_mb < machine_memory_mb()
    identity = FileIdentity(1, 1)
    record = VideoRecord("a.mp4", identity, "f" * 64, score, 1.0, peak_memory_mb=score.peak_memory_mb)
    again = from_plain(VideoRecord, record_to_plain(record))
    assert again.peak_memory_mb == score.peak_memory_mb
    # It is of one run, so a stored score does not bring it along.
    assert again.score is not None and again.score.peak_memory_mb is None


# Giving memory back


def test_memory_is_given_back_now_and_then_and_by_all_workers_together() -> None:
    given: list[int] = []
    returner = FreedMemory(lambda: given.append(1), every_seconds=3600)
    returner.give_back()
    returner.give_back()
    assert len(given) == 1
    at_each_video = FreedMemory(lambda: given.append(1), every_seconds=0)
    at_each_video.give_back()
    at_each_video.give_back()
    assert len(given) == 3
    FreedMemory(None, every_seconds=0).give_back()


SCATTERED = """
from syncnet.system.memory import FreedMemory, find_trim

def held_mb():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

import os
pieces = [b"x" * (100_000 + number) for number in range(1000)]
# The last piece keeps what was freed below it.
del pieces[:-1]
before = held_mb()
FreedMemory(find_trim(), 0).give_back()
print(before - held_mb())
"""


@pytest.mark.skipif(find_trim() is None or not Path("/proc/self/statm").exists(), reason="needs the GNU C library")
def test_what_was_freed_below_something_in_use_goes_back_to_the_system() -> None:
    told = subprocess.run([sys.executable, "-c", SCATTERED], capture_output=True, text=True, check=True, cwd=REPOSITORY)
    # A good 100,000 bytes, 999 times.
    assert float(told.stdout) > 90


FREED = """
import resource
import numpy as np
from syncnet import ScorerSettings, SyncScorer
from weights import WeightsPolicy

def use():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pieces = [np.ones(20 << 17) for _ in range(3)]
    del pieces
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

policy = WeightsPolicy(offline=True)
SyncScorer(ScorerSettings(model="lite", detector="lite", weights=policy)).stages
use()
print(sum(use() for _ in range(3)))
"""


@pytest.mark.skipif(find_trim() is None, reason="needs the GNU C library")
@pytest.mark.parametrize("set_by_user", [False, True])
def test_large_pieces_are_not_cleared_anew_each_time(set_by_user: bool) -> None:
    """Where models are loaded, three of 20 MB freed and asked for again: no page is new, unless the user wills it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    environment = {**own, **({"MALLOC_TRIM_THRESHOLD_": "131072"} if set_by_user else {})}
    call = [sys.executable, "-c", FREED]
    told = subprocess.run(call, capture_output=True, text=True, check=True, cwd=REPOSITORY, env=environment)
    # Of 180 MB; where the system has huge pages, 90 of them.
    assert (int(told.stdout) > 30) is set_by_user

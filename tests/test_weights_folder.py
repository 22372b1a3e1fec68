"""Fetching a model file where the trouble is on this side: two at once, killed, read-only, full."""

from __future__ import annotations

import hashlib
import io
import multiprocessing
import os
import resource
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from faulty_server import CONTENT, HASTE, NAME, PARTIAL, WHOLE, Servers, entry_for, fetch, good, left_in
from filelock import FileLock

from syncnet.errors import ModelFileError
from weights.fetch import fetch_weights

SPAWN = multiprocessing.get_context("spawn")
NOBODY = 65534


def _fetch_beside_another(folder: Path, url: str, barrier: Barrier) -> None:
    barrier.wait(60)
    fetch_weights(NAME, entry_for(url), folder, HASTE)


def test_two_processes_at_once_fetch_it_once(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    barrier = SPAWN.Barrier(2)
    both = [SPAWN.Process(target=_fetch_beside_another, args=(tmp_path, server.url, barrier)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(server.asked) == 1
    assert left_in(tmp_path) == WHOLE


def test_who_comes_second_says_so_waits_and_takes_what_is_there(
    tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = servers.start(good)
    found: list[Path] = []
    # pytest's own capture loses what is written while it is read.
    said = io.StringIO()
    monkeypatch.setattr("sys.stderr", said)
    second = threading.Thread(target=lambda: found.append(fetch(tmp_path, server)))
    with FileLock(tmp_path / f".{NAME}.lock"):
        second.start()
        wait_for(lambda: f"{NAME} is already being downloaded" in said.getvalue())
        (tmp_path / NAME).write_bytes(CONTENT)
        assert found == []
    second.join(60)
    assert found == [tmp_path / NAME]
    assert server.asked == []


def _fetch_patiently(folder: Path, url: str) -> None:
    fetch_weights(NAME, entry_for(url), folder, replace(HASTE, read_seconds=60))


def test_a_killed_fetch_leaves_no_lock_and_a_part_to_go_on_with(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    server.answers[:] = [server.silent_after(9000), good]
    process = SPAWN.Process(target=_fetch_patiently, args=(tmp_path, server.url))
    process.start()
    part = tmp_path / PARTIAL
    # Some is on the disk, the rest in the buffers that die with the process.
    wait_for(lambda: part.exists() and part.stat().st_size > 0)
    process.kill()
    process.join(60)
    kept = part.stat().st_size
    server.answers[:] = [good]
    fetch(tmp_path, server)
    assert server.asked[1:] == [("/file", f"bytes={kept}-")]
    assert left_in(tmp_path) == WHOLE


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within a minute"
        time.sleep(0.01)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can look into, where pytest's own are the user's alone."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_a_read_only_cache_is_named_with_the_cure(open_folder: Path, servers: Servers) -> None:
    cache = open_folder / "cache"
    cache.mkdir(mode=0o555)
    root = os.geteuid() == 0
    try:
        if root:  # who may write everywhere
            os.seteuid(NOBODY)
        with pytest.raises(ModelFileError, match=r"cannot be stored in .*cache .*permission denied.*--weights_dir DIR"):
            fetch(cache, servers.start(good))
    finally:
        if root:
            os.seteuid(0)
    assert list(cache.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named_with_the_cure(tmp_path: Path, servers: Servers) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelFileError, match=r"cannot be stored in .*file/cache .*not a directory.*--weights_dir DIR"):
        fetch(tmp_path / "file" / "cache", servers.start(good))


def _fetch_with_a_full_disk(folder: Path, url: str, answer: multiprocessing.Queue[str]) -> None:
    # The signal would end the process; ignored, the write itself fails, as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    try:
        fetch_weights(NAME, entry_for(url), folder, HASTE)
    except ModelFileError as error:
        answer.put(str(error))


def test_a_full_disk_is_told_and_leaves_no_file_under_the_final_name(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    answer: multiprocessing.Queue[str] = SPAWN.Queue()
    process = SPAWN.Process(target=_fetch_with_a_full_disk, args=(tmp_path, server.url, answer))
    process.start()
    message = answer.get(timeout=60)
    process.join(60)
    assert f"{NAME} cannot be stored in {tmp_path} (file too large)" in message
    assert "\n" not in message
    assert NAME not in left_in(tmp_path)
    # With room again the part that was stored is gone on with.
    fetch(tmp_path, server)
    assert left_in(tmp_path) == WHOLE


def test_a_wrong_file_under_the_final_name_is_replaced_whole(tmp_path: Path, servers: Servers) -> None:
    (tmp_path / NAME).write_bytes(b"other")
    path = fetch(tmp_path, servers.start(good))
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry_for()["sha256"]

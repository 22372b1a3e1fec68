"""A folder for temporary files, after ends of every kind."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import syncnet.system.work_folder as work_folder_module
from syncnet.system.handles import try_lock
from syncnet.system.work_folder import work_folder

HOLD = """
import sys, tempfile
sys.path.insert(0, {repository!r})
tempfile.tempdir = {parent!r}
from syncnet.system.work_folder import work_folder
with work_folder() as folder:
    (folder / "frames").mkdir()
    (folder / "frames" / "000001.jpg").write_bytes(b"picture")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def parent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def start_holder(repository: Path, parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that works in a folder of its own until it is ended."""
    code = HOLD.format(repository=str(repository), parent=str(parent))
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_the_folder_is_gone_afterwards_whatever_happens(parent: Path) -> None:
    with work_folder() as folder:
        assert folder.parent == parent
        (folder / "a").write_bytes(b"1")
    with pytest.raises(KeyError), work_folder():
        raise KeyError
    assert list(parent.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_a_live_one_uses_is_not(repository: Path, parent: Path) -> None:
    killed, left = start_holder(repository, parent)
    alive, used = start_holder(repository, parent)
    try:
        assert left.is_dir() and used.is_dir()
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        with work_folder() as own, work_folder() as second:
            assert set(parent.iterdir()) == {used, own, second}
        assert (used / "frames" / "000001.jpg").read_bytes() == b"picture"
    finally:
        alive.communicate()
        killed.communicate()
    assert list(parent.iterdir()) == []


def test_nothing_else_is_touched(parent: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (parent / "sync_filter_work_link").symlink_to(tmp_path / "precious")
    (parent / "sync_filter_work_file").write_bytes(b"1")
    (parent / "other").mkdir()
    with work_folder():
        pass
    assert (tmp_path / "precious").is_dir()
    assert sorted(path.name for path in parent.iterdir()) == [
        "other",
        "sync_filter_work_file",
        "sync_filter_work_link",
    ]


def test_a_folder_that_was_taken_for_a_leftover_at_its_birth_is_made_anew(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = []

    def lose_the_first(handle: int) -> bool:
        if not removed:
            (folder,) = parent.iterdir()
            shutil.rmtree(folder)
            removed.append(folder)
        return try_lock(handle)

    monkeypatch.setattr(work_folder_module, "try_lock", lose_the_first)
    with work_folder() as folder:
        assert folder.is_dir()
        assert removed and folder != removed[0]


def test_so_is_one_that_was_removed_before_it_was_opened(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open
    removed = []

    def lose_the_first(path: Path, flags: int, *more: int, **others: int) -> int:
        folder = Path(path).parent
        if not removed and flags & os.O_CREAT and folder.parent == parent:
            os.rmdir(folder)
            removed.append(folder)
        return opened(path, flags, *more, **others)

    monkeypatch.setattr(os, "open", lose_the_first)
    with work_folder() as folder:
        assert folder.is_dir()
        assert removed and folder != removed[0]


def test_a_file_system_without_locks_keeps_its_leftovers(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_handle: int) -> bool:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(work_folder_module, "try_lock", refuse)
    left = parent / "sync_filter_work_left"
    left.mkdir()
    (left / "lock").touch()
    with work_folder() as folder:
        assert folder.is_dir()
    assert [path.name for path in parent.iterdir()] == ["sync_filter_work_left"]


def test_of_a_process_that_died_before_its_lock_an_empty_folder_is_left_and_removed(parent: Path) -> None:
    (parent / "sync_filter_work_empty").mkdir()
    # What holds something but no lock is of nobody that is known.
    (parent / "sync_filter_work_full").mkdir()
    (parent / "sync_filter_work_full" / "a").write_bytes(b"1")
    with work_folder():
        pass
    assert [path.name for path in parent.iterdir()] == ["sync_filter_work_full"]


def test_the_folder_of_another_user_is_not_touched(parent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (parent / "sync_filter_work_theirs").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: os.geteuid() + 1)
    with work_folder():
        assert (parent / "sync_filter_work_theirs").is_dir()

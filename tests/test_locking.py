from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from syncnet.errors import UsageError
from syncnet.system.locking import HOLDER_SUFFIX, LockedError, hold

HOLD_FOR_EVER = """
import sys, time
from pathlib import Path
from syncnet.system.locking import hold
with hold(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(600)
"""


def holder_of(path: Path) -> Path:
    return path.with_name(path.name + HOLDER_SUFFIX)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lock"


def test_the_second_is_told_who_holds_it_and_a_kill_frees_it(path: Path, repository: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD_FOR_EVER, path],
        env={**os.environ, "PYTHONPATH": str(repository)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(LockedError, match=rf"another run is using .* \(pid {holder.pid} on .+ since 20"),
            hold(path),
        ):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.wait(60)
        if holder.stdout:
            holder.stdout.close()
    with hold(path):
        assert str(os.getpid()) in holder_of(path).read_text()


def test_a_file_left_behind_is_no_lock(path: Path) -> None:
    for file in (path, holder_of(path)):
        file.write_text('{"pid": 1, "host": "elsewhere", "since": "a long while and a longer text than ours"}' * 3)
    with hold(path):
        pass
    with hold(path):
        assert holder_of(path).read_text().count("pid") == 1


def test_a_holder_that_has_not_said_its_name_yet(path: Path) -> None:
    with hold(path):
        holder_of(path).write_text("")
        with pytest.raises(LockedError, match="just started"), hold(path):
            pass


def test_it_is_freed_after_an_error(path: Path) -> None:
    with pytest.raises(KeyError), hold(path):
        raise KeyError
    with hold(path):
        pass


def test_a_place_that_cannot_be_written_is_wrong_set_up(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot write to"), hold(tmp_path / "none" / "lock"):
        pass


@pytest.mark.parametrize("errno_", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_disk_without_locks_is_wrong_set_up_and_not_in_use(
    path: Path, monkeypatch: pytest.MonkeyPatch, errno_: int
) -> None:
    def refuse(_handle: int, _how: int) -> None:
        raise OSError(errno_, os.strerror(errno_))

    monkeypatch.setattr("fcntl.flock", refuse)
    monkeypatch.setattr("portalocker.portalocker.LOCKER", refuse)
    with pytest.raises(UsageError, match="does not support locks") as refused, hold(path):
        pass
    assert not isinstance(refused.value, LockedError)
    assert os.strerror(errno_) in str(refused.value)

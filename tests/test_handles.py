"""Files by their handles, also as a system has them that lacks pread and pwrite."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncnet.system import atomic
from syncnet.system.handles import open_handle, read_at, try_lock, write_at


@pytest.fixture(params=["as here", "without pread"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "without pread":
        monkeypatch.delattr(os, "pread")
        monkeypatch.delattr(os, "pwrite")


@pytest.mark.usefixtures("system")
def test_reads_and_writes_at_places(tmp_path: Path) -> None:
    handle = open_handle(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        assert write_at(handle, b"one\r\ntwo\n", 0) == 9
        assert write_at(handle, b"TWO", 5) == 3
        assert read_at(handle, 3, 5) == b"TWO"
        assert read_at(handle, 100, 3) == b"\r\nTWO\n"
        assert read_at(handle, 5, 9) == b""
        assert not os.get_inheritable(handle)
    finally:
        os.close(handle)
    assert (tmp_path / "file").read_bytes() == b"one\r\nTWO\n"


def test_a_lock_is_one_at_a_time_and_ends_with_its_handle(tmp_path: Path) -> None:
    one, two = (open_handle(tmp_path / "file", os.O_RDWR | os.O_CREAT) for _ in range(2))
    try:
        assert try_lock(one)
        assert not try_lock(two)
        os.close(one)
        assert try_lock(two)
    finally:
        os.close(two)


def test_a_link_gets_a_second_name_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "video").write_bytes(b"1")
    (tmp_path / "link").symlink_to("video")
    atomic.link_itself(tmp_path / "link", tmp_path / "second")
    assert (tmp_path / "second").is_symlink()
    # As on Windows, where Python has no choice to give and takes the link itself.
    asked = []
    monkeypatch.setattr(os, "supports_follow_symlinks", set())
    monkeypatch.setattr(os, "link", lambda source, target, **more: asked.append((source, target, more)))
    atomic.link_itself(tmp_path / "link", tmp_path / "third")
    assert asked == [(tmp_path / "link", tmp_path / "third", {})]

from __future__ import annotations

import errno
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from placing import Notes, place

from syncnet.errors import UsageError
from syncnet.placement.folders import OutputFolders, prepare_folders
from syncnet.placement.placing import CopyError
from syncnet.system.interruption import Interrupted, StopFlag

OLD_NS = 1_000_000_000_123_456_789


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "sub" / "a b.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(range(256)) * 100)
    path.chmod(0o640)
    os.utime(path, ns=(OLD_NS, OLD_NS))
    return path


@pytest.fixture
def folders(tmp_path: Path, source: Path) -> OutputFolders:
    return prepare_folders(tmp_path / "in", tmp_path / "out", keep_all=False)


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_copy_keeps_path_bytes_mode_and_time(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    copy = folders.good_dir / "sub" / "a b.mp4"
    assert files_below(folders.output_dir) == ["good_quality/sub/a b.mp4"]
    assert copy.read_bytes() == source.read_bytes()
    assert copy.stat().st_mtime_ns == OLD_NS
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640


def test_the_input_stays_as_it_was(source: Path, folders: OutputFolders) -> None:
    before = source.stat()
    place(source, folders, False)
    after = source.stat()
    assert files_below(source.parent) == ["a b.mp4"]
    assert (after.st_mtime_ns, after.st_size, after.st_mode) == (OLD_NS, before.st_size, before.st_mode)


def test_a_changed_verdict_moves_the_copy(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    place(source, folders, False)
    assert files_below(folders.output_dir) == ["poor_quality/sub/a b.mp4"]
    place(source, folders, True)
    assert files_below(folders.output_dir) == ["good_quality/sub/a b.mp4"]


def test_only_the_same_relative_path_is_an_earlier_copy(source: Path, folders: OutputFolders) -> None:
    (folders.poor_dir / "a b.mp4").write_bytes(b"another video")
    place(source, folders, True)
    assert files_below(folders.output_dir) == ["good_quality/sub/a b.mp4", "poor_quality/a b.mp4"]


def test_without_a_face_no_earlier_copy_is_left(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    place(source, folders, None)
    assert files_below(folders.output_dir) == []


def test_a_copy_is_refreshed_when_the_video_changed(source: Path, folders: OutputFolders) -> None:
    notes = Notes()
    place(source, folders, True, notes=notes)
    source.write_bytes(b"new take")
    place(source, folders, True, notes=notes)
    assert (folders.good_dir / "sub" / "a b.mp4").read_bytes() == b"new take"


def test_a_name_as_long_as_names_can_be_is_copied(tmp_path: Path, folders: OutputFolders) -> None:
    source = tmp_path / "in" / ("n" * 251 + ".mp4")
    source.write_bytes(b"x")
    place(source, folders, True)
    assert (folders.good_dir / "sub" / source.name).read_bytes() == b"x"


@contextmanager
def small_disk() -> Iterator[None]:
    """Within it, files of this process may not pass 10,000 bytes.

    Around the one call only: pytest's own output may go to a longer file, written between the phases of a test.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_copy_that_does_not_fit_leaves_nothing_and_the_old_one_whole(source: Path, folders: OutputFolders) -> None:
    earlier = folders.poor_dir / "sub" / "a b.mp4"
    earlier.parent.mkdir()
    earlier.write_bytes(b"earlier")
    with pytest.raises(CopyError) as caught, small_disk():
        place(source, folders, True)
    assert caught.value.problem == "could not be copied: file too large"
    assert files_below(folders.output_dir) == ["poor_quality/sub/a b.mp4"]


def test_a_full_disk_says_what_to_do(source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("syncnet.placement.transfer.os.fsync", full)
    with pytest.raises(CopyError, match="no space left on device: free some space on the output disk and run again"):
        place(source, folders, True)
    assert files_below(folders.output_dir) == []


def test_a_stop_leaves_no_half_copy(source: Path, folders: OutputFolders) -> None:
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted):
        place(source, folders, True, stop)
    assert files_below(folders.output_dir) == []


def test_a_video_that_vanished_is_a_failure_with_a_cure(source: Path, folders: OutputFolders) -> None:
    source.unlink()
    with pytest.raises(CopyError, match="moved or deleted while it was being scored"):
        place(source, folders, True)


def test_a_linked_subfolder_of_the_output_cannot_lead_to_the_source(source: Path, folders: OutputFolders) -> None:
    (folders.poor_dir / "sub").symlink_to(source.parent)
    with pytest.raises(CopyError, match="would replace the video itself"):
        place(source, folders, True)
    assert source.exists()


def test_folders_are_made_ready(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    folders = prepare_folders(tmp_path / "in", tmp_path / "x" / "out", keep_all=False)
    assert [path.is_dir() for path in folders.all_dirs] == [True, True, True]
    assert files_below(tmp_path) == []


def test_analysing_only_makes_no_quality_folders(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    folders = prepare_folders(tmp_path / "in", tmp_path / "out", keep_all=True)
    assert [path.is_dir() for path in folders.all_dirs] == [True, False, False]


def test_no_such_input_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder: give the folder that holds videos"):
        prepare_folders(tmp_path / "none", tmp_path / "out", keep_all=False)
    assert not (tmp_path / "out").exists()


def test_a_file_is_no_input_folder(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    with pytest.raises(UsageError, match="is a file"):
        prepare_folders(tmp_path / "a.mp4", tmp_path / "out", keep_all=False)


def test_the_same_folder_under_another_name_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "in")
    with pytest.raises(UsageError, match="the same folder"):
        prepare_folders(tmp_path / "in", tmp_path / "link", keep_all=True)


@pytest.mark.parametrize("inner", ["good_quality", "poor_quality/sub"])
def test_the_tool_does_not_read_from_where_it_copies_to(tmp_path: Path, inner: str) -> None:
    (tmp_path / inner).mkdir(parents=True)
    with pytest.raises(UsageError, match="is inside the folder for copies"):
        prepare_folders(tmp_path / inner, tmp_path, keep_all=False)


def test_an_output_that_cannot_be_written_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot write to .*: give an --output_dir you can write to"):
        prepare_folders(tmp_path / "in", tmp_path / "file" / "out", keep_all=False)


def test_a_file_is_no_output_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"file is a file: name a folder as --output_dir"):
        prepare_folders(tmp_path / "in", tmp_path / "file", keep_all=True)


def test_an_output_that_is_a_loop_of_links_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UsageError, match="cannot write to"):
        prepare_folders(tmp_path / "in", tmp_path / "loop", keep_all=False)


def test_a_folder_in_place_of_the_results_file_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out" / "sync_filter_results.json").mkdir(parents=True)
    with pytest.raises(UsageError, match="is a folder"):
        prepare_folders(tmp_path / "in", tmp_path / "out", keep_all=True)

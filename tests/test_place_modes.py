from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
from folders import files_below
from placing import Notes, as_video, place

from syncnet.placement import transfer as placement_transfer
from syncnet.placement.folders import OutputFolders, prepare_folders, remove_leftovers
from syncnet.placement.placing import CopyError, replace_verdict
from syncnet.settings import PLACE_MODES, PlaceMode

CONTENT = bytes(range(256)) * 100
NAME = "good_quality/sub/a.mp4"
POOR_NAME = "poor_quality/sub/a.mp4"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "sub" / "a.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def folders(tmp_path: Path, source: Path) -> OutputFolders:
    return prepare_folders(tmp_path / "in", tmp_path / "out", keep_all=False)


@pytest.mark.parametrize("mode", PLACE_MODES)
def test_each_way_puts_the_bytes_in_place_once_and_follows_the_verdict(
    source: Path, folders: OutputFolders, mode: PlaceMode
) -> None:
    notes = Notes()
    assert place(source, folders, True, notes=notes, mode=mode)
    placed = folders.output_dir / NAME
    assert files_below(folders.output_dir) == [NAME]
    assert placed.read_bytes() == CONTENT
    assert placed.is_symlink() is (mode == "symlink")
    assert source.exists() is (mode != "move")
    if mode == "move":
        return
    assert not place(source, folders, True, notes=notes, mode=mode)
    assert placed.samefile(source) is (mode in ("hardlink", "symlink"))
    assert place(source, folders, False, notes=notes, mode=mode)
    assert files_below(folders.output_dir) == [POOR_NAME]
    assert (folders.output_dir / POOR_NAME).is_symlink() is (mode == "symlink")


def test_a_video_is_moved_only_after_that_is_noted(source: Path, folders: OutputFolders) -> None:
    class Careful(Notes):
        def note_moving(self, _path: str) -> None:
            assert source.exists()
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(CopyError, match="could not be moved: no space left on device"):
        place(source, folders, True, notes=Careful(), mode="move")
    assert source.exists()
    assert files_below(folders.output_dir) == []


def test_a_move_to_another_disk_copies_first(
    source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def other_disk(old: str, new: str, **how: bool) -> None:
        if Path(old) == source:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        link(old, new, **how)

    monkeypatch.setattr(placement_transfer.os, "link", other_disk)
    place(source, folders, True, mode="move")
    assert (folders.output_dir / NAME).read_bytes() == CONTENT
    assert not source.exists()


def test_folders_on_two_disks_exchange_copies(
    source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes()
    place(source, folders, True, notes=notes)
    link = os.link

    def other_disk(old: str, new: str, **how: bool) -> None:
        if Path(old).parts[-3] != Path(new).parts[-3]:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        link(old, new, **how)

    monkeypatch.setattr(placement_transfer.os, "link", other_disk)
    assert place(source, folders, False, notes=notes)
    assert files_below(folders.output_dir) == [POOR_NAME]
    assert (folders.output_dir / POOR_NAME).read_bytes() == CONTENT
    assert source.exists()


def test_of_a_link_what_it_leads_to_is_kept(source: Path, folders: OutputFolders) -> None:
    link = source.with_name("link.mp4")
    link.symlink_to("a.mp4")
    place(link, folders, True, mode="move")
    assert not link.is_symlink()
    assert source.exists()
    moved = folders.good_dir / "sub" / "link.mp4"
    assert not moved.is_symlink()
    assert moved.read_bytes() == CONTENT


def test_a_moved_video_is_the_only_copy_and_never_replaced(source: Path, folders: OutputFolders) -> None:
    notes = Notes()
    place(source, folders, True, notes=notes, mode="move")
    source.write_bytes(b"a new upload under the same name")
    with pytest.raises(CopyError, match=r"good_quality/sub/a.mp4 already exists and is not a copy of this video"):
        place(source, folders, True, notes=notes, mode="move")
    assert place(source, folders, False, notes=notes, mode="copy")
    assert (folders.output_dir / NAME).read_bytes() == CONTENT
    assert not place(source, folders, False, notes=notes, mode="copy")
    assert place(source, folders, None, notes=notes) == "removed"
    assert files_below(folders.output_dir) == [NAME]


def test_what_is_no_copy_of_the_video_is_never_overwritten(source: Path, folders: OutputFolders) -> None:
    foreign = folders.output_dir / NAME
    foreign.parent.mkdir()
    foreign.write_bytes(CONTENT[::-1])
    for passed in (True, False, None):
        if passed:
            with pytest.raises(CopyError, match="already exists and is not a copy of this video"):
                place(source, folders, passed)
        else:
            place(source, folders, passed)
        assert foreign.read_bytes() == CONTENT[::-1]
    assert files_below(folders.output_dir) == [NAME]


def test_a_foreign_link_is_no_copy_either(source: Path, folders: OutputFolders, tmp_path: Path) -> None:
    foreign = folders.output_dir / NAME
    foreign.parent.mkdir()
    foreign.symlink_to(tmp_path / "elsewhere.mp4")
    with pytest.raises(CopyError, match="already exists"):
        place(source, folders, True)
    assert os.readlink(foreign) == str(tmp_path / "elsewhere.mp4")


def test_the_same_bytes_with_another_time_are_a_copy(source: Path, folders: OutputFolders) -> None:
    copy = folders.output_dir / NAME
    copy.parent.mkdir()
    copy.write_bytes(CONTENT)
    os.utime(copy, (0, 0))
    assert place(source, folders, True)
    assert copy.stat().st_mtime_ns == source.stat().st_mtime_ns


def test_a_time_that_the_disk_rounded_is_still_the_same_copy(source: Path, folders: OutputFolders) -> None:
    os.utime(source, ns=(0, 1_700_000_001_123_456_789))
    place(source, folders, True)
    # As FAT would have kept it.
    os.utime(folders.output_dir / NAME, ns=(0, 1_700_000_000_000_000_000))
    assert not place(source, folders, True)


def test_a_full_disk_is_known_before_the_first_byte(
    source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(folders.output_dir)
    free = len(CONTENT) + placement_transfer.RESERVED_BYTES - 1
    monkeypatch.setattr(placement_transfer.shutil, "disk_usage", lambda _path: usage._replace(free=free))
    with pytest.raises(CopyError, match="no space left on device: free some space on the output disk"):
        place(source, folders, True)
    assert files_below(folders.output_dir) == []
    monkeypatch.setattr(placement_transfer.shutil, "disk_usage", lambda _path: usage._replace(free=free + 1))
    assert place(source, folders, True)


@pytest.mark.parametrize("answer", ["refuses", "nothing", "half"])
def test_the_bytes_are_whole_whatever_the_kernel_can(
    source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    calls = []

    def copy_range(reader: int, writer: int, _count: int, at: int, to: int) -> int:
        calls.append(at)
        if answer == "refuses":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        if answer == "nothing" or len(calls) > 1:
            return 0
        return os.pwrite(writer, os.pread(reader, 1000, at), to)

    monkeypatch.setattr(placement_transfer.os, "copy_file_range", copy_range, raising=False)
    place(source, folders, True)
    assert calls[0] == 0
    assert (folders.output_dir / NAME).read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("number", "cure"), [(errno.EXDEV, "a hard link cannot point to another disk"), (errno.EPERM, "give --place copy")]
)
def test_a_link_that_cannot_be_made_says_what_to_do(
    source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch, number: int, cure: str
) -> None:
    def refuse(_old: str, _new: str, **_how: bool) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(placement_transfer.os, "link", refuse)
    with pytest.raises(CopyError, match="could not be linked") as caught:
        place(source, folders, True, mode="hardlink")
    assert cure in caught.value.cure
    assert files_below(folders.output_dir) == []


def test_a_deleted_video_changes_folders_and_is_never_removed(source: Path, folders: OutputFolders) -> None:
    notes = Notes()
    place(source, folders, True, notes=notes)
    video = as_video(source)
    source.unlink()
    assert not replace_verdict(video, folders, passed=None, history=notes)
    assert not replace_verdict(video, folders, passed=True, history=notes)
    assert replace_verdict(video, folders, passed=False, history=notes)
    assert files_below(folders.output_dir) == [POOR_NAME]
    (folders.output_dir / POOR_NAME).write_bytes(b"changed by somebody")
    with pytest.raises(CopyError, match=r"poor_quality/sub/a.mp4 is no longer the file that was put there"):
        replace_verdict(video, folders, passed=True, history=notes)
    assert not replace_verdict(video, folders, passed=True, history=Notes()), "nothing was ever put there"
    assert (folders.output_dir / POOR_NAME).read_bytes() == b"changed by somebody"


def test_a_link_to_a_deleted_video_changes_folders_too(source: Path, folders: OutputFolders) -> None:
    notes = Notes()
    place(source, folders, True, notes=notes, mode="symlink")
    video = as_video(source)
    source.unlink()
    assert replace_verdict(video, folders, passed=False, history=notes)
    assert os.readlink(folders.output_dir / POOR_NAME) == str(source)


def test_what_killed_runs_left_half_written_is_removed_and_nothing_else(folders: OutputFolders) -> None:
    out = folders.output_dir
    kept = [".sync_filter_x", "good_quality/x.part", "good_quality/a.mp4", "others/.sync_filter_x.part"]
    left = [
        ".sync_filter_77.part",
        "visualized/b/.sync_filter_a.part",
        "good_quality/.sync_filter_a.part",
        "poor_quality/b/.sync_filter_x y.part",
    ]
    for name in [*kept, *left]:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).touch()
    assert remove_leftovers(folders) == 4
    assert files_below(out) == sorted(kept)

"""Two looks have to tell what the placement itself would find."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from folders import files_below
from placing import Notes, as_video, place

from syncnet.placement import resting as placement_rest
from syncnet.placement.folders import OutputFolders
from syncnet.placement.placing import CopyError
from syncnet.placement.resting import RestingPlaces
from syncnet.settings import PlaceMode


@pytest.fixture
def folders(tmp_path: Path) -> OutputFolders:
    return OutputFolders(tmp_path / "out")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "in" / "sub" / "a.mp4"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"video")
    return path


class Noted(Notes):
    """Something was put there, whatever it was."""

    def has_placement(self, _path: str) -> bool:
        return True


def rests(
    source: Path, folders: OutputFolders, passed: bool | None, *, gone: bool = False, mode: PlaceMode = "copy"
) -> bool:
    video = replace(as_video(source), is_link=source.is_symlink())
    return RestingPlaces(folders, Noted(), mode).hold(video, passed=passed, gone=gone)


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
@pytest.mark.parametrize("passed", [True, False])
def test_a_placed_video_rests_until_its_verdict_changes(
    source: Path, folders: OutputFolders, passed: bool, mode: PlaceMode
) -> None:
    notes = Notes()
    assert not rests(source, folders, passed, mode=mode)
    place(source, folders, passed, mode=mode, notes=notes)
    before = files_below(folders.output_dir)
    assert rests(source, folders, passed, mode=mode)
    assert not rests(source, folders, not passed, mode=mode)
    assert not rests(source, folders, None, mode=mode)
    for other in {"copy", "hardlink", "symlink", "move"} - {mode}:
        assert not rests(source, folders, passed, mode=other)  # type: ignore[arg-type]
    # What rests is what placing leaves alone.
    assert not place(source, folders, passed, mode=mode, notes=notes)
    assert files_below(folders.output_dir) == before


def test_a_video_without_a_face_rests_where_it_is_in_neither_folder(source: Path, folders: OutputFolders) -> None:
    assert rests(source, folders, None)
    place(source, folders, False)
    assert not rests(source, folders, None)


def test_what_stands_in_both_folders_or_is_another_file_does_not_rest(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    other = folders.poor_dir / "sub" / "a.mp4"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"video")
    assert not rests(source, folders, True)
    other.unlink()
    (folders.good_dir / "sub" / "a.mp4").write_bytes(b"another")
    assert not rests(source, folders, True)


def test_a_changed_video_does_not_rest(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    source.write_bytes(b"longer video")
    assert not rests(source, folders, True)


def test_the_copy_of_a_video_that_is_gone_rests_in_its_folder(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    assert rests(source, folders, True, gone=True)
    assert rests(source, folders, None, gone=True)
    assert not rests(source, folders, False, gone=True)


def test_a_link_rests_but_where_it_leads_to_its_own_copy(source: Path, folders: OutputFolders) -> None:
    link = source.with_name("link.mp4")
    link.symlink_to(source)
    place(link, folders, True)
    assert rests(link, folders, True)
    link.unlink()
    link.symlink_to(folders.good_dir / "sub" / "link.mp4")
    assert not rests(link, folders, True)
    with pytest.raises(CopyError, match="would replace the video itself"):
        place(link, folders, True)


def test_a_video_of_which_nobody_knows_whether_it_is_a_link_is_looked_at(source: Path, folders: OutputFolders) -> None:
    place(source, folders, True)
    assert as_video(source).is_link is None
    assert RestingPlaces(folders, Noted(), "copy").hold(as_video(source), passed=True)
    assert not RestingPlaces(folders, Notes(), "copy").hold(as_video(source), passed=True), "nobody put it there"


def test_a_folder_of_copies_that_leads_to_the_videos_is_left_to_the_placement(
    source: Path, folders: OutputFolders
) -> None:
    folders.good_dir.mkdir(parents=True)
    (folders.good_dir / "sub").symlink_to(source.parent)
    assert not rests(source, folders, True)


def test_each_video_takes_two_looks(source: Path, folders: OutputFolders, monkeypatch: pytest.MonkeyPatch) -> None:
    place(source, folders, True)
    video = replace(as_video(source), is_link=False)
    places = RestingPlaces(folders, Noted(), "copy")
    assert places.hold(video, passed=True), "what holds for the folder is known from here on"
    looked: list[str] = []
    look = os.lstat

    def counting(path: str) -> os.stat_result:
        looked.append(path)
        return look(path)

    monkeypatch.setattr(placement_rest.os, "lstat", counting)
    monkeypatch.setattr(placement_rest.os, "stat", counting)
    assert places.hold(video, passed=True)
    assert looked == [str(folder / "sub" / "a.mp4") for folder in (folders.good_dir, folders.poor_dir)]

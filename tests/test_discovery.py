from __future__ import annotations

import os
from pathlib import Path

import pytest

from syncnet.inputs import discovery
from syncnet.inputs.discovery import find_videos


def make_files(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"1234567")


def names(folder: Path, **options: object) -> list[str]:
    options.setdefault("recursive", False)
    return [str(video.relative_path) for video in find_videos(folder, **options).videos]  # type: ignore[arg-type]


def test_every_named_extension_in_any_case_and_nothing_else(tmp_path: Path) -> None:
    wanted = [
        "a.mp4", "b.m4v", "c.mov", "d.avi", "e.mkv", "f.webm", "g.mpg", "h.mpeg", "i.ts", "j.mts", "k.m2ts", "l.flv",
        "m.wmv", "n.3gp", "o.MP4", "p.MkV", "q.mxf", "r.dv", "s.vob", "t.ogv", "u.ogg", "v.asf", "w.3g2", "x.f4v",
    ]  # fmt: skip
    make_files(tmp_path, *wanted, "y.mp3", "y.wav", "z.txt", "z.TXT", "zmp4", "z.mp4.part", "z.m4a", ".z.txt")
    assert names(tmp_path) == wanted
    others = find_videos(tmp_path, recursive=False).other_endings
    assert others == {".mp3": 1, ".wav": 1, ".txt": 2, "": 1, ".part": 1, ".m4a": 1}


def test_names_that_differ_in_the_extension_only_are_two_videos(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", "a.mov", "a.MP4")
    assert names(tmp_path) == ["a.MP4", "a.mov", "a.mp4"]


def test_subfolders_only_when_asked_and_in_path_order(tmp_path: Path) -> None:
    make_files(tmp_path, "b.mp4", "a/z.mp4", "a-b/y.mp4", "c/d/x.mp4")
    assert names(tmp_path) == ["b.mp4"]
    assert names(tmp_path, recursive=True) == ["a-b/y.mp4", "a/z.mp4", "b.mp4", "c/d/x.mp4"]


def test_hidden_files_folders_and_apple_companions_are_skipped(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", "._a.mp4", ".b.mp4", ".trash/c.mp4", ".mp4")
    assert names(tmp_path, recursive=True) == ["a.mp4"]


def test_the_path_is_the_folder_as_given_and_the_size_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_files(tmp_path, "in/a.mp4")
    monkeypatch.chdir(tmp_path)
    (video,) = find_videos(Path("in"), recursive=False).videos
    assert str(video.path) == "in/a.mp4"
    assert video.file_bytes == 7


def test_the_output_folder_inside_the_input_folder_is_no_input(tmp_path: Path) -> None:
    make_files(tmp_path, "a.mp4", "out/good_quality/a.mp4", "out/b.mp4", "other/c.mp4")
    excluded = tmp_path / "other" / ".." / "out"
    assert names(tmp_path, recursive=True, excluded_dirs=[excluded]) == ["a.mp4", "other/c.mp4"]


def test_a_link_to_a_video_is_a_video_and_a_link_to_a_folder_is_named(tmp_path: Path) -> None:
    make_files(tmp_path, "elsewhere/a.mp4", "in/b.mp4")
    (tmp_path / "in" / "link.mp4").symlink_to(tmp_path / "elsewhere" / "a.mp4")
    (tmp_path / "in" / "up").symlink_to(tmp_path)
    found = find_videos(tmp_path / "in", recursive=True)
    assert [video.path.name for video in found.videos] == ["b.mp4", "link.mp4"]
    assert found.videos[1].file_bytes == 7
    assert [(skipped.path.name, skipped.reason) for skipped in found.left_out] == [
        ("up", "a link to a folder, not followed")
    ]


def test_links_to_nothing_and_loops_count_as_unreadable(tmp_path: Path) -> None:
    (tmp_path / "gone.mp4").symlink_to(tmp_path / "nowhere.mp4")
    (tmp_path / "loop.mp4").symlink_to(tmp_path / "loop.mp4")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "nowhere.txt")
    found = find_videos(tmp_path, recursive=False)
    assert found.videos == []
    assert sorted((skipped.path.name, skipped.reason) for skipped in found.unreadable) == [
        ("gone.mp4", "a link to nothing"),
        ("loop.mp4", "too many levels of symbolic links"),
    ]


def test_a_pipe_or_a_folder_named_like_a_video_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.mp4")
    make_files(tmp_path, "folder.mp4/a.mp4")
    found = find_videos(tmp_path, recursive=True)
    assert [str(video.relative_path) for video in found.videos] == ["folder.mp4/a.mp4"]
    assert [(skipped.path.name, skipped.reason) for skipped in found.left_out] == [("pipe.mp4", "not a regular file")]


def test_an_unreadable_subfolder_is_reported_and_the_rest_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_files(tmp_path, "a.mp4", "locked/b.mp4", "open/c.mp4")
    scandir = os.scandir

    def refuse_locked(folder: Path) -> object:
        # Permissions would not stop a test that runs as root.
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(discovery.os, "scandir", refuse_locked)
    found = find_videos(tmp_path, recursive=True)
    assert [video.path.name for video in found.videos] == ["a.mp4", "c.mp4"]
    assert [(skipped.path.name, skipped.reason) for skipped in found.unreadable] == [("locked", "permission denied")]


def test_names_of_any_bytes_are_found(tmp_path: Path) -> None:
    name = os.fsencode(tmp_path) + b"/\xff\xfe line\nbreak.mp4"
    with open(name, "wb"):
        pass
    (video,) = find_videos(tmp_path, recursive=False).videos
    assert os.fsencode(video.path) == name

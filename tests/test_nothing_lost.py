"""No file of a user is lost, whatever comes to an output folder in the next run."""

from __future__ import annotations

import errno
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from folders import entries_in, files_below, gone_in, make_videos, results_in, run, videos_below

from syncnet import command
from syncnet.placement import transfer

pytestmark = pytest.mark.usefixtures("fake_scoring")
OFF = ("--score_cache", "off")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def arrive(folder: Path, name: str, data: bytes) -> None:
    """Another file of the name, in the place of what was there."""
    (folder / name).unlink(missing_ok=True)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


@pytest.mark.parametrize("mode", ["copy", "hardlink", "move"])
def test_the_kept_copy_of_a_video_that_is_gone_stays_when_another_of_its_name_arrives(
    tmp_path: Path, out: Path, mode: str
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "other_fine.mp4")
    assert run(videos, out, *OFF, "--place", mode) == 0
    shutil.rmtree(videos)
    arrive(videos, "fine.mp4", b"of the next day")
    for _ in range(2):
        assert run(videos, out, *OFF, "--place", mode) == 0
        assert videos_below(out / "good_quality") == {
            "fine.mp4": b"fine.mp4",
            "fine~2.mp4": b"of the next day",
            "other_fine.mp4": b"other_fine.mp4",
        }
    entries = entries_in(out)
    if mode == "move":
        assert (list(entries), gone_in(out)) == (["fine.mp4", "fine~2.mp4", "other_fine.mp4"], [])
        assert entries["fine.mp4"]["video_path"] == str(videos / "fine.mp4")
    else:
        assert (list(entries), gone_in(out)) == (["fine~2.mp4"], ["fine.mp4", "other_fine.mp4"])
    assert entries["fine~2.mp4"]["video_path"] == str(videos / "fine.mp4")
    assert entries["fine~2.mp4"]["placed_path"] == str(out / "good_quality" / "fine~2.mp4")
    # The day after, and the one after that.
    arrive(videos, "fine.mp4", b"third")
    assert run(videos, out, *OFF, "--place", mode) == 0
    assert videos_below(out / "good_quality")["fine~3.mp4"] == b"third"
    assert len(entries_in(out)) + len(gone_in(out)) == 4


def test_another_video_without_a_face_takes_no_copy_away(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = make_videos(tmp_path / "in", "a_fine.mp4")
    assert run(videos, out, *OFF) == 0
    arrive(videos, "a_fine.mp4", b"nobody in it")
    from fakes import scored

    monkeypatch.setattr("syncnet.pipeline.score_video", lambda *_: scored())
    assert run(videos, out, *OFF) == 0
    assert videos_below(out) == {"good_quality/a_fine.mp4": b"a_fine.mp4"}
    assert {name: entry["status"] for name, entry in entries_in(out).items()} == {"a_fine~2.mp4": "no_faces"}
    assert gone_in(out) == ["a_fine.mp4"]


def test_two_input_folders_with_videos_of_one_name(tmp_path: Path, out: Path) -> None:
    first, second = (make_videos(tmp_path / name, "fine.mp4") for name in ("monday", "tuesday"))
    (second / "fine.mp4").write_bytes(b"of tuesday")
    assert run(first, out, *OFF) == 0
    for videos in (second, first, second):
        assert run(videos, out, *OFF) == 0
        assert videos_below(out / "good_quality") == {"fine.mp4": b"fine.mp4", "fine~2.mp4": b"of tuesday"}
        told = {name: entry["video_path"] for name, entry in entries_in(out).items()}
        assert told == {"fine.mp4": str(first / "fine.mp4"), "fine~2.mp4": str(second / "fine.mp4")}
        assert gone_in(out) == []


def test_two_lists_with_videos_of_one_name(tmp_path: Path, out: Path) -> None:
    for day in ("monday", "tuesday"):
        make_videos(tmp_path / day, "fine.mp4")
        (tmp_path / day / "fine.mp4").write_bytes(day.encode())
        (tmp_path / day / "list.txt").write_text("fine.mp4\n")
        manifest = str(tmp_path / day / "list.txt")
        assert command.main(["--input_manifest", manifest, "--output_dir", str(out), *OFF]) == 0
    assert videos_below(out / "good_quality") == {"fine.mp4": b"monday", "fine~2.mp4": b"tuesday"}


def test_links_to_videos_of_one_name_in_two_folders(tmp_path: Path, out: Path) -> None:
    for day in ("monday", "tuesday"):
        videos = make_videos(tmp_path / day, "fine.mp4")
        (videos / "fine.mp4").write_bytes(day.encode())
        assert run(videos, out, *OFF, "--place", "symlink") == 0
    links = {name: os.readlink(out / "good_quality" / name) for name in files_below(out / "good_quality")}
    assert links == {
        "fine.mp4": str(tmp_path / "monday" / "fine.mp4"),
        "fine~2.mp4": str(tmp_path / "tuesday" / "fine.mp4"),
    }


def test_a_video_that_was_changed_in_its_place_is_the_same_one(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    run(videos, out, *OFF)
    (videos / "fine.mp4").write_bytes(b"cut anew")
    assert run(videos, out, *OFF) == 0
    assert videos_below(out) == {"good_quality/fine.mp4": b"cut anew"}
    assert list(entries_in(out)) == ["fine.mp4"]


def test_an_upload_that_grew_is_the_same_video_also_under_another_inode(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    run(videos, out, *OFF)
    arrive(videos, "fine.mp4", b"fine.mp4 and the rest of it")
    assert run(videos, out, *OFF) == 0
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4 and the rest of it"}


def test_a_name_that_is_given_is_no_other_videos_own(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    run(videos, out, *OFF)
    arrive(videos, "fine.mp4", b"another")
    make_videos(videos, "fine~2.mp4")
    assert run(videos, out, *OFF) == 0
    kept = {"fine.mp4": b"fine.mp4", "fine~2.mp4": b"fine~2.mp4", "fine~3.mp4": b"another"}
    assert videos_below(out / "good_quality") == kept
    assert run(videos, out, *OFF) == 0
    assert videos_below(out / "good_quality") == kept
    assert results_in(out)["this_run"]["scored"] == 0


class DiskThatIgnoresCase:
    """The few calls that placing makes, as such a disk answers them."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = str(folder)
        self._one_at_a_time = threading.Lock()
        self._lstat, self._link = os.lstat, os.link
        monkeypatch.setattr(os, "lstat", lambda path, **how: self._lstat(self._found(path), **how))
        monkeypatch.setattr(os, "link", self._link_once)

    def _found(self, path: Any) -> Any:
        folder, name = os.path.split(os.fspath(path))
        if not folder.startswith(self._folder) or not os.path.isdir(folder):
            return path
        names = [known for known in os.listdir(folder) if known.lower() == name.lower()]
        return os.path.join(folder, names[0]) if names else path

    def _link_once(self, old: Any, new: Any, **how: Any) -> None:
        # A disk looks and links in one step: two threads that both look first would both be given the name.
        with self._one_at_a_time:
            self._link(old, self._found(new), **how)


@pytest.mark.parametrize("mode", ["copy", "move"])
@pytest.mark.parametrize("other", [b"fine.mp4", b"longer than the first"])
def test_of_two_names_that_a_disk_takes_for_one_the_second_is_refused(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, mode: str, other: bytes
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "FINE.mp4")
    for name, data in (("fine.mp4", b"fine.mp4"), ("FINE.mp4", other)):
        (videos / name).write_bytes(data)
        os.utime(videos / name, ns=(0, 1_700_000_000_000_000_000))
    DiskThatIgnoresCase(out, monkeypatch)
    for _ in range(2):
        assert run(videos, out, *OFF, "--place", mode, "--max_workers", "2") == 1
        placed = videos_below(out / "good_quality")
        assert len(placed) == 1
        (name,) = placed
        kept = {**videos_below(videos), **placed}
        assert kept == {"fine.mp4": b"fine.mp4", "FINE.mp4": other}
        (refused,) = (entry for entry in entries_in(out).values() if entry["status"] == "failed")
        assert refused["relative_path"] != name
        assert "already exists and is not a copy of this video" in refused["error"]


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_a_file_that_comes_to_the_place_while_a_copy_is_under_way_is_left(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    copy, link = transfer._copy_bytes, os.link

    def meanwhile(*arguments: Any) -> None:
        copy(*arguments)
        (out / "good_quality" / "fine.mp4").write_bytes(b"precious")

    def other_disk(old: Any, new: Any, **how: Any) -> None:
        if Path(old) == videos / "fine.mp4":
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        link(old, new, **how)

    monkeypatch.setattr(transfer, "_copy_bytes", meanwhile)
    monkeypatch.setattr(os, "link", other_disk)
    for _ in range(2):
        assert run(videos, out, *OFF, "--place", mode) == 1
        assert videos_below(out) == {"good_quality/fine.mp4": b"precious"}
        assert videos_below(videos) == {"fine.mp4": b"fine.mp4"}
        assert "already exists and is not a copy of this video" in entries_in(out)["fine.mp4"]["error"]


def test_a_file_that_takes_the_place_of_an_earlier_copy_meanwhile_is_left(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    run(videos, out, *OFF)
    (videos / "fine.mp4").write_bytes(b"changed")
    copy = transfer._copy_bytes

    def meanwhile(*arguments: Any) -> None:
        copy(*arguments)
        (tmp_path / "users").write_bytes(b"precious")
        os.replace(tmp_path / "users", out / "good_quality" / "fine.mp4")

    monkeypatch.setattr(transfer, "_copy_bytes", meanwhile)
    assert run(videos, out, *OFF) == 1
    assert videos_below(out) == {"good_quality/fine.mp4": b"precious"}
    assert [path.name for path in (out / "good_quality").iterdir()] == ["fine.mp4"]


def test_an_upload_that_takes_the_place_of_a_video_while_it_is_moved_is_left(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    link = os.link

    def meanwhile(old: Any, new: Any, **how: Any) -> None:
        link(old, new, **how)
        if Path(old) == videos / "fine.mp4":
            (tmp_path / "upload").write_bytes(b"of the next day")
            os.replace(tmp_path / "upload", videos / "fine.mp4")

    monkeypatch.setattr(os, "link", meanwhile)
    run(videos, out, *OFF, "--place", "move")
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4"}
    assert videos_below(videos) == {"fine.mp4": b"of the next day"}


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_the_output_of_another_run_within_the_input_is_left_alone_and_told_once(tmp_path: Path, mode: str) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "sub/poor.mp4")
    first, second = videos / "first", videos / "second"
    assert run(videos, first, *OFF, "--recursive") == 0
    assert run(videos, second, *OFF, "--recursive", "--place", mode, "--min_confidence", "7.6") == 0
    assert videos_below(first) == {"good_quality/fine.mp4": b"fine.mp4", "poor_quality/sub/poor.mp4": b"sub/poor.mp4"}
    assert videos_below(second) == {"poor_quality/fine.mp4": b"fine.mp4", "poor_quality/sub/poor.mp4": b"sub/poor.mp4"}
    assert results_in(second)["left_out"] == [{"path": str(first), "reason": "an output folder of this tool"}]
    # Named as the input itself, it gives what else lies in it.
    make_videos(first, "fine_by_hand.mp4")
    third = tmp_path / "third"
    assert run(first, third, *OFF, "--recursive", "--place", mode) == 0
    assert videos_below(third) == {"good_quality/fine_by_hand.mp4": b"fine_by_hand.mp4"}
    assert "good_quality/fine.mp4" in videos_below(first)

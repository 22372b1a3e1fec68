"""Runs that place again: in another way, from another disk, after something failed or was lost."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from folders import entries_in, files_below, gone_in, make_videos, results_in, run, videos_below

from syncnet import command
from syncnet.state.ledger import open_ledger

pytestmark = pytest.mark.usefixtures("fake_scoring")
OFF = ("--score_cache", "off")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


MODES = ("copy", "hardlink", "symlink", "move")


@pytest.mark.parametrize("first", MODES[:3])
@pytest.mark.parametrize("second", MODES)
def test_the_present_way_of_placing_holds_for_every_file(tmp_path: Path, out: Path, first: str, second: str) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4", "faceless.mp4")
    number = (videos / "fine.mp4").stat().st_ino
    assert run(videos, out, *OFF, "--place", first) == 0
    assert run(videos, out, *OFF, "--place", second) == 0
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4", "poor_quality/poor.mp4": b"poor.mp4"}
    placed = out / "good_quality" / "fine.mp4"
    assert placed.is_symlink() is (second == "symlink")
    assert (placed.lstat().st_ino == number) is (second in ("hardlink", "move"))
    assert (videos / "fine.mp4").exists() is (second != "move")
    assert results_in(out)["this_run"]["placed"] == (0 if first == second else 2)
    assert run(videos, out, *OFF, "--place", second) == 0
    assert results_in(out)["this_run"]["placed"] == 0
    if second != "symlink":
        shutil.rmtree(videos)
        make_videos(videos)
        assert run(videos, out, *OFF, "--place", second) == 0
        assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4", "poor_quality/poor.mp4": b"poor.mp4"}


def test_a_folder_is_tied_to_a_model_by_its_first_score(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fakes import FakeModel, FakeStages

    videos = make_videos(tmp_path / "in", "damaged.mp4")
    assert run(videos, out, *OFF) == 1
    other = FakeStages(model=FakeModel(name="other"))
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: other)
    assert run(videos, out, *OFF) == 1, "nothing was scored yet"
    make_videos(videos, "fine.mp4")
    assert run(videos, out, *OFF) == 0
    monkeypatch.setattr("syncnet.stages.choose_stages", lambda _request, _workers: FakeStages())
    assert run(videos, out, *OFF) == 2
    assert results_in(out)["model"]["name"] == "other"


def test_a_rescan_places_other_bytes_of_the_same_size_and_time(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "fine_too.mp4")
    assert run(videos, out, *OFF) == 0
    times = (videos / "fine.mp4").stat()
    (videos / "fine.mp4").write_bytes(b"FINE.MP4")
    os.utime(videos / "fine.mp4", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert run(videos, out, *OFF, "--rescan") == 0
    assert videos_below(out / "good_quality") == {"fine.mp4": b"FINE.MP4", "fine_too.mp4": b"fine_too.mp4"}
    assert results_in(out)["this_run"]["placed"] == 1


def forget_times(folder: Path) -> None:
    for path in folder.rglob("*.mp4"):
        os.utime(path, (1_800_000_000, 1_800_000_000))


@pytest.mark.parametrize("mode", ["copy", "move"])
def test_placed_files_whose_times_were_lost_follow_their_verdict(tmp_path: Path, out: Path, mode: str) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, out, *OFF, "--place", mode) == 0
    (videos / "fine.mp4").unlink(missing_ok=True)
    forget_times(out)
    assert run(videos, out, *OFF, "--place", mode, "--preset", "strict") == 0
    assert videos_below(out) == {"poor_quality/fine.mp4": b"fine.mp4"}
    # What is no longer the same file is told.
    (out / "poor_quality" / "fine.mp4").write_bytes(b"cut by somebody")
    assert run(videos, out, *OFF, "--place", mode) == 1
    assert videos_below(out) == {"poor_quality/fine.mp4": b"cut by somebody"}
    assert "is no longer the file that was put there" in entries_in(out)["fine.mp4"]["error"]


def test_an_input_whose_times_were_lost_is_known_by_its_bytes(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, out, *OFF) == 0
    shutil.copytree(videos, tmp_path / "elsewhere", copy_function=shutil.copy)
    shutil.rmtree(videos)
    forget_times(tmp_path / "elsewhere")
    assert run(tmp_path / "elsewhere", out, *OFF) == 0
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4"}


class OtherDisk:
    """The input on another disk than the output, whose files cannot be removed while it is locked."""

    def __init__(self, videos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.locked = False
        link, rename = os.link, os.rename

        def link_within(old: Any, new: Any, **how: Any) -> None:
            if Path(old).parent == videos:
                raise OSError(errno.EXDEV, "Invalid cross-device link")
            link(old, new, **how)

        def rename_if(old: Any, new: Any) -> None:
            if self.locked and Path(old).parent == videos:
                raise PermissionError(errno.EACCES, "Permission denied")
            rename(old, new)

        monkeypatch.setattr(os, "link", link_within)
        monkeypatch.setattr(os, "rename", rename_if)


@pytest.mark.parametrize("dies", [False, True])
def test_a_move_that_was_cut_short_is_finished_by_a_later_run(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    disk = OtherDisk(videos, monkeypatch)
    if dies:
        # As a kill leaves it between the copy and the removal.
        assert run(videos, out, *OFF, "--keep_all") == 0
        with open_ledger(out / ".sync_filter" / "ledger.jsonl") as ledger:
            ledger.note_moving("fine.mp4")
        (out / "good_quality").mkdir()
        shutil.copy2(videos / "fine.mp4", out / "good_quality")
    disk.locked = not dies
    for _ in range(0 if dies else 2):
        assert run(videos, out, *OFF, "--place", "move") == 1
        assert entries_in(out)["fine.mp4"]["error"] == "could not be moved: permission denied"
        assert videos_below(videos) == {"fine.mp4": b"fine.mp4"}
    disk.locked = False
    number = (out / "good_quality" / "fine.mp4").stat().st_ino
    assert run(videos, out, *OFF, "--place", "move") == 0
    assert (videos_below(videos), videos_below(out)) == ({}, {"good_quality/fine.mp4": b"fine.mp4"})
    assert (out / "good_quality" / "fine.mp4").stat().st_ino == number, "not copied once more"
    assert run(videos, out, *OFF, "--place", "move") == 0
    assert gone_in(out) == []


@pytest.mark.parametrize("first", ["copy", "symlink"])
def test_a_move_to_another_disk_takes_no_link_for_a_copy(
    tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "real/fine_real.mp4")
    (videos / "fine_link.mp4").symlink_to(videos / "real" / "fine_real.mp4")
    OtherDisk(videos, monkeypatch)
    assert run(videos, out, *OFF, "--place", first) == 0
    assert run(videos, out, *OFF, "--place", "move") == 0
    assert videos_below(out) == {
        "good_quality/fine.mp4": b"fine.mp4",
        "good_quality/fine_link.mp4": b"real/fine_real.mp4",
    }
    assert not any(path.is_symlink() for path in out.rglob("*.mp4"))
    assert videos_below(videos) == {"real/fine_real.mp4": b"real/fine_real.mp4"}


def test_a_move_that_failed_does_not_count_as_one(tmp_path: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    disk = OtherDisk(videos, monkeypatch)
    disk.locked = True
    assert run(videos, out, *OFF, "--place", "move") == 1
    # Copies are refreshed as ever, and a video that is deleted is gone.
    (videos / "fine.mp4").write_bytes(b"cut anew")
    assert run(videos, out, *OFF) == 0
    assert videos_below(out) == {"good_quality/fine.mp4": b"cut anew"}
    (videos / "fine.mp4").unlink()
    make_videos(videos, "other_fine.mp4")
    assert run(videos, out, *OFF) == 0
    assert gone_in(out) == ["fine.mp4"]


def test_a_moved_file_that_was_deleted_is_gone(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, out, *OFF, "--place", "move") == 0
    assert entries_in(out)["fine.mp4"]["placed_path"] == str(out / "good_quality" / "fine.mp4")
    assert run(videos, out, *OFF) == 0
    assert (entries_in(out)["fine.mp4"]["missing"], gone_in(out)) == (False, [])
    (out / "good_quality" / "fine.mp4").unlink()
    assert run(videos, out, *OFF) == 0
    assert (entries_in(out), gone_in(out)) == ({}, ["fine.mp4"])
    assert results_in(out)["gone"][0]["placed_path"] is None


@pytest.mark.parametrize("how", ["real path", "moved disk"])
def test_links_of_the_tool_are_known_wherever_the_input_is(tmp_path: Path, out: Path, how: str) -> None:
    make_videos(tmp_path / "real", "fine.mp4", "sub/poor.mp4")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    flags = (*OFF, "--recursive", "--place", "symlink")
    assert run(tmp_path / "link", out, *flags) == 0
    now = tmp_path / "real"
    if how == "moved disk":
        now = (tmp_path / "real").rename(tmp_path / "elsewhere")
        (tmp_path / "link").unlink()
    assert run(now, out, *flags) == 0
    assert os.readlink(out / "good_quality" / "fine.mp4") == str(now / "fine.mp4")
    assert os.readlink(out / "poor_quality" / "sub" / "poor.mp4") == str(now / "sub" / "poor.mp4")
    assert results_in(out)["this_run"]["placed"] == 2
    assert run(now, out, *flags, "--preset", "strict") == 0
    assert sorted(files_below(out / "poor_quality")) == ["fine.mp4", "sub/poor.mp4"]


def test_two_dots_after_a_link_lead_where_the_system_says(tmp_path: Path, out: Path) -> None:
    make_videos(tmp_path, "there/v_fine.mp4", "v_fine.mp4", "there/deep/x.txt")
    (tmp_path / "there" / "v_fine.mp4").write_bytes(b"the right one")
    (tmp_path / "link").symlink_to(tmp_path / "there" / "deep")
    (tmp_path / "list.txt").write_text("link/../v_fine.mp4\n")
    arguments = ["--input_manifest", str(tmp_path / "list.txt"), "--output_dir", str(out), *OFF]
    assert command.main([*arguments, "--place", "symlink"]) == 0
    assert list(entries_in(out)) == ["there/v_fine.mp4"]
    assert (out / "good_quality" / "there" / "v_fine.mp4").read_bytes() == b"the right one"
    other = tmp_path / "other"
    make_videos(tmp_path / "there" / "vids", "fine.mp4")
    assert run(tmp_path / "link" / ".." / "vids", other, *OFF, "--place", "symlink") == 0
    assert (other / "good_quality" / "fine.mp4").read_bytes() == b"fine.mp4"
    assert run(tmp_path / "link" / ".." / "vids", other, *OFF, "--place", "symlink") == 0
    assert results_in(other)["this_run"]["placed"] == 0


def test_what_a_list_names_by_a_link_is_not_taken_out_of_the_folder_of_copies(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, out, *OFF) == 0
    (tmp_path / "alias").symlink_to(out / "good_quality")
    (tmp_path / "list.txt").write_text("alias/fine.mp4\n")
    arguments = ["--input_manifest", str(tmp_path / "list.txt"), "--output_dir", str(out), *OFF, "--place", "move"]
    assert command.main(arguments) == 0
    assert videos_below(out) == {"good_quality/fine.mp4": b"fine.mp4"}
    assert [entry["reason"] for entry in results_in(out)["left_out"]] == ["it is in a folder where copies are put"]

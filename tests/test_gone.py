"""Videos that are gone from the input: in no count and no list, with their records and copies kept."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from folders import entries_in, files_below, gone_in, make_videos, results_in, run, videos_below

from syncnet import command

OFF = ("--score_cache", "off")
NAMES = ("damaged.mp4", "faceless.mp4", "fine.mp4", "other_fine.mp4", "poor.mp4")

pytestmark = pytest.mark.usefixtures("fake_scoring")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return make_videos(tmp_path / "in", *NAMES)


def listed(manifest: Path, out: Path, *lines: str | Path) -> int:
    manifest.write_text("".join(f"{line}\n" for line in lines))
    return command.main(["--input_manifest", str(manifest), "--output_dir", str(out), *OFF])


def passing_in(out: Path, *extra: str) -> list[str]:
    target = out.parent / "passing.txt"
    assert command.main(["rejudge", "--output_dir", str(out), "--passing", str(target), *extra]) == 0
    return target.read_text().splitlines()


def test_what_is_gone_is_in_no_count_and_no_list_and_stays_known(
    videos: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(videos, out, *OFF) == 1
    shutil.copytree(videos, videos.parent / "before")
    (videos / "fine.mp4").unlink()
    (videos / "damaged.mp4").unlink()
    assert run(videos, out, *OFF) == 0
    shown = capsys.readouterr().out
    assert "\n3 of 3 videos in " in shown
    assert "2 videos are gone from the folder (damaged.mp4, fine.mp4), and in no count; --prune" in shown
    document = results_in(out)
    counts = "total_videos", "good_quality", "poor_quality", "no_faces_detected", "processing_failed"
    assert [document[name] for name in counts] == [3, 1, 1, 1, 0]
    assert gone_in(out) == ["damaged.mp4", "fine.mp4"]
    for table in ("results.csv", "segments.csv"):
        with open(out / table, encoding="utf-8", newline="") as reader:
            assert not {row["relative_path"] for row in csv.DictReader(reader)} & {"damaged.mp4", "fine.mp4"}
    assert "fine.mp4" in files_below(out / "good_quality")
    assert passing_in(out) == ["other_fine.mp4"]
    # It comes back, from a copy that kept its time.
    shutil.copy2(videos.parent / "before" / "fine.mp4", videos)
    assert run(videos, out, *OFF) == 0
    assert (gone_in(out), results_in(out)["this_run"]["scored"]) == (["damaged.mp4"], 0)
    assert passing_in(out) == ["fine.mp4", "other_fine.mp4"]


def test_an_input_that_holds_nothing_any_more_may_be_a_disk_that_is_not_mounted(
    videos: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(videos, out, *OFF)
    (videos / "poor.mp4").unlink()
    run(videos, out, *OFF)
    before = entries_in(out)
    shutil.move(videos, videos.parent / "disk")
    assert run(videos, out, *OFF) == 2
    videos.mkdir()
    capsys.readouterr()
    assert run(videos, out, *OFF) == 0
    assert (
        "The folder holds no video, and the 4 that earlier runs found may only be out of reach"
        in results_in(out)["notices"][0]
    )
    assert "check that its disk or share is mounted." in " ".join(capsys.readouterr().out.split())
    assert (entries_in(out), gone_in(out)) == (before, ["poor.mp4"])


def test_a_video_is_looked_for_where_it_was_found_last(tmp_path: Path, out: Path) -> None:
    first = make_videos(tmp_path / "monday", "fine_1.mp4", "fine_2.mp4")
    second = make_videos(tmp_path / "tuesday", "fine_3.mp4")
    assert run(first, out, *OFF) == 0
    for _ in range(2):
        assert run(second, out, *OFF) == 0
        assert (list(entries_in(out)), gone_in(out)) == (["fine_1.mp4", "fine_2.mp4", "fine_3.mp4"], [])
    assert results_in(out)["total_videos"] == 3
    (first / "fine_1.mp4").unlink()
    assert run(second, out, *OFF) == 0
    assert gone_in(out) == ["fine_1.mp4"]
    # Nothing is left of the other folder, and then not even the folder.
    (first / "fine_2.mp4").rename(tmp_path / "kept.mp4")
    for there in (True, False):
        if not there:
            first.rmdir()
        assert run(second, out, *OFF) == 0
        assert (list(entries_in(out)), gone_in(out)) == (["fine_2.mp4", "fine_3.mp4"], ["fine_1.mp4"])
        told = f"{first} holds no video, and the one that an earlier run found may only be out of reach: check that "
        assert results_in(out)["notices"][0].startswith(told)
    assert videos_below(out).keys() == {f"good_quality/fine_{number}.mp4" for number in (1, 2, 3)}


def test_a_folder_with_a_new_name_is_the_same_input(tmp_path: Path, out: Path) -> None:
    first = make_videos(tmp_path / "one", "fine_1.mp4", "fine_2.mp4", "fine_3.mp4")
    assert run(first, out, *OFF) == 0
    (first / "fine_1.mp4").unlink()
    second = first.rename(tmp_path / "two")
    assert run(second, out, *OFF) == 0
    assert (gone_in(out), results_in(out)["this_run"]["scored"]) == (["fine_1.mp4"], 0)
    (second / "fine_2.mp4").unlink()
    assert run(second, out, *OFF) == 0
    assert gone_in(out) == ["fine_1.mp4", "fine_2.mp4"]


def test_lists_that_share_an_output_folder(tmp_path: Path, out: Path) -> None:
    first = make_videos(tmp_path / "a", "fine_1.mp4", "fine_2.mp4")
    second = make_videos(tmp_path / "b", "fine_3.mp4")
    assert listed(first / "list.txt", out, "fine_1.mp4", "fine_2.mp4") == 0
    assert listed(second / "list.txt", out, "fine_3.mp4") == 0
    assert (len(entries_in(out)), gone_in(out)) == (3, [])
    (first / "fine_1.mp4").unlink()
    assert listed(second / "list.txt", out, "fine_3.mp4") == 0
    assert gone_in(out) == ["fine_1.mp4"]
    # Without its folder nobody can tell of the other one.
    shutil.rmtree(first)
    assert listed(second / "list.txt", out, "fine_3.mp4") == 0
    assert (len(entries_in(out)), gone_in(out)) == (2, ["fine_1.mp4"])


def test_a_list_whose_files_are_all_out_of_reach(tmp_path: Path, out: Path) -> None:
    disk = make_videos(tmp_path / "disk", "fine_1.mp4", "fine_2.mp4")
    manifest = tmp_path / "list.txt"
    assert listed(manifest, out, disk / "fine_1.mp4", disk / "fine_2.mp4") == 0
    before = entries_in(out)
    shutil.rmtree(disk)
    assert listed(manifest, out, disk / "fine_1.mp4", disk / "fine_2.mp4") == 0
    assert (entries_in(out), gone_in(out)) == (before, [])
    assert results_in(out)["notices"][0].startswith("No video of the list is there, and the 2 that earlier runs found")


def test_a_list_of_what_passes_names_no_file_that_is_gone(videos: Path, out: Path) -> None:
    run(videos, out, *OFF, "--keep_all")
    assert passing_in(out) == ["fine.mp4", "other_fine.mp4"]
    # Since the last run, so that only a look can tell.
    (videos / "fine.mp4").unlink()
    assert passing_in(out) == ["other_fine.mp4"]

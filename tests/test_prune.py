"""``--prune``: a video that is gone leaves nothing behind, and nobody else's file goes with it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pytest
from folders import entries_in, files_below, gone_in, make_videos, results_in, run, videos_below

from syncnet import command
from syncnet.decisions.kept import read_kept
from syncnet.keepsake.embedded import embedded_path
from syncnet.keepsake.file import keepsake_path
from syncnet.looks.movie import open_movie
from syncnet.state import ledger

OFF = ("--score_cache", "off")
NAMES = ("faceless.mp4", "fine.mp4", "other_fine.mp4", "poor.mp4")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return make_videos(tmp_path / "in", *NAMES)


def told_anywhere(word: str, *folders: Path) -> list[str]:
    """Files whose names, or whose bytes, have the word in them."""
    paths = [path for folder in folders for path in folder.rglob("*")]
    return [str(path) for path in paths if word in path.name or (path.is_file() and word.encode() in path.read_bytes())]


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
def test_what_is_gone_is_removed_and_the_rest_stays(
    videos: Path, out: Path, mode: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cache, place = out.parent / "cache", ("--place", mode)
    decisions = out.parent / "decisions.jsonl"
    decisions.write_text('{"video": "fine.mp4", "decision": "reject"}\n{"video": "poor.mp4", "decision": "accept"}\n')
    assert run(videos, out, *place, "--score_cache", str(cache), "--decisions", str(decisions)) == 0
    keepsake = keepsake_path(out / ".sync_filter", "fine.mp4")
    keepsake.parent.mkdir(exist_ok=True)
    keepsake.write_bytes(b"pictures")
    embedded = embedded_path(out / ".sync_filter", "fine.mp4")
    embedded.parent.mkdir()
    embedded.write_bytes(b"lips and sound")
    preview, mine = out / "previews" / "fine.mp4.mp4", out / "previews" / "mine.mp4"
    with open_movie(preview, (16, 16), 25, np.zeros(0, np.int16), comment="sync_filter 1") as movie:
        movie.add(0, np.zeros((16, 16, 3), np.uint8))
    mine.write_bytes(b"1")
    (videos / "fine.mp4").unlink()
    capsys.readouterr()
    stored = len(files_below(cache))
    assert run(videos, out, *place, "--score_cache", str(cache), "--prune") == 0
    assert "All that was kept of 1 video that was gone is removed (fine.mp4)." in capsys.readouterr().out
    assert results_in(out)["this_run"]["pruned"] == 1
    assert told_anywhere("/fine.mp4", out) == told_anywhere('"fine.mp4', out) == []
    assert not keepsake.exists() and not embedded.exists() and not preview.exists() and mine.exists()
    mine.unlink()
    assert len(files_below(cache)) == stored - 1
    assert [entry.video for entry in read_kept(out / ".sync_filter").entries.values()] == ["poor.mp4"]
    good = {"good_quality/other_fine.mp4": b"other_fine.mp4", "good_quality/poor.mp4": b"poor.mp4"}
    for _ in range(2):
        assert videos_below(out) == good
        assert (sorted(entries_in(out)), gone_in(out)) == (["faceless.mp4", "other_fine.mp4", "poor.mp4"], [])
        assert run(videos, out, *place, "--score_cache", str(cache)) == 0
        assert results_in(out)["this_run"]["scored"] == results_in(out)["this_run"]["placed"] == 0


@pytest.mark.usefixtures("fake_scoring")
def test_a_video_that_was_renamed_before_is_removed_under_all_its_names(videos: Path, out: Path) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").rename(videos / "talk.mp4")
    # Another one has had the old name since, and stays.
    (videos / "fine.mp4").write_bytes(b"of the next day")
    assert run(videos, out, *OFF) == 0
    (videos / "talk.mp4").unlink()
    assert run(videos, out, *OFF, "--prune", "--rescan") == 0
    assert told_anywhere("talk.mp4", out) == []
    assert videos_below(out / "good_quality") == {"fine.mp4": b"of the next day", "other_fine.mp4": b"other_fine.mp4"}
    lines = (out / ".sync_filter" / "ledger.jsonl").read_text().splitlines()
    assert sum('"kind": "video"' in line and '"fine.mp4"' in line for line in lines) == 2, "one, and that of --rescan"


@pytest.mark.usefixtures("fake_scoring")
def test_no_file_of_anybody_else_is_removed(
    videos: Path, out: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(videos, out, *OFF) == 0
    good = out / "good_quality"
    # One copy was edited; beside it lies a file of the user's own; another video is only in the way.
    (good / "fine.mp4").write_bytes(b"cut by hand")
    (good / "notes.txt").write_text("mine")
    for name in ("fine.mp4", "other_fine.mp4"):
        (videos / name).unlink()
    assert run(videos, out, *OFF, "--prune") == 1
    error = f"{good / 'fine.mp4'} is no longer the file that was put there, and stays: remove it, then prune again"
    assert error in capsys.readouterr().err
    assert files_below(good) == ["fine.mp4", "notes.txt"]
    assert gone_in(out) == ["fine.mp4"]
    monkeypatch.chdir(out.parent)
    assert run(videos, Path("out"), *OFF, "--prune", "--cron", "--settle", "0") == 1
    assert capsys.readouterr().err.endswith(f" error: {error} (output folder {out})\n")
    (good / "fine.mp4").unlink()
    assert run(videos, out, *OFF, "--prune") == 0
    assert (files_below(good), gone_in(out)) == (["notes.txt"], [])


@pytest.mark.usefixtures("fake_scoring")
def test_nothing_is_removed_where_nobody_can_tell(videos: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(videos, out, *OFF) == 0
    before = videos_below(out)
    shutil.rmtree(videos)
    videos.mkdir()
    assert run(videos, out, *OFF, "--prune") == 2
    assert "--prune: The folder holds no video, and the 4 that earlier runs found may" in capsys.readouterr().err
    assert run(videos, out, *OFF, "--prune", "--keep_all") == 2
    assert videos_below(out) == before
    # Of another input, whose folder is there; the files that were moved are at home here.
    others = make_videos(out.parent / "others", "fine_2.mp4", "fine_3.mp4")
    assert run(others, out, *OFF, "--place", "move", "--prune") == 0
    assert run(make_videos(others, "fine_4.mp4"), out, *OFF, "--prune") == 0
    assert videos_below(out).keys() == before.keys() | {f"good_quality/fine_{number}.mp4" for number in (2, 3, 4)}


@pytest.mark.parametrize("again", [True, False])
def test_a_kill_while_pruning_leaves_it_to_the_next_run(
    videos: Path, out: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(ledger, "NewFile", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        assert run(videos, out, *OFF, "--prune") == 130
    assert "fine.mp4" not in files_below(out / "good_quality")
    assert told_anywhere('"fine.mp4"', out / ".sync_filter")
    if again:
        assert run(videos, out, *OFF) == 0
        assert (gone_in(out), len(entries_in(out))) == (["fine.mp4"], 3)
    assert run(videos, out, *OFF, "--prune") == 0
    assert (told_anywhere('"fine.mp4"', out), gone_in(out), len(entries_in(out))) == ([], [], 3)


def test_a_kill_after_the_records_are_removed_leaves_no_name_behind(
    videos: Path, out: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").rename(out.parent / "fine.mp4")
    erase = ledger.Ledger.erase

    def erase_and_end(self: ledger.Ledger, paths: Collection[str]) -> None:
        erase(self, paths)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ledger.Ledger, "erase", erase_and_end)
        assert run(videos, out, *OFF, "--prune") == 130
    assert run(videos, out, *OFF, "--prune") == 0
    assert (out / ".sync_filter" / "passed.jsonl").read_text() == '"other_fine.mp4"\n'
    # It passes anew.
    (out.parent / "fine.mp4").rename(videos / "fine.mp4")
    assert run(videos, out, *OFF) == 0
    assert (out / "new_passing.txt").read_text() == f"{videos / 'fine.mp4'}\n"


@pytest.mark.usefixtures("fake_scoring")
def test_who_asked_of_one_video_is_told_what_was_removed_of_others(
    videos: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "poor.mp4").unlink()
    capsys.readouterr()
    assert command.main([str(videos / "fine.mp4"), "--output_dir", str(out), *OFF, "--prune"]) == 0
    answer = capsys.readouterr().out.splitlines()
    assert (answer[0], answer[3]) == (
        "fine.mp4: passes",
        "All that was kept of 1 video that was gone is removed (poor.mp4).",
    )


@pytest.mark.slow
def test_nothing_of_real_clips_stays(tmp_path: Path, repository: Path, out: Path) -> None:
    videos, cache = tmp_path / "in", tmp_path / "cache"
    videos.mkdir()
    for name in ("in_sync", "sound_8_frames_late", "no_face"):
        # Under this name no browser plays it, so that it gets a preview.
        ending = "avi" if name == "in_sync" else "mp4"
        shutil.copy(repository / "samples" / f"{name}.mp4", videos / f"person_{name}.{ending}")
    everything = (
        "--visualize",
        "all",
        "--previews",
        "--save_outputs",
        "--cut",
        "passing",
        "--repair",
        "--table",
        "parquet",
    )
    assert run(videos, out, "--score_cache", str(cache), *everything) in (0, 1)
    assert command.main(["export", "--output_dir", str(out), "--format", "webvtt"]) == 0
    assert command.main(["export", "--output_dir", str(out), "--format", "jsonl"]) == 0
    folders = "visualized", "previews", "syncnet_outputs", "segments", "repaired", "export/webvtt", "good_quality"
    assert all(any((out / folder).iterdir()) for folder in folders)
    os.rename(videos / "person_no_face.mp4", videos / "somebody_else.mp4")
    for path in videos.glob("person_*"):
        path.unlink()
    assert run(videos, out, "--score_cache", str(cache), "--prune", "--report", "off") == 0
    assert told_anywhere("person_", out) == []
    # Of the one that stays: its score, and its pictures.
    assert len(files_below(cache)) == 2
    assert list(entries_in(out)) == ["somebody_else.mp4"]
    assert [path.name for path in (out / ".sync_filter" / "keepsakes").iterdir()] in (
        [], [keepsake_path(out / ".sync_filter", "somebody_else.mp4").name],
    )  # fmt: skip

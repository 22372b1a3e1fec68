"""Videos that were renamed in the input: known by their content, scored once, with one copy, whatever is killed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from folders import entries_in, gone_in, make_videos, results_in, run, videos_below

from syncnet import command
from syncnet.decisions.kept import read_kept
from syncnet.inputs.discovery import VideoFile
from syncnet.inputs.origin import file_mark
from syncnet.keepsake.file import keepsake_path
from syncnet.run import renaming
from syncnet.system import patience
from syncnet.system.interruption import StopFlag

OFF = ("--score_cache", "off")
NAMES = ("faceless.mp4", "fine.mp4", "poor.mp4")

pytestmark = pytest.mark.usefixtures("fake_scoring")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return make_videos(tmp_path / "in", *NAMES)


def recorded(out: Path) -> list[str]:
    """Names under which videos were scored."""
    lines = map(json.loads, (out / ".sync_filter" / "ledger.jsonl").read_text().splitlines())
    return [line["path"] for line in lines if line["kind"] == "video" and not line["renamed_from"]]


@pytest.mark.parametrize("mode", ["copy", "hardlink", "symlink"])
def test_a_renamed_video_takes_its_record_and_its_copy_along(videos: Path, out: Path, mode: str) -> None:
    place = (*OFF, "--place", mode)
    assert run(videos, out, *place) == 0
    number = os.lstat(out / "good_quality" / "fine.mp4").st_ino
    (videos / "fine.mp4").rename(videos / "talk.mp4")
    for _ in range(2):
        assert run(videos, out, *place) == 0
        assert videos_below(out) == {"good_quality/talk.mp4": b"fine.mp4", "poor_quality/poor.mp4": b"poor.mp4"}
        assert (sorted(entries_in(out)), gone_in(out)) == (["faceless.mp4", "poor.mp4", "talk.mp4"], [])
        assert entries_in(out)["talk.mp4"]["video_path"] == str(videos / "talk.mp4")
        assert results_in(out)["this_run"]["scored"] == 0
    assert sorted(recorded(out)) == sorted(NAMES)
    if mode != "symlink":
        assert os.lstat(out / "good_quality" / "talk.mp4").st_ino == number, "moved, not copied again"
    assert command.main(["rejudge", "--output_dir", str(out), "--passing", str(out / "passing.txt")]) == 0
    assert (out / "passing.txt").read_text() == "talk.mp4\n"


def test_a_folder_with_a_new_name_and_a_copy_with_a_new_time(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "monday/fine_1.mp4", "monday/fine_2.mp4")
    assert run(videos, out, *OFF, "--recursive") == 0
    (videos / "monday").rename(videos / "tuesday")
    shutil.copyfile(videos / "tuesday" / "fine_2.mp4", videos / "fine_2.mp4")
    os.utime(videos / "fine_2.mp4", (1e9, 1e9))
    (videos / "tuesday" / "fine_2.mp4").unlink()
    assert run(videos, out, *OFF, "--recursive") == 0
    assert videos_below(out) == {
        "good_quality/fine_2.mp4": b"monday/fine_2.mp4",
        "good_quality/tuesday/fine_1.mp4": b"monday/fine_1.mp4",
    }
    assert (out / "good_quality" / "fine_2.mp4").stat().st_mtime == 1e9
    assert not (out / "good_quality" / "monday").exists()
    assert (gone_in(out), results_in(out)["this_run"]["scored"]) == ([], 0)


def test_what_is_no_rename(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine_1.mp4", "fine_2.mp4")
    assert run(videos, out, *OFF) == 0
    # A copy of one that stays, and one of the same size as one that goes.
    shutil.copy2(videos / "fine_1.mp4", videos / "fine_3.mp4")
    (videos / "fine_2.mp4").unlink()
    (videos / "fine_4.mp4").write_bytes(b"fine_4.mp4")
    assert run(videos, out, *OFF) == 0
    assert sorted(recorded(out)) == ["fine_1.mp4", "fine_2.mp4", "fine_3.mp4", "fine_4.mp4"]
    assert gone_in(out) == ["fine_2.mp4"]
    assert len(videos_below(out)) == 4


def test_another_video_that_takes_the_old_name_has_it_for_itself(videos: Path, out: Path) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").rename(videos / "talk_fine.mp4")
    (videos / "fine.mp4").write_bytes(b"of the next day")
    assert run(videos, out, *OFF) == 0
    assert videos_below(out / "good_quality") == {"fine.mp4": b"of the next day", "talk_fine.mp4": b"fine.mp4"}
    assert results_in(out)["this_run"]["scored"] == 1


def test_two_videos_that_change_names(tmp_path: Path, out: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine_1.mp4", "fine_2.mp4")
    assert run(videos, out, *OFF) == 0
    (videos / "fine_1.mp4").rename(videos / "aside")
    (videos / "fine_2.mp4").rename(videos / "fine_1.mp4")
    (videos / "aside").rename(videos / "fine_2.mp4")
    for _ in range(2):
        assert run(videos, out, *OFF) == 0
        told = {entry["video_path"]: Path(entry["placed_path"]).read_bytes() for entry in entries_in(out).values()}
        assert told == {str(videos / "fine_1.mp4"): b"fine_2.mp4", str(videos / "fine_2.mp4"): b"fine_1.mp4"}
        assert (len(videos_below(out)), gone_in(out), results_in(out)["this_run"]["scored"]) == (2, [], 0)


def test_what_a_person_decided_and_what_is_kept_for_looking_at_follow(videos: Path, out: Path) -> None:
    decisions = out.parent / "decisions.jsonl"
    decisions.write_text('{"video": "poor.mp4", "decision": "accept", "note": "by ear"}\n')
    assert run(videos, out, *OFF, "--decisions", str(decisions)) == 0
    keepsake = keepsake_path(out / ".sync_filter", "poor.mp4")
    keepsake.parent.mkdir(exist_ok=True)
    keepsake.write_bytes(b"pictures")
    (videos / "poor.mp4").rename(videos / "talk.mp4")
    os.utime(videos / "talk.mp4", (1e9, 1e9))
    assert run(videos, out, *OFF) == 0
    assert keepsake_path(out / ".sync_filter", "talk.mp4").read_bytes() == b"pictures"
    assert not keepsake.exists()
    (entry,) = read_kept(out / ".sync_filter").entries.values()
    assert (entry.video, entry.note) == ("talk.mp4", "by ear")
    assert "good_quality/talk.mp4" in videos_below(out)


def test_without_placing_the_copy_follows_in_a_later_run(videos: Path, out: Path) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").rename(videos / "talk.mp4")
    assert run(videos, out, *OFF, "--keep_all") == 0
    assert "good_quality/fine.mp4" in videos_below(out)
    (videos / "talk.mp4").rename(videos / "speech.mp4")
    assert run(videos, out, *OFF) == 0
    assert videos_below(out) == {"good_quality/speech.mp4": b"fine.mp4", "poor_quality/poor.mp4": b"poor.mp4"}
    assert sorted(recorded(out)) == sorted(NAMES)


def killed_at(step: int, videos: Path, out: Path) -> bool:
    """Runs the command in a process that dies at this change to the file system, counted from the first rename on.

    Whether it came so far.
    """
    child = os.fork()
    if child == 0:
        # Threads do not live on in it.
        patience._own.companion = None
        signal.alarm(60)
        count = 0

        def deadly(work: Callable[..., Any]) -> Callable[..., Any]:
            def counted(*args: Any, **kwargs: Any) -> Any:
                nonlocal count
                count += 1
                if count == step:
                    os._exit(9)
                return work(*args, **kwargs)

            return counted

        def armed(*args: Any, **kwargs: Any) -> Any:
            for name in ("pwrite", "link", "rename", "replace", "unlink", "rmdir", "mkdir"):
                setattr(os, name, deadly(getattr(os, name)))
            return take_up(*args, **kwargs)

        take_up, renaming.take_up_changes = renaming.take_up_changes, armed
        os._exit(run(videos, out, *OFF))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, 9)
    return code == 9


def test_a_kill_at_any_moment_loses_nothing_and_leaves_nothing_twice(tmp_path: Path) -> None:
    for step in range(1, 1000):
        videos, out = make_videos(tmp_path / f"in_{step}", "fine.mp4", "sub.mp4"), tmp_path / f"out_{step}"
        assert run(videos, out, *OFF) == 0
        keepsake = keepsake_path(out / ".sync_filter", "fine.mp4")
        keepsake.parent.mkdir(exist_ok=True)
        keepsake.write_bytes(b"pictures")
        (videos / "fine.mp4").rename(videos / "talk.mp4")
        was_killed = killed_at(step, videos, out)
        assert run(videos, out, *OFF) == 0
        assert videos_below(out) == {"good_quality/talk.mp4": b"fine.mp4", "good_quality/sub.mp4": b"sub.mp4"}
        assert (sorted(entries_in(out)), gone_in(out)) == (["sub.mp4", "talk.mp4"], [])
        assert sorted(recorded(out)) == ["fine.mp4", "sub.mp4"]
        assert keepsake_path(out / ".sync_filter", "talk.mp4").read_bytes() == b"pictures"
        if not was_killed:
            break
    # The record, the pictures, the copy under its new name and no longer under the old one, and the note of that.
    assert step > 5


def test_parts_in_which_videos_were_renamed_are_merged(tmp_path: Path, out: Path) -> None:
    first, second = make_videos(tmp_path / "a", "fine_1.mp4", "fine_2.mp4"), make_videos(tmp_path / "b", "fine_1.mp4")
    parts = [out / "first", out / "second"]
    assert run(first, parts[0], *OFF) == 0
    (first / "fine_1.mp4").rename(first / "talk.mp4")
    assert run(first, parts[0], *OFF) == 0
    assert run(second, parts[1], *OFF) == 0
    merged = tmp_path / "merged"
    assert command.main(["merge", str(parts[1]), str(parts[0]), "--output_dir", str(merged)]) == 0
    assert sorted(entries_in(merged)) == ["fine_1.mp4", "fine_2.mp4", "talk.mp4"]
    assert command.main(["rejudge", "--output_dir", str(merged), "--verdicts", str(tmp_path / "v.jsonl")]) == 0
    verdicts = [json.loads(line)["path"] for line in (tmp_path / "v.jsonl").read_text().splitlines()]
    assert verdicts == ["fine_1.mp4", "fine_2.mp4", "talk.mp4"]
    assert run(first, merged, *OFF) == 0
    assert results_in(merged)["this_run"]["scored"] == 0


def test_what_cannot_follow_yet_follows_later(videos: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").rename(videos / "talk.mp4")

    def refuse(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(renaming, "move_file", refuse)
        assert run(videos, out, *OFF) == 0
        assert (sorted(entries_in(out)), gone_in(out)) == (["faceless.mp4", "poor.mp4", "talk.mp4"], [])
    assert run(videos, out, *OFF) == 0
    assert videos_below(out) == {"good_quality/talk.mp4": b"fine.mp4", "poor_quality/poor.mp4": b"poor.mp4"}
    assert sorted(recorded(out)) == sorted(NAMES)


@pytest.mark.parametrize("births", [True, False])
def test_the_very_file_is_known_without_being_read(
    videos: Path, out: Path, monkeypatch: pytest.MonkeyPatch, births: bool
) -> None:
    """``births``: whether the file system keeps the time of birth of a file, if this one does."""
    if not births:
        monkeypatch.setattr("syncnet.inputs.origin._born_by_statx", lambda _: "")
        monkeypatch.setattr("syncnet.inputs.origin._born_by_stat", lambda _: "")
    assert run(videos, out, *OFF) == 0
    (videos / "fine.mp4").rename(videos / "talk.mp4")
    read: list[Path] = []
    hash_video = renaming.hash_video

    def noted(video: VideoFile, stop: StopFlag) -> str:
        read.append(video.path)
        return hash_video(video, stop)

    monkeypatch.setattr(renaming, "hash_video", noted)
    assert run(videos, out, *OFF) == 0
    # Where it keeps none, the content tells.
    assert read == ([] if file_mark(videos / "talk.mp4") else [videos / "talk.mp4"])
    assert (gone_in(out), results_in(out)["this_run"]["scored"]) == ([], 0)

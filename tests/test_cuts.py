"""The folder of cut clips: what is cut again, what goes, and what happens where something is wrong."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from cut_fakes import THRESHOLDS, cut, decode, make_job, scored, segment
from fakes import failed, make_run

from syncnet import command
from syncnet.inputs.discovery import FileIdentity
from syncnet.looks.movie import Movie
from syncnet.overtime.judging import judge_over_time
from syncnet.report.results import build_results
from syncnet.results import VideoResult
from syncnet.settings import OverTimeSettings, Thresholds
from syncnet.state.ledger import open_ledger
from syncnet.state.records import VideoRecord
from syncnet.system.interruption import StopFlag
from syncnet.takeaway.making import Cuts
from synthetic.media import Clip, read_frame_number, write_clip

FIRST, SECOND = segment(0.4, 1.4, 1), segment(2.0, 3.0, 0, confidence=6.0)
NO_VIDEO = "this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, mxf, dv, ogv)"
POOR = segment(1.4, 2.0, confidence=3.0)


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", Clip(seconds=4))


def files_of(out: Path) -> list[str]:
    return sorted(str(path.relative_to(out)) for path in (out / "segments").rglob("*") if path.is_file())


def lines_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "segments" / "manifest.jsonl").read_text().splitlines()]


def told(cuts: Cuts) -> tuple[int, int, int]:
    return cuts.there, cuts.cut_now, cuts.removed


def test_what_is_there_is_not_cut_again_and_what_no_longer_passes_goes(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST, POOR, SECOND)
    assert told(cut(make_job(out, result), result)) == (2, 2, 0)
    assert files_of(out) == [
        "segments/in.mp4/0.40-1.40.mp4", "segments/in.mp4/2.00-3.00.mp4", "segments/manifest.jsonl",
    ]  # fmt: skip
    inode = (out / "segments/in.mp4/0.40-1.40.mp4").stat().st_ino
    stricter = scored(video, FIRST, POOR, SECOND, thresholds=Thresholds(6.5))
    assert told(cut(make_job(out, stricter), stricter)) == (1, 0, 1)
    assert files_of(out) == ["segments/in.mp4/0.40-1.40.mp4", "segments/manifest.jsonl"]
    assert [line["file"] for line in lines_of(out)] == ["in.mp4/0.40-1.40.mp4"]
    laxer = scored(video, FIRST, POOR, SECOND, thresholds=Thresholds(2.0))
    assert told(cut(make_job(out, laxer), laxer)) == (3, 2, 0)
    assert (out / "segments/in.mp4/0.40-1.40.mp4").stat().st_ino == inode
    nothing = scored(video, thresholds=THRESHOLDS)
    assert told(cut(make_job(out, nothing), nothing)) == (0, 0, 3)
    assert files_of(out) == ["segments/manifest.jsonl"]
    assert list((out / "segments").iterdir()) == [out / "segments" / "manifest.jsonl"]


def test_another_way_of_cutting_cuts_again(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST)
    assert told(cut(make_job(out, result, face_px=64), result)) == (2, 2, 0)
    assert told(cut(make_job(out, result), result)) == (1, 0, 1)
    assert told(cut(make_job(out, result, without_offset=True), result)) == (1, 1, 0)
    assert [line["sound_delayed_ms"] for line in lines_of(out)] == [40.0]
    assert told(cut(make_job(out, result, without_offset=True, copy=True), result)) == (1, 1, 0)
    assert told(cut(make_job(out, result, without_offset=True, copy=True), result)) == (1, 0, 0)


def test_all_cuts_what_does_not_pass_too_and_faces_where_there_are_some(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    unseen = segment(3.0, 3.6, kind="off_screen", track=None, box=None, offset_frames=None, confidence=None,
                     evidence="none")  # fmt: skip
    result = scored(video, FIRST, POOR, unseen)
    cuts = cut(make_job(out, result, cut="all", face_px=64, without_offset=True), result)
    assert (told(cuts), cuts.problems) == ((5, 5, 0), [])
    keys = "kind", "passes", "face_file", "sound_delayed_ms"
    assert [tuple(line[key] for key in keys) for line in lines_of(out)] == [
        ("speech", True, "in.mp4/0.40-1.40_face.mp4", 40.0),
        ("speech", False, "in.mp4/1.40-2.00_face.mp4", 0.0),
        ("off_screen", False, None, 0.0),
    ]


def test_a_line_has_what_a_training_set_needs(tmp_path: Path, video: Path) -> None:
    result = scored(video, segment(0.4, 1.4, 1, 41.26))
    cut(make_job(tmp_path / "out", result), result)
    (line,) = lines_of(tmp_path / "out")
    wanted = {
        "file": "in.mp4/0.40-1.40.mp4", "face_file": None, "video_path": str(video), "relative_path": "in.mp4",
        "from": 0.4, "to": 1.4, "cut_from": 0.4, "cut_to": 1.4, "frames": 25, "fps": 25.0, "width": 160, "height": 120,
        "sample_rate": 48000, "channels": 1, "offset": 1, "offset_ms": 40, "offset_fine_ms": 41.3, "confidence": 7.123,
        "evidence": "strong", "box": [10, 21, 110, 141], "track": 0, "kind": "speech", "passes": True, "how": "exact",
        "sound_delayed_ms": 0.0,
    }  # fmt: skip
    assert {key: line[key] for key in wanted} == wanted
    assert line["sha256"] == hashlib.sha256(video.read_bytes()).hexdigest()


def test_two_faces_at_the_same_time_have_a_clip_each(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST, segment(0.4, 1.4, -2))
    assert told(cut(make_job(out, result, without_offset=True), result)) == (2, 2, 0)
    assert [(line["file"], line["sound_delayed_ms"]) for line in lines_of(out)] == [
        ("in.mp4/0.40-1.40.mp4", 40.0), ("in.mp4/0.40-1.40~2.mp4", -80.0),
    ]  # fmt: skip


def problems(cuts: Cuts) -> str:
    return "\n".join(f"{clip}: {problem}" for clip, problem in cuts.problems)


def test_two_segments_of_one_name_are_told_and_the_first_is_cut(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    first, second = scored(video, FIRST), scored(video, FIRST, SECOND)
    cuts = cut(make_job(out, first, second), first, second)
    assert problems(cuts) == (
        f"in.mp4: 0.40-1.40.mp4: another segment has the name {out}/segments/in.mp4/0.40-1.40.mp4 -> rename its video"
    )
    assert files_of(out)[:2] == ["segments/in.mp4/0.40-1.40.mp4", "segments/in.mp4/2.00-3.00.mp4"]


def test_of_videos_that_are_gone_changed_or_unreadable_it_is_told_and_the_others_go_on(
    tmp_path: Path, video: Path
) -> None:
    out = tmp_path / "out"
    results = [video_named(tmp_path, video, name) for name in ("changed.mp4", "gone.mp4", "good.mp4", "locked.mp4")]
    changed, gone, _, locked = results
    job = make_job(out, *results)
    gone.path.unlink()
    changed.path.write_bytes(video.read_bytes() + b"more")
    # As a disk gives it back that lost some of it: of the same size and time.
    before = locked.path.stat()
    locked.path.write_bytes(bytes(before.st_size))
    os.utime(locked.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    cuts = cut(job, *results)
    again = "run the filter on its folder again"
    assert problems(cuts).splitlines() == [
        f"changed.mp4: {changed.path} has changed since it was scored -> {again}",
        f"gone.mp4: {gone.path} is gone -> put it back, or {again}",
        f"locked.mp4: {NO_VIDEO} -> remove it, or convert it to mp4",
    ]
    assert files_of(out) == ["segments/good.mp4/0.40-1.40.mp4", "segments/manifest.jsonl"]


def video_named(tmp_path: Path, video: Path, name: str) -> VideoResult:
    path = tmp_path / name
    path.write_bytes(video.read_bytes())
    return scored(path, FIRST)


def test_a_video_that_was_moved_is_cut_where_it_is_now(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = dataclasses.replace(scored(video, FIRST), placed_in=out / "good_quality")
    job = make_job(out, result)
    (out / "good_quality").mkdir()
    os.rename(video, out / "good_quality" / "in.mp4")
    assert told(cut(job, result)) == (1, 1, 0)


def test_clips_of_a_video_that_is_gone_stay(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST, SECOND)
    job = make_job(out, result)
    cut(job, result)
    video.unlink()
    gone = dataclasses.replace(scored_again(result, Thresholds(6.5)), missing=True)
    cuts = cut(job, gone)
    assert (told(cuts), cuts.kept, cuts.problems) == ((1, 0, 0), 1, [])
    assert files_of(out)[:2] == ["segments/in.mp4/0.40-1.40.mp4", "segments/in.mp4/2.00-3.00.mp4"]
    assert [line["file"] for line in lines_of(out)] == ["in.mp4/0.40-1.40.mp4"]


def test_clips_of_a_video_that_fails_now_stay(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST)
    job = make_job(out, result)
    cut(job, result)
    cuts = cut(job, dataclasses.replace(failed("in.mp4"), path=video))
    assert (told(cuts), cuts.problems) == ((0, 0, 0), [])
    assert [line["file"] for line in lines_of(out)] == ["in.mp4/0.40-1.40.mp4"]
    assert (out / "segments/in.mp4/0.40-1.40.mp4").is_file()


def test_export_cuts_what_the_last_run_stored(tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST, POOR, SECOND)
    make_job(out, result)
    with open_ledger(out / ".sync_filter" / "ledger.jsonl") as ledger:
        ledger.add(VideoRecord("in.mp4", FileIdentity.of(video.stat()), "any", None, 1.0))
    (out / "sync_filter_results.json").write_text(json.dumps(build_results(make_run([result]))))
    words = ["export", "--output_dir", str(out), "--cut", "passing"]
    assert command.main([*words, "--cut_offset"]) == 0
    assert capsys.readouterr().out == f"Cut clips: {out}/segments (2 of 1 video, 2 cut now)\n"
    assert [line["sound_delayed_ms"] for line in lines_of(out)] == [40.0, 0.0]
    os.utime(video, ns=(0, 0))
    # What is there needs no video.
    assert command.main([*words, "--cut_offset", "--format", "jsonl"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"2 segments of 1 videos: {out}/export/segments.jsonl",
        f"Cut clips: {out}/segments (2 of 1 video, 0 cut now)",
    ]
    assert command.main(words) == 1
    assert f"in.mp4: not cut: {video} has changed since it was scored" in capsys.readouterr().err


def test_export_refuses_what_it_cannot_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, words in (
        ([], "nothing is asked for: give --format, or --cut passing"),
        (["--format", "csv", "--cut_face", "64"], "--cut_face says how clips are cut, and none are"),
        (["--cut", "all", "--max_workers", "0"], "--max_workers 0: give a whole number of 1 or more"),
    ):
        assert command.main(["export", "--output_dir", str(tmp_path), *flags]) == 2
        assert words in capsys.readouterr().err


def scored_again(result: VideoResult, thresholds: Thresholds) -> VideoResult:
    assert result.over_time is not None
    settings = OverTimeSettings(min_segment_seconds=0)
    return dataclasses.replace(result, over_time=judge_over_time(result.over_time.over_time, thresholds, settings))


def test_clips_and_lines_of_videos_that_this_run_did_not_see_stay(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    one, other = video_named(tmp_path, video, "a.mp4"), video_named(tmp_path, video, "b.mp4")
    cut(make_job(out, one, other), one, other)
    assert told(cut(make_job(out, other), other)) == (1, 0, 0)
    assert [line["file"] for line in lines_of(out)] == ["a.mp4/0.40-1.40.mp4", "b.mp4/0.40-1.40.mp4"]


def test_a_file_of_somebody_else_is_never_touched(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    (out / "segments" / "in.mp4").mkdir(parents=True)
    mine, other = out / "segments/in.mp4/0.40-1.40.mp4", out / "segments/in.mp4/notes.mp4"
    mine.write_text("mine")
    other.write_text("mine too")
    result = scored(video, FIRST, SECOND)
    cuts = cut(make_job(out, result), result)
    assert problems(cuts) == f"in.mp4: 0.40-1.40.mp4: {mine} was not cut by this tool -> move it away, then run again"
    assert (mine.read_text(), other.read_text()) == ("mine", "mine too")
    assert [line["file"] for line in lines_of(out)] == ["in.mp4/2.00-3.00.mp4"]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST, SECOND)
    finish = Movie.finish

    def full(movie: Movie) -> None:
        if "0.40" in str(movie._file._path):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        finish(movie)

    monkeypatch.setattr(Movie, "finish", full)
    cuts = cut(make_job(out, result), result)
    assert problems(cuts) == (
        f"in.mp4: 0.40-1.40.mp4: cannot write {out}/segments/in.mp4/0.40-1.40.mp4: No space left on device -> free "
        "some space on the output disk, then run again"
    )
    assert files_of(out) == ["segments/in.mp4/2.00-3.00.mp4", "segments/manifest.jsonl"]
    monkeypatch.undo()
    assert told(cut(make_job(out, result), result)) == (2, 1, 0)


def test_without_boxes_only_the_face_clip_is_missing(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST)
    job = make_job(out, result, face_px=64)
    for keepsake in (out / ".sync_filter" / "keepsakes").iterdir():
        keepsake.unlink()
    cuts = cut(job, result)
    assert problems(cuts) == (
        "in.mp4: 0.40-1.40_face.mp4: the boxes of its faces were not kept when it was scored -> score it with --rescan"
    )
    assert [(line["file"], line["face_file"]) for line in lines_of(out)] == [("in.mp4/0.40-1.40.mp4", None)]


def test_a_stop_keeps_what_is_finished_and_the_next_run_goes_on(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST, SECOND)

    class Stops(StopFlag):
        """Stops when the second clip has begun."""

        def check(self) -> None:
            if (out / "segments/in.mp4/0.40-1.40.mp4").exists():
                self.stop()
            super().check()

    job = make_job(out, result)
    cuts = cut(job, result, stop=Stops())
    assert (cuts.interrupted, cuts.problems) == (True, [])
    assert files_of(out) == ["segments/in.mp4/0.40-1.40.mp4", "segments/manifest.jsonl"]
    assert told(cut(job, result)) == (2, 1, 0)
    assert [read_frame_number(frame) for frame in decode(out / "segments/in.mp4/2.00-3.00.mp4").frames][:2] == [50, 51]


def test_what_mp4_cannot_hold_is_told_where_nothing_is_encoded(tmp_path: Path) -> None:
    out = tmp_path / "out"
    path = write_clip(tmp_path / "in.avi", Clip(seconds=4, video_codec="wmv2", audio_codec="mp3"))
    result = scored(path, FIRST)
    cuts = cut(make_job(out, result, copy=True), result)
    assert problems(cuts) == (
        "in.avi: 0.40-1.40.mp4: MP4 does not take its streams as they are (wmv2, mp3) -> leave out --cut_copy"
    )
    assert files_of(out) == ["segments/manifest.jsonl"]
    assert told(cut(make_job(out, result), result)) == (1, 1, 0)

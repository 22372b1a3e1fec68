"""The folder of cut clips: what is cut again, what goes, and what its lines say."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path

import pytest
from cut_fakes import (
    FIRST,
    POOR,
    SECOND,
    THRESHOLDS,
    cut,
    files_of,
    lines_of,
    make_job,
    scored,
    segment,
    told,
    video_named,
)
from fakes import failed, make_run

from syncnet import command
from syncnet.inputs.discovery import FileIdentity
from syncnet.overtime.judging import judge_over_time
from syncnet.report.results import build_results
from syncnet.results import VideoResult
from syncnet.settings import OverTimeSettings, Thresholds
from syncnet.state.ledger import open_ledger
from syncnet.state.records import VideoRecord
from synthetic.media import Clip, write_clip

NO_VIDEO = "this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, mxf, dv, ogv)"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", Clip(seconds=4))


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


def test_a_persons_word_decides_what_is_cut(tmp_path: Path, fake_scoring: None) -> None:
    videos, out, decisions = tmp_path / "in", tmp_path / "out", tmp_path / "decisions.jsonl"
    videos.mkdir()
    write_clip(videos / "talk.mp4", Clip(seconds=5))
    words = ["--input_dir", str(videos), "--output_dir", str(out), "--keep_all", "--cut", "passing", "--quiet"]
    for word, clips in (("none", 1), ("reject", 0), ("accept", 1)):
        about = {"video": "talk.mp4", "decision": word, "from": 0.5, "to": 4.5}
        decisions.write_text(json.dumps(about))
        assert command.main([*words, "--score_cache", "off", "--decisions", str(decisions)]) == 0
        assert [line["file"] for line in lines_of(out)] == ["talk.mp4/1.00-4.00.mp4"] * clips
        assert len(files_of(out)) == 1 + clips
    assert [line["decision"] for line in lines_of(out)] == ["accept"]

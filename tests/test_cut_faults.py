"""Cut clips where something is wrong: it is told of each, the others go on, and nothing half-written stays."""

from __future__ import annotations

import errno
import os
import resource
from dataclasses import replace
from pathlib import Path

import pytest
from cut_fakes import (
    FIRST,
    SECOND,
    cut,
    decode,
    files_of,
    lines_of,
    make_job,
    problems,
    scored,
    told,
    video_named,
)

from syncnet import command
from syncnet.looks.movie import Movie
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, read_frame_number, write_clip

NOT_CUT = "in.mp4: 0.40-1.40.mp4: not cut"
NO_VIDEO = "this is not a video file of a known kind (mp4, mov, mkv, webm, avi, ts, mpg, flv, wmv, mxf, dv, ogv)"


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "in.mp4", Clip(seconds=4))


def test_two_segments_of_one_name_are_told_and_the_first_is_cut(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    first, second = scored(video, FIRST), scored(video, FIRST, SECOND)
    cuts = cut(make_job(out, first, second), first, second)
    assert problems(cuts) == (
        f"{NOT_CUT}: another segment has the name {out}/segments/in.mp4/0.40-1.40.mp4 -> rename its video"
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
        f"changed.mp4: not cut: {changed.path} has changed since it was scored -> {again}",
        f"gone.mp4: not cut: {gone.path} is gone -> put it back, or {again}",
        f"locked.mp4: not cut: {NO_VIDEO} -> remove it, or convert it to mp4",
    ]
    assert files_of(out) == ["segments/good.mp4/0.40-1.40.mp4", "segments/manifest.jsonl"]


def test_export_refuses_what_it_cannot_mean(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for flags, words in (
        ([], "nothing is asked for: give --format, or --cut passing"),
        (["--format", "csv", "--cut_face", "64"], "--cut_face says how clips are cut, and none are"),
        (["--cut", "all", "--max_workers", "0"], "--max_workers 0: give a whole number of 1 or more"),
    ):
        assert command.main(["export", "--output_dir", str(tmp_path), *flags]) == 2
        assert words in capsys.readouterr().err


def test_a_file_of_somebody_else_is_never_touched(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    (out / "segments" / "in.mp4").mkdir(parents=True)
    mine, other = out / "segments/in.mp4/0.40-1.40.mp4", out / "segments/in.mp4/notes.mp4"
    mine.write_text("mine")
    other.write_text("mine too")
    result = scored(video, FIRST, SECOND)
    cuts = cut(make_job(out, result), result)
    assert problems(cuts) == f"{NOT_CUT}: {mine} was not cut by this tool -> move it away, then run again"
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
        f"{NOT_CUT}: cannot write {out}/segments/in.mp4/0.40-1.40.mp4: No space left on device -> free "
        "some space on the output disk, then run again"
    )
    assert files_of(out) == ["segments/in.mp4/2.00-3.00.mp4", "segments/manifest.jsonl"]
    monkeypatch.undo()
    assert told(cut(make_job(out, result), result)) == (2, 1, 0)


@pytest.mark.parametrize("how", [{}, {"copy": True}])
def test_what_the_system_refuses_to_write_is_told_of_the_clip_and_not_of_its_video(
    tmp_path: Path, video: Path, how: dict[str, bool]
) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST)
    job = make_job(out, result, **how)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # More than the manifest, less than a clip.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        cuts = cut(job, result)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert problems(cuts) == (
        f"{NOT_CUT}: cannot write {out}/segments/in.mp4/0.40-1.40.mp4: File too large -> check "
        "that the output folder can be written to, then run again"
    )
    assert files_of(out) == ["segments/manifest.jsonl"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST)
    job = make_job(out, result)
    (out / "segments").symlink_to(tmp_path / "nowhere" / "at all")
    assert problems(cut(job, result)).startswith(f"{out}/segments: cannot write {out}/segments: File exists -> ")


def test_without_boxes_only_the_face_clip_is_missing(tmp_path: Path, video: Path) -> None:
    out = tmp_path / "out"
    result = scored(video, FIRST)
    job = make_job(out, result, face_px=64)
    for keepsake in (out / ".sync_filter" / "keepsakes").iterdir():
        keepsake.unlink()
    cuts = cut(job, result)
    assert problems(cuts) == (
        "in.mp4: 0.40-1.40_face.mp4: not cut: the boxes of its faces were not kept when it was scored -> score it with "
        "--rescan"
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
        "in.avi: 0.40-1.40.mp4: not cut: MP4 does not take its streams as they are (wmv2, mp3) -> leave out --cut_copy"
    )
    assert files_of(out) == ["segments/manifest.jsonl"]
    assert told(cut(make_job(out, result), result)) == (1, 1, 0)


def test_ranges_of_a_sound_file_are_not_cut_from_the_video(tmp_path: Path, video: Path) -> None:
    dubbed = replace(scored(video, FIRST), sound_path=tmp_path / "dub.wav")
    job = make_job(tmp_path / "out", dubbed)
    cuts = cut(job, dubbed)
    assert (
        problems(cuts) == "in.mp4: not cut: it was scored against a sound file, and a clip has the sound of its video"
    )
    assert told(cuts)[0] == 0

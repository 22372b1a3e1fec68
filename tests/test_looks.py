"""Kept outputs, and what is made after a run, of small clips with a known truth."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePath

import pytest
from fakes import make_run, make_score
from looks_fakes import make_curve_score, make_keepsake, make_result

from syncnet import command
from syncnet.engines.activity import Activities
from syncnet.errors import VideoError
from syncnet.inputs.discovery import FoundVideos
from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.looks.kept_outputs import save_outputs
from syncnet.looks.making import LookJob, choose_videos, make_looks
from syncnet.looks.movie import Movie
from syncnet.looks.progress import make_looks_with_progress
from syncnet.media.opening import Media, open_media
from syncnet.placement.folders import OutputFolders, longer_name
from syncnet.results import VideoResult
from syncnet.settings import LookOptions
from syncnet.system.interruption import StopFlag
from syncnet.system.log import Log
from synthetic.media import Clip, draw_frame, find_clicks, read_frame_number, write_clip


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 numbered frames at 25 a second, clicks at 0.5, 1.0 and 1.5 s."""
    return write_clip(tmp_path_factory.mktemp("clip") / "a.mp4", Clip())


@pytest.fixture(scope="module")
def media(clip: Path) -> Media:
    return open_media(clip)


# Kept outputs


def test_kept_outputs_are_those_of_the_published_script(tmp_path: Path, media: Media) -> None:
    result = make_result(media.path, make_curve_score(7.9961, -2), None, first_frame=10, length=30)
    folder = tmp_path / "a.mp4"
    (folder / "cropped_faces").mkdir(parents=True)
    (folder / "cropped_faces" / "00002.mp4").write_text("of an earlier run")
    (folder / "cropped_faces" / "mine.mp4").write_text("of somebody else")
    save_outputs(media, result, make_keepsake(result), folder, StopFlag(), comment="this")
    names = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert names == [
        "a.mp4_with_bboxes.mp4",
        "analysis/offsets.txt",
        "analysis/tracks.json",
        "cropped_faces/00000.mp4",
        "cropped_faces/00001.mp4",
        "cropped_faces/mine.mp4",
    ]
    assert (folder / "analysis/offsets.txt").read_text() == "TRACK 0: OFFSET -2, CONF 7.996\nTRACK 1: NO SCORE\n"
    crop = open_media(folder / "cropped_faces" / "00000.mp4")
    assert (crop.info.width, crop.info.height, crop.info.source_fps) == (224, 224, 25.0)
    assert sum(1 for _ in crop.frames()) == 30
    # The track runs from 0.4 s to 1.6 s, so the clicks at 0.5, 1.0 and 1.5 s are 0.1, 0.6 and 1.1 s into it.
    assert find_clicks(crop.samples) == pytest.approx([0.1, 0.6, 1.1], abs=1e-3)


def test_tracks_json_tells_every_frame(tmp_path: Path, media: Media) -> None:
    result = make_result(media.path, make_curve_score(7.5, 1), length=30)
    save_outputs(media, result, make_keepsake(result), tmp_path / "a.mp4", StopFlag(), comment="this")
    document = json.loads((tmp_path / "a.mp4/analysis/tracks.json").read_text())
    assert (document["fps"], document["made_from"]) == (25, "this")
    (track,) = document["tracks"]
    assert (track["track"], track["chosen"], track["offset"], track["confidence"]) == (0, True, 1, 7.5)
    assert (track["first_frame"], track["frame_count"]) == (0, 30)
    assert track["boxes"] == [[40, 30, 100, 90]] * 30
    assert track["frame_confidence"] == [7.5] * 30
    assert (len(track["distances"]), track["distances"][0], track["distances"][15]) == (31, 15.0, 0.0)


def test_without_boxes_there_are_no_outputs_but_a_cure(tmp_path: Path, media: Media) -> None:
    with pytest.raises(VideoError, match="were not kept when it was scored: score it with --rescan"):
        save_outputs(media, make_result(media.path, make_score(7.5)), None, tmp_path, StopFlag())


# After a run


@pytest.fixture
def job(tmp_path: Path) -> LookJob:
    folders = OutputFolders(tmp_path / "out")
    return LookJob(LookOptions("all", save_outputs=True), folders, 5.0)


def make(results: list[VideoResult], job: LookJob, stop: StopFlag | None = None) -> Iterator[object]:
    made = make_looks(choose_videos(results, job), job, stop or StopFlag(), workers=1, on_done=lambda _: None)
    yield from (made.overlays, made.outputs, [problem for _, problem in made.problems], made.interrupted)


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_what_is_there_from_the_same_score_is_not_made_again(clip: Path, job: LookJob) -> None:
    result = replace(make_result(clip, make_curve_score(7.5)), relative_path=PurePath("sub/a.mp4"))
    write_keepsake(keepsake_path(job.folders.state_dir, "sub/a.mp4"), make_keepsake(result))
    assert list(make([result], job)) == [1, 1, [], False]
    assert (job.folders.output_dir / "visualized/sub/a.mp4.mp4").is_file()
    assert (job.folders.output_dir / "syncnet_outputs/sub/a.mp4/a.mp4_with_bboxes.mp4").is_file()
    first = times(job.folders.output_dir)
    assert list(make([result], job)) == [1, 1, [], False]
    assert times(job.folders.output_dir) == first
    # Another threshold is drawn in the strip.
    stricter = replace(job, min_confidence=8.0)
    assert list(make([result], stricter)) == [1, 1, [], False]
    changed = times(job.folders.output_dir)
    assert changed["a.mp4.mp4"] != first["a.mp4.mp4"]


def test_poor_means_scored_and_not_passing() -> None:
    good, poor = make_result(Path("g.mp4"), make_score(9.0)), make_result(Path("p.mp4"), make_score(1.0))
    faceless = replace(poor, status="no_faces")
    gone = replace(poor, missing=True)
    folders = OutputFolders(Path("out"))
    chosen = choose_videos([good, poor, faceless, gone], LookJob(LookOptions("poor"), folders, 5.0))
    assert chosen == [poor]
    assert choose_videos([good, poor], LookJob(LookOptions("all"), folders, 5.0)) == [good, poor]
    assert choose_videos([good, poor], LookJob(LookOptions(), folders, 5.0)) == []


def test_a_video_that_was_moved_is_found_where_it_is_now(clip: Path, job: LookJob, tmp_path: Path) -> None:
    result = make_result(tmp_path / "in" / "a.mp4", make_curve_score(7.5))
    job = replace(job, options=LookOptions("all"))
    assert list(make([result], job)) == [0, 0, ["the video is gone"], False]
    job.folders.good_dir.mkdir(parents=True)
    (job.folders.good_dir / "a.mp4").write_bytes(clip.read_bytes())
    assert list(make([result], job)) == [1, 0, [], False]


def test_a_full_disk_is_told_and_stops_no_other_video(
    clip: Path, job: LookJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = make_result(clip, make_curve_score(7.5))
    fine = replace(full, relative_path=PurePath("b.mp4"))
    job = replace(job, options=LookOptions("all"))
    finish = Movie.finish

    def finish_or_fail(movie: Movie) -> None:
        if movie._file._path.name == "a.mp4.mp4":
            raise OSError(errno.ENOSPC, "No space left on device")
        finish(movie)

    monkeypatch.setattr(Movie, "finish", finish_or_fail)
    overlays, _, (problem,), _ = make([full, fine], job)
    assert overlays == 1
    assert "no space left on device" in str(problem)
    assert [path.name for path in (job.folders.output_dir / "visualized").iterdir()] == ["b.mp4.mp4"]


def test_an_interrupted_run_says_so(clip: Path, job: LookJob) -> None:
    stop = StopFlag()
    stop.stop()
    assert list(make([make_result(clip, make_curve_score(7.5))], job, stop)) == [0, 0, [], True]


def test_how_far_it_is_can_be_seen(clip: Path, job: LookJob) -> None:
    """Asked at each frame: of the overlay first, then of the crops."""
    activities, seen = Activities(), []

    class Watching(StopFlag):
        def look(self) -> None:
            seen.extend(activities.now().values())

    result = make_result(clip, make_curve_score(7.5))
    write_keepsake(keepsake_path(job.folders.state_dir, str(result.relative_path)), make_keepsake(result))
    made = make_looks([result], job, Watching(), workers=1, on_done=bool, activities=activities)
    assert made.problems == []
    frames = round(open_media(clip).info.duration_seconds * 25)
    for stage in ("drawing", "cropping faces"):
        counted = [one for one in seen if one.stage == stage]
        assert {one.frames_expected for one in counted} == {frames}
        assert {one.frames_done for one in counted} >= set(range(frames))
    assert {one.stage for one in seen} == {"", "drawing", "cropping faces"}
    assert activities.now() == {}


def test_problems_are_told_on_stderr_and_in_the_log(
    job: LookJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = replace(make_run([make_result(tmp_path / "a\n.mp4", make_score(1.0))]), found=FoundVideos([], [], []))
    log = Log(tmp_path / "log")
    made = make_looks_with_progress(
        run, replace(job, options=LookOptions("poor")), StopFlag(), workers=2, log=log, quiet=True
    )
    log.close()
    assert len(made.problems) == 1
    told = "a\\n.mp4: no overlay, outputs or preview: the video is gone"
    # Quiet: it is read in a mail, by somebody who may have several jobs.
    assert capsys.readouterr() == ("", f"{tmp_path}/{told} (output folder {run.folders.output_dir.absolute()})\n")
    assert told in (tmp_path / "log").read_text()


def test_the_numbers_that_these_tests_read_back_are_those_drawn() -> None:
    assert read_frame_number(draw_frame(613)) == 613


@pytest.mark.usefixtures("fake_scoring")
def test_the_command_makes_them_and_its_exit_code_says_whether_it_could(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("poor.mp4", "good.mp4"):
        (tmp_path / "in" / name).write_bytes(clip.read_bytes())
    call = ["--input_dir", "in", "--output_dir", "out", "--visualize", "poor"]
    # The two files are alike, and their made-up scores are not.
    call += ["--score_cache", "off"]
    assert command.main(call) == 0
    assert "Overlay videos: out/visualized (1)\n" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out" / "visualized").iterdir()] == ["poor.mp4.mp4"]
    assert '"overlay":"./visualized/poor.mp4.mp4"' in (tmp_path / "out" / "report.html").read_text()
    # These scores are made up, so nobody kept any boxes.
    assert command.main([*call, "--save_outputs"]) == 1
    out, err = capsys.readouterr()
    assert "Kept outputs: out/syncnet_outputs (0)\n" in out
    assert "good.mp4: no overlay, outputs or preview: the boxes of its faces were not kept when it was scored" in err


@pytest.mark.parametrize("name", [b"x" * 251 + b".mp4", "é".encode() * 125 + b"x.mp4", b"a \xff\n\x1b[31m.mp4"])
def test_any_name_has_its_looks(name: bytes, clip: Path, job: LookJob, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    path.symlink_to(clip)
    result = make_result(path, make_curve_score(7.5))
    folders = job.folders
    write_keepsake(keepsake_path(folders.state_dir, path.name), make_keepsake(result))
    assert list(make([result], job)) == [1, 1, [], False]
    (overlay,) = folders.overlays_dir.iterdir()
    (outputs,) = folders.outputs_dir.iterdir()
    assert outputs.name == path.name
    made = [overlay.name, *(file.name for file in outputs.iterdir())]
    assert all(len(os.fsencode(name)) <= 255 for name in made)
    # And is known again.
    before = overlay.stat().st_mtime_ns
    assert list(make([result], job)) == [1, 1, [], False]
    assert overlay.stat().st_mtime_ns == before


def test_two_long_names_that_differ_at_their_end_have_two_overlays() -> None:
    first, second = (longer_name("x" * 250 + end, ".mp4") for end in ("a.mp4", "b.mp4"))
    assert first != second
    assert first[:242] == second[:242] == "x" * 242
    assert len(first) == len(second) == 255
    assert longer_name("x" * 251, ".mp4") == "x" * 251 + ".mp4"


def test_an_empty_file_is_drawn_anew_and_a_file_of_somebody_else_is_left(clip: Path, job: LookJob) -> None:
    result = make_result(clip, make_curve_score(7.5))
    job = replace(job, options=LookOptions("all"))
    target = job.overlay_path(result)
    target.parent.mkdir(parents=True)
    target.touch()
    assert list(make([result], job)) == [1, 0, [], False]
    assert target.stat().st_size > 0
    target.write_bytes(b"drawn by hand")
    _, _, (problem,), _ = make([result], job)
    assert "was not drawn by this tool" in str(problem)
    assert target.read_bytes() == b"drawn by hand"

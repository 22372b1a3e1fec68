"""Overlay videos and kept outputs, made of small clips with a known truth, and read back with our own decoder."""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path, PurePath

import av
import numpy as np
import pytest
from fakes import make_run, make_score
from synthetic_media import Clip, draw_frame, find_clicks, read_frame_number, write_clip

from syncnet import command
from syncnet.discovery import FoundVideos
from syncnet.engines import VideoResult
from syncnet.errors import VideoError
from syncnet.interruption import Interrupted, StopFlag
from syncnet.keepsake import Keepsake, TrackKeepsake, keepsake_path, write_keepsake
from syncnet.log import Log
from syncnet.looks import LookOptions
from syncnet.looks.drawing import DrawnTrack, colour_of, draw_track, draw_tracks, shorten, text_width
from syncnet.looks.kept_outputs import save_outputs
from syncnet.looks.making import LookJob, choose_videos, make_looks
from syncnet.looks.movie import Movie, open_movie, read_comment
from syncnet.looks.overlay import draw_overlay, drawn_tracks, plan_canvas
from syncnet.looks.source import source_frames
from syncnet.looks.strip import HEIGHT_PX, Strip
from syncnet.looks.telling import tell_looks
from syncnet.media import Media, open_media
from syncnet.pipeline import TrackScore
from syncnet.placement_folders import OutputFolders
from syncnet.scoring import SyncScore
from syncnet.settings import Thresholds
from syncnet.turns import Conversation, Turn
from syncnet.verdict import judge

CURVE = np.abs(np.arange(31) - 15).astype(np.float32)


def make_curve_score(confidence: float, offset_frames: int = 0) -> SyncScore:
    return replace(make_score(confidence, offset_frames), curve=CURVE)


def make_result(path: Path, *scores: SyncScore | None, first_frame: int = 0, length: int = 50) -> VideoResult:
    tracks = tuple(TrackScore(first_frame, length, (40.0, 30.0, 100.0, 90.0), score) for score in scores)
    best = max((s for s in scores if s), key=lambda s: s.confidence, default=None)
    return VideoResult(
        path, PurePath(path.name), 7, "success", 1.0, tracks=tracks, best=best, verdict=judge(best, Thresholds())
    )


def make_keepsake(result: VideoResult) -> Keepsake:
    nothing = np.empty(0, np.uint8)
    tracks = [
        TrackKeepsake(
            track.first_frame,
            np.tile(np.array(track.mean_box, np.float32), (track.frame_count, 1)),
            np.full(track.frame_count, track.score.confidence if track.score else np.nan, np.float32),
            np.empty((0, 3), np.float32),
            nothing,
            nothing,
            np.empty(0, np.int32),
        )
        for track in result.tracks
    ]
    return Keepsake(tuple(tracks), np.zeros(1, np.int32), np.zeros(50, np.float32))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """50 numbered frames at 25 a second, clicks at 0.5, 1.0 and 1.5 s."""
    return write_clip(tmp_path_factory.mktemp("clip") / "a.mp4", Clip())


@pytest.fixture(scope="module")
def media(clip: Path) -> Media:
    return open_media(clip)


# A movie


@pytest.mark.parametrize(
    "source",
    [
        Clip(fps=Fraction(30000, 1001)),
        Clip(fps=50),
        Clip(frame_times=[0.0, 0.04, 0.1, 0.3, 0.35, 0.9, 1.4, 1.6]),
        Clip(video_start=0.2, sound_shift=0.1),
    ],
    ids=["29.97 fps", "50 fps", "no constant rate", "a late start"],
)
def test_an_overlay_has_the_frames_of_the_source_at_their_times_and_its_sound(tmp_path: Path, source: Clip) -> None:
    media = open_media(write_clip(tmp_path / "a.mp4", source))
    result = make_result(media.path, make_curve_score(7.5))
    draw_overlay(media, result, None, tmp_path / "o.mp4", StopFlag(), min_confidence=5.0)
    drawn = open_media(tmp_path / "o.mp4")
    height = drawn.info.height - HEIGHT_PX
    before = [(float(seconds), read_frame_number(picture)) for seconds, picture in source_frames(media)]
    after = [(float(s), read_frame_number(picture[:height])) for s, picture in source_frames(drawn)]
    assert [number for _, number in after] == [number for _, number in before]
    # Ticks of 1/90,000 s.
    assert [seconds for seconds, _ in after] == pytest.approx([seconds for seconds, _ in before], abs=2e-5)
    # A tenth of the 40 ms that the score tells apart would already be much.
    assert find_clicks(drawn.samples) == pytest.approx(find_clicks(media.samples), abs=1e-3)


def test_more_frames_than_60_a_second_are_thinned_out(tmp_path: Path) -> None:
    media = open_media(write_clip(tmp_path / "a.mp4", Clip(fps=240, seconds=0.5, click_times=())))
    times = [float(seconds) for seconds, _ in source_frames(media)]
    assert len(times) == 30
    assert np.diff(times) == pytest.approx(1 / 60)


def test_a_movie_plays_in_browsers(tmp_path: Path, media: Media) -> None:
    result = make_result(media.path, make_curve_score(7.5))
    draw_overlay(media, result, None, tmp_path / "new" / "o.mp4", StopFlag(), min_confidence=5.0, comment="what")
    with av.open(str(tmp_path / "new" / "o.mp4")) as container:
        picture, sound = container.streams.video[0], container.streams.audio[0]
        assert (picture.codec_context.name, picture.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (sound.codec_context.name, sound.codec_context.sample_rate) == ("aac", 48_000)
        # 160 x 120 is brought to 480 x 360, with the strip below.
        assert (picture.width, picture.height) == (480, 360 + HEIGHT_PX)
    content = (tmp_path / "new" / "o.mp4").read_bytes()
    assert content.index(b"moov") < content.index(b"mdat"), "the index comes first, so that it plays while it loads"
    assert read_comment(tmp_path / "new" / "o.mp4") == "what"
    assert read_comment(tmp_path / "none.mp4") == ""


def test_a_movie_that_was_broken_off_leaves_nothing_and_the_old_one(tmp_path: Path, media: Media) -> None:
    target = tmp_path / "o.mp4"
    target.write_text("old")

    def break_off() -> None:
        with open_movie(target, (20, 20), 25, media.samples) as movie:
            movie.add(0, np.zeros((20, 20, 3), np.uint8))
            raise Interrupted

    with pytest.raises(Interrupted):
        break_off()
    assert [path.name for path in tmp_path.iterdir()] == ["o.mp4"]
    assert target.read_text() == "old"


def test_a_stop_ends_the_drawing(tmp_path: Path, media: Media) -> None:
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted):
        draw_overlay(media, make_result(media.path, None), None, tmp_path / "o.mp4", stop, min_confidence=5.0)
    assert list(tmp_path.iterdir()) == []


# What is drawn


@pytest.mark.parametrize(
    ("size", "scale", "drawn"),
    [
        ((1280, 720), 1.0, (1280, 720)),
        ((3840, 2160), 1 / 3, (1280, 720)),
        ((1080, 1920), 2 / 3, (720, 1280)),
        ((224, 224), 480 / 224, (480, 480)),
        ((641, 361), 1.0, (640, 360)),
        # A tall strip is not blown up beyond the highest.
        ((100, 1280), 1.0, (100, 1280)),
    ],
)
def test_pictures_are_brought_to_a_size_in_which_words_can_be_read(
    size: tuple[int, int], scale: float, drawn: tuple[int, int]
) -> None:
    canvas = plan_canvas(*size)
    assert canvas.scale == pytest.approx(scale)
    assert canvas.picture_px == drawn


def test_colours_go_from_red_over_yellow_to_green() -> None:
    for confidence, (strong, weak) in {0.0: (2, 1), -3.0: (2, 1), 8.0: (1, 2), 12.0: (1, 2)}.items():
        colour = colour_of(confidence)
        assert colour[strong] > 190 > 80 >= colour[weak]
    _, green, red = colour_of(4.0)
    assert min(green, red) > 200
    assert len(set(colour_of(float("nan")))) == 1


def test_a_box_is_drawn_where_the_face_is_and_only_while_it_is_there() -> None:
    track = DrawnTrack(0, True, 10, np.array([[100.0, 100.0, 200.0, 200.0]] * 5), np.full(5, 8.0), "7.9, in sync")
    picture = np.zeros((300, 400, 3), np.uint8)
    draw_track(picture, track, 9, 1.0)
    draw_track(picture, track, 15, 1.0)
    assert not picture.any()
    draw_track(picture, track, 14, 1.5)
    assert picture[225, 150].tolist() == list(colour_of(8.0))
    assert not picture[225, 160:290].any()


def test_in_a_crowd_only_the_chosen_face_has_a_whole_label() -> None:
    def drawn_rows(count: int) -> int:
        """Of the label of the first track, which is not chosen."""
        tracks = [
            DrawnTrack(n, n == 1, 0, np.array([[150.0 * n, 100, 150 * n + 40, 140]]), np.ones(1), "7.9, in sync", "7.9")
            for n in range(count)
        ]
        picture = np.full((300, 600, 3), 255, np.uint8)
        draw_tracks(picture, tracks, 0, 1.0)
        return int((picture[:98, 2] != 255).any(axis=1).sum())

    # A line takes 19 rows, and 6 are around them.
    assert drawn_rows(2) == 42
    assert drawn_rows(3) == 23


@pytest.mark.parametrize("box", [[-50.0, -40.0, 30.0, 20.0], [380.0, 10.0, 500.0, 290.0], [0.0, 0.0, 400.0, 300.0]])
def test_words_stay_within_the_picture(box: list[float]) -> None:
    track = DrawnTrack(12, True, 0, np.array([box]), np.array([np.nan]), "7.9, sound 600 ms early")
    picture = np.zeros((300, 400, 3), np.uint8)
    draw_track(picture, track, 0, 1.0)
    bright = picture.min(axis=2) > 160
    # Two lines of letters, none of them cut off at a side.
    assert bright.sum() > 300
    assert not bright[:, :2].any()
    assert not bright[:, -2:].any()


def test_text_that_is_too_long_is_cut_with_a_mark() -> None:
    text = shorten("confidence 1.2 is below 5.0; offset -15 frames is beyond 3", 200)
    assert text.startswith("confidence")
    assert text.endswith("...")
    assert text_width(text) <= 200
    assert shorten("short", 200) == "short"
    assert shorten("anything", 1) == ""


def test_the_point_moves_along_the_strip_at_the_height_of_the_confidence() -> None:
    track = DrawnTrack(0, True, 0, np.zeros((250, 4)), np.linspace(0, 10, 250), "")
    strip = Strip(800, "GOOD", CURVE, [track], 10.0, 5.0)
    early, late = strip.draw(1.0).astype(int), strip.draw(9.0).astype(int)
    assert early.shape == (HEIGHT_PX, 800, 3)
    changed = np.abs(early - late).sum(axis=2) > 60
    rows, columns = np.nonzero(changed[40:140, 280:])
    early_rows, late_rows = rows[columns < 200], rows[columns > 300]
    # White rings at about 1 and 9 of 10, so that the later one lies higher.
    assert len(early_rows) > 20
    assert len(late_rows) > 20
    ring = (strip.draw(9.0) == 255).all(axis=2)[40:140, 600:]
    assert np.nonzero(ring)[0].mean() < 40


def test_a_strip_without_a_curve_or_a_track_is_drawn_all_the_same() -> None:
    assert Strip(480, "POOR: ä", None, [], 0.0, 20.0).draw(3.0).shape == (HEIGHT_PX, 480, 3)


def test_without_a_keepsake_each_track_has_its_mean_box_and_one_confidence() -> None:
    result = make_result(Path("a.mp4"), make_curve_score(2.0), make_curve_score(6.0, 3), None, length=4)
    quiet, speaker, silent = drawn_tracks(result, None)
    assert [track.chosen for track in (quiet, speaker, silent)] == [False, True, False]
    assert speaker.boxes.tolist() == [[40, 30, 100, 90]] * 4
    assert speaker.confidence.tolist() == [6.0] * 4
    assert speaker.label == "6.0, sound 120 ms early"
    assert (silent.label, bool(np.isnan(silent.confidence).all())) == ("no score", True)


def test_of_faces_that_speak_in_turns_each_is_chosen_in_its_own(tmp_path: Path) -> None:
    result = make_result(Path("a.mp4"), make_curve_score(2.0), make_curve_score(3.0), make_curve_score(1.0))
    together = make_curve_score(7.0)
    turns = (Turn(0, 0.0, 1.0), Turn(2, 1.0, 2.0))
    result = replace(result, best=together, conversation=Conversation(together, turns))
    first, silent, second = drawn_tracks(result, None)
    assert [track.chosen for track in (first, silent, second)] == [True, False, True]
    assert [first.is_chosen_at(frame) for frame in (0, 24, 25, 49)] == [True, True, False, False]
    assert [second.is_chosen_at(frame) for frame in (0, 24, 25, 49)] == [False, False, True, True]
    assert not silent.is_chosen_at(0)


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
        if movie._path.name == "a.mp4.mp4":
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


def test_problems_are_told_on_stderr_and_in_the_log(
    job: LookJob, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = replace(make_run([make_result(tmp_path / "a\n.mp4", make_score(1.0))]), found=FoundVideos([], [], []))
    log = Log(tmp_path / "log")
    made = tell_looks(run, replace(job, options=LookOptions("poor")), StopFlag(), workers=2, log=log, quiet=True)
    log.close()
    assert len(made.problems) == 1
    told = "a\\n.mp4: no overlay or outputs: the video is gone"
    assert capsys.readouterr() == ("", f"{told}\n")
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
    call = ["--input_dir", "in", "--output_dir", "out", "--visualize", "poor", "--report", "off"]
    # The two files are alike, and their made-up scores are not.
    call += ["--score_cache", "off"]
    assert command.main(call) == 0
    assert "Overlay videos: out/visualized (1)\n" in capsys.readouterr().out
    assert [path.name for path in (tmp_path / "out" / "visualized").iterdir()] == ["poor.mp4.mp4"]
    # These scores are made up, so nobody kept any boxes.
    assert command.main([*call, "--save_outputs"]) == 1
    out, err = capsys.readouterr()
    assert "Kept outputs: out/syncnet_outputs (0)\n" in out
    assert "good.mp4: no overlay or outputs: the boxes of its faces were not kept when it was scored" in err

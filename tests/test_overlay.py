"""Overlay videos of small clips with a known truth, read back with our own decoder."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from looks_fakes import CURVE, make_curve_score, make_result

from syncnet.looks.drawing import DrawnTrack, colour_of, draw_track, draw_tracks, shorten, text_width
from syncnet.looks.movie import open_movie, read_comment
from syncnet.looks.overlay import draw_overlay, drawn_tracks, plan_canvas
from syncnet.looks.source import source_frames
from syncnet.looks.strip import HEIGHT_PX, Strip
from syncnet.media.opening import Media, open_media
from syncnet.scoring.turns import Conversation, Turn
from syncnet.system.interruption import Interrupted, StopFlag
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip


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
    assert Strip(480, "DOES NOT PASS: ä", None, [], 0.0, 20.0).draw(3.0).shape == (HEIGHT_PX, 480, 3)


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

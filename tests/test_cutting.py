"""Cut clips are exact: to the frame and the sample, by clips whose frames are numbered and whose sound has clicks."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cut_fakes import Decoded, cut, decode, make_job, scored, segment

from syncnet.media.rates import as_fraction
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip

CLICKS = (1.0, 1.5, 2.0, 2.5)


def cut_one(tmp_path: Path, source: Path, start: float, end: float, **options: Any) -> tuple[Decoded, dict[str, Any]]:
    """The clip, and its line in the manifest."""
    result = scored(source, segment(start, end, options.pop("offset", 0), options.pop("fine_ms", None)))
    job = make_job(tmp_path / "out", result, **options)
    cuts = cut(job, result)
    assert cuts.problems == []
    folder = tmp_path / "out" / "segments"
    (line,) = map(json.loads, (folder / "manifest.jsonl").read_text().splitlines())
    assert line["file"] == f"{source.name}/{start:.2f}-{end:.2f}.mp4"
    return decode(folder / line["file"]), line


def clicks_of(clip: Decoded) -> list[float]:
    """Of its first channel, on the clip's clock."""
    return [clip.sound_start + time for time in find_clicks(clip.samples[:, 0], clip.rate)]


MSEC = ("matroska", "webm")
SHAPES: dict[str, tuple[str, Clip]] = {
    "25 fps": ("a.mp4", Clip(seconds=4, click_times=CLICKS)),
    "29.97 fps": ("a.mp4", Clip(fps=Fraction(30000, 1001), seconds=4, click_times=CLICKS)),
    "23.976 fps": ("a.mp4", Clip(fps=Fraction(24000, 1001), seconds=4, click_times=CLICKS)),
    "59.94 fps": ("a.mp4", Clip(fps=Fraction(60000, 1001), seconds=4, click_times=CLICKS)),
    "120 fps": ("a.mp4", Clip(fps=120, seconds=4, click_times=CLICKS)),
    "15 fps": ("a.mp4", Clip(fps=15, seconds=4, click_times=CLICKS)),
    "stamps in milliseconds": ("a.mkv", Clip(fps=Fraction(30000, 1001), seconds=4, click_times=CLICKS)),
    "sound that begins before the picture": ("a.mkv", Clip(seconds=4, video_start=0.4, click_times=CLICKS)),
    "sound that begins late": ("a.mp4", Clip(seconds=4, audio_start=0.7, click_times=CLICKS)),
    "a transport stream": ("a.ts", Clip(seconds=4, click_times=CLICKS)),
    "an AVI file": (
        "a.avi",
        Clip(seconds=4, click_times=CLICKS, audio_codec="pcm_s16le", video_options=(("bf", "0"),)),
    ),
    "stereo of 44.1 kHz": ("a.mp4", Clip(seconds=4, click_times=CLICKS, sample_rate=44_100, layout="stereo")),
    "surround sound": ("a.mp4", Clip(seconds=4, click_times=CLICKS, layout="5.1")),
    "mono of 16 kHz": ("a.mp4", Clip(seconds=4, click_times=CLICKS, sample_rate=16_000)),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_clip_has_just_these_frames_and_the_sound_that_belongs_to_them(tmp_path: Path, shape: str) -> None:
    name, made = SHAPES[shape]
    source = write_clip(tmp_path / name, made)
    clip, line = cut_one(tmp_path, source, 0.88, 2.2)
    # The frames nearest to 0.88 s and, as the first that is left out, to 2.20 s; the clock begins with frame 0.
    first, end = (round(seconds * made.fps) for seconds in (Fraction(88, 100), Fraction(220, 100)))
    assert [read_frame_number(frame) for frame in clip.frames] == list(range(first, end))
    assert (line["frames"], line["fps"]) == (end - first, pytest.approx(float(made.fps), abs=0.02))
    begun = first / float(made.fps)
    # 0.6 ms: stamps in whole milliseconds, of the first frame and of the one itself.
    assert clip.times == [pytest.approx(k / float(made.fps), abs=1.1e-3) for k in range(end - first)]
    assert clip.times[0] == 0
    assert (line["cut_from"], line["cut_to"]) == (
        pytest.approx(begun, abs=0.6e-3), pytest.approx(end / float(made.fps), abs=1.1e-3),
    )  # fmt: skip
    # Clicks are found to a few hundredths of a millisecond.
    lead = round(made.video_start * 25) / 25
    assert clicks_of(clip) == [
        pytest.approx(time - lead - begun, abs=0.7e-3) for time in CLICKS if _within(time - lead)
    ]
    assert (clip.rate, line["sample_rate"]) == (made.sample_rate, made.sample_rate)
    assert clip.samples.shape[1] == line["channels"] == av.AudioLayout(made.layout).nb_channels


def _within(seconds: float) -> bool:
    return 0.9 < seconds < 2.15


def test_samples_are_those_of_the_range_one_by_one(tmp_path: Path) -> None:
    noise = (np.random.default_rng(3).normal(0, 2500, 4 * 48_000)).astype(np.int16)
    # A tone and a little noise, of which AAC keeps little more than how loud it is: 2 % of the tone, and twice as much
    # is off.
    wave = (8000 * np.sin(2 * np.pi * 440 * np.arange(len(noise)) / 48_000) + noise / 20).astype(np.int16)
    source = write_clip(tmp_path / "a.mkv", Clip(seconds=4, audio_codec="pcm_s16le"), sound=wave)
    clip, _ = cut_one(tmp_path, source, 1.0, 3.0)
    assert clip.sound_start == 0
    wanted = wave[48_000:144_000].astype(np.float64)
    # The last packet may be filled up.
    assert 96_000 <= len(clip.samples) < 96_000 + 1024
    got = clip.samples[:96_000, 0].astype(np.float64)
    misfit = {lag: np.abs(got[1000:-1000] - np.roll(wanted, lag)[1000:-1000]).mean() for lag in (-1, 0, 1)}
    assert min(misfit, key=lambda lag: misfit[lag]) == 0
    assert misfit[0] < 0.04 * np.abs(wanted).mean()


@pytest.mark.parametrize(("offset", "fine_ms", "moved_ms"), [(3, None, 120.0), (-2, -91.3, -91.3), (0, 11.7, 11.7)])
def test_the_offset_is_taken_out_of_the_sound(
    tmp_path: Path, offset: int, fine_ms: float | None, moved_ms: float
) -> None:
    # Positive: the sound comes early, so it has to come later.
    source = write_clip(tmp_path / "a.mp4", Clip(seconds=4, click_times=CLICKS))
    clip, line = cut_one(tmp_path, source, 0.8, 2.8, offset=offset, fine_ms=fine_ms, without_offset=True)
    assert line["sound_delayed_ms"] == moved_ms
    assert clicks_of(clip) == [pytest.approx(time - 0.8 + moved_ms / 1000, abs=0.1e-3) for time in CLICKS]
    assert [read_frame_number(frame) for frame in clip.frames] == list(range(20, 70))


def test_sound_of_before_the_first_picture_is_there_where_it_is_moved(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mkv", Clip(seconds=4, video_start=0.4, click_times=(0.35, 1.0)))
    clip, _ = cut_one(tmp_path, source, 0.0, 1.6, offset=3, without_offset=True)
    assert clicks_of(clip) == [pytest.approx(time, abs=0.1e-3) for time in (0.07, 0.72)]


def test_a_picture_that_stands_over_the_start_is_shown_from_there_on(tmp_path: Path) -> None:
    times = [0.0, 0.5, 2.0, 3.5]
    source = write_clip(tmp_path / "a.mkv", Clip(seconds=4, frame_times=times, click_times=CLICKS))
    clip, line = cut_one(tmp_path, source, 0.8, 2.6)
    assert [read_frame_number(frame) for frame in clip.frames] == [1, 2]
    assert (clip.times, line["cut_from"], line["cut_to"]) == ([0, pytest.approx(1.2, abs=1e-3)], 0.8, 2.6)
    assert clicks_of(clip) == [pytest.approx(time - 0.8, abs=0.1e-3) for time in CLICKS]


def test_turned_pictures_and_pixels_that_are_no_squares_come_out_as_they_are_shown(tmp_path: Path) -> None:
    made = Clip(
        seconds=3, counter_clockwise_degrees=90, pixel_aspect=Fraction(4, 3), click_times=CLICKS[:2],
        video_options=(("crf", "10"),),
    )  # fmt: skip
    source = write_clip(tmp_path / "a.mp4", made)
    clip, line = cut_one(tmp_path, source, 0.4, 2.4)
    # 160 x 120 with pixels of 4:3 is 213 x 120, turned 120 x 213; the last row is left out.
    assert (line["width"], line["height"]) == (120, 212)
    with av.open(str(tmp_path / "out" / "segments" / line["file"])) as container:
        frame = next(container.decode(video=0))
        assert (frame.rotation, as_fraction(container.streams.video[0].sample_aspect_ratio) or 1) == (0, 1)
    picture = clip.frames[0]
    # The marker of the upper left corner is in the lower left one.
    assert picture[-30:, :20].mean() > 235 > 20 > picture[:30, :20].mean()


def test_colours_are_those_of_the_source(tmp_path: Path) -> None:
    source = write_clip(
        tmp_path / "a.mp4", Clip(seconds=3, background_bgr=(40, 160, 220), video_options=(("crf", "1"),))
    )
    clip, _ = cut_one(tmp_path, source, 0.4, 2.4)
    before, after = decode(source).frames[10], clip.frames[0]
    assert np.abs(before[40:56].astype(int) - after[40:56]).max() <= 3


def test_face_clips_are_squares_around_the_face(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", Clip(seconds=4, click_times=CLICKS))
    clip, line = cut_one(tmp_path, source, 0.8, 2.8, face_px=64)
    assert line["face_file"] == "a.mp4/0.80-2.80_face.mp4"
    face = decode(tmp_path / "out" / "segments" / line["face_file"])
    assert [frame.shape for frame in face.frames] == [(64, 64, 3)] * 50
    assert face.times == clip.times
    assert clicks_of(face) == pytest.approx(clicks_of(clip), abs=0.1e-3)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_a_copy_goes_from_key_frame_to_key_frame_and_tells_when(tmp_path: Path, name: str) -> None:
    made = Clip(seconds=5, click_times=CLICKS, video_options=(("g", "20"), ("x264-params", "scenecut=0")))
    source = write_clip(tmp_path / name, made)
    clip, line = cut_one(tmp_path, source, 1.0, 2.2, copy=True)
    # Key frames every 20 frames: 0.8 s is the last before 1.0 s, 2.4 s the first after 2.2 s.
    assert [read_frame_number(frame) for frame in clip.frames] == list(range(20, 60))
    assert (line["cut_from"], line["cut_to"]) == (pytest.approx(0.8, abs=1e-3), pytest.approx(2.4, abs=1e-3))
    assert (line["from"], line["to"], line["how"]) == (1.0, 2.2, "copy")
    clicks = [time - clip.times[0] for time in clicks_of(clip)]
    assert clicks == [pytest.approx(time - 0.8, abs=1e-3) for time in CLICKS if time < 2.35]


def test_a_copy_can_have_its_sound_moved(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "a.mp4", Clip(seconds=5, click_times=CLICKS, video_options=(("g", "20"),)))
    clip, _ = cut_one(tmp_path, source, 0.8, 2.4, offset=2, copy=True, without_offset=True)
    assert [time - clip.times[0] for time in clicks_of(clip)][:2] == [
        pytest.approx(time - 0.8 + 0.08, abs=1e-3) for time in (1.0, 1.5)
    ]

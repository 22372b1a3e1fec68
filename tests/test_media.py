"""Picture and sound against each other, on clips whose truth is known: see synthetic_media.

Long because one clip serves many of its questions.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from syncnet.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME
from syncnet.media.opening import Media, open_media
from synthetic.media import MARKER_PX, Clip, find_clicks, read_frame_number, write_clip

MAX_BIAS_SECONDS = 0.0015
"""Matroska, FLV and WMV round the start of the sound to 1 ms, MP4 that of a late start; codec and resampler add up to
0.5 ms. The smallest known fault to be caught is 6.5 ms: leaving out the encoder's delay of Opus."""


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write_named(name: str, **fields: object) -> Path:
        return write_clip(tmp_path / name, Clip(**fields))  # type: ignore[arg-type]

    return write_named


def frame_numbers(media: Media) -> list[int]:
    return [read_frame_number(frame) for frame in media.frames()]


CONTAINERS = {
    "mp4": {"video_codec": "libx264", "audio_codec": "aac"},
    "mov": {"video_codec": "libx264", "audio_codec": "pcm_s16le"},
    "m4v": {"container": "mp4", "video_codec": "mpeg4", "audio_codec": "libmp3lame"},
    "3gp": {"video_codec": "mpeg4", "audio_codec": "aac"},
    "mkv": {"video_codec": "libx264", "audio_codec": "libopus"},
    "webm": {"video_codec": "libvpx", "audio_codec": "libopus"},
    "ts": {"container": "mpegts", "video_codec": "mpeg2video", "audio_codec": "mp2"},
    "m2ts": {"container": "mpegts", "video_codec": "libx264", "audio_codec": "aac", "sample_rate": 44_100},
    "mpg": {"video_codec": "mpeg2video", "audio_codec": "mp2"},
    "avi": {"video_codec": "mpeg4", "audio_codec": "pcm_s16le"},
    "flv": {"video_codec": "flv", "audio_codec": "libmp3lame", "sample_rate": 44_100},
    "wmv": {"video_codec": "wmv2", "audio_codec": "wmav2"},
}


@pytest.mark.parametrize("extension", CONTAINERS)
def test_picture_and_sound_keep_together_in_every_container(extension: str, write: Callable[..., Path]) -> None:
    media = open_media(write(f"clip.{extension}", **CONTAINERS[extension]))
    assert frame_numbers(media) == list(range(50))
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.0, 1.5], abs=MAX_BIAS_SECONDS)
    assert media.info.duration_seconds == pytest.approx(2.0, abs=0.002)


def test_frames_that_avi_stores_in_another_order_come_at_their_times(write: Callable[..., Path]) -> None:
    # AVI has no time stamps, and FFmpeg's guesses for B-frames are a frame late and out of order.
    media = open_media(write("clip.avi", video_codec="libx264", audio_codec="pcm_s16le"))
    assert frame_numbers(media) == list(range(50))
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.0, 1.5], abs=MAX_BIAS_SECONDS)
    assert media.info.duration_seconds == 2.0


@pytest.mark.parametrize("extension", ["mp4", "mkv", "ts", "mpg", "flv"])
@pytest.mark.parametrize(("video_start", "audio_start"), [(0.2, 0.0), (0.0, 0.3)])
def test_each_stream_s_own_start_counts(
    extension: str, video_start: float, audio_start: float, write: Callable[..., Path]
) -> None:
    path = write(f"clip.{extension}", **CONTAINERS[extension], video_start=video_start, audio_start=audio_start)
    media = open_media(path)
    assert frame_numbers(media) == list(range(50))
    expected = [0.5 - video_start, 1.0 - video_start, 1.5 - video_start]
    assert find_clicks(media.samples) == pytest.approx(expected, abs=MAX_BIAS_SECONDS)
    if audio_start:
        # An encoder may smear the first click's silence by a packet of some 25 ms.
        assert not media.samples[: round((audio_start - 0.03) * SAMPLE_RATE)].any()


def test_late_sound_is_late(write: Callable[..., Path]) -> None:
    media = open_media(write("clip.mp4", sound_shift=0.24))
    assert find_clicks(media.samples) == pytest.approx([0.74, 1.24, 1.74], abs=MAX_BIAS_SECONDS)


FIRST_FRAMES = {
    # The number of the frame nearest to n / 25 s: n x fps / 25, rounded.
    "15": (15, [0, 1, 1, 2, 2, 3, 4, 4, 5, 5]),
    "23.976": (Fraction(24_000, 1001), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 13]),
    "24": (24, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12, 13]),
    "25": (25, [0, 1, 2, 3, 4, 5, 6, 7]),
    "29.97": (Fraction(30_000, 1001), [0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12]),
    "30": (30, [0, 1, 2, 4, 5, 6, 7, 8, 10, 11, 12]),
    "50": (50, [0, 2, 4, 6, 8, 10, 12]),
    "59.94": (Fraction(60_000, 1001), [0, 2, 5, 7, 10, 12, 14]),
    "60": (60, [0, 2, 5, 7, 10, 12, 14]),
}


@pytest.mark.parametrize("rate", FIRST_FRAMES)
def test_every_frame_rate_gives_the_nearest_frames(rate: str, write: Callable[..., Path]) -> None:
    fps, first_numbers = FIRST_FRAMES[rate]
    media = open_media(write("clip.mp4", fps=fps, click_times=(0.5, 1.5)))
    numbers = frame_numbers(media)
    assert numbers[: len(first_numbers)] == first_numbers
    assert numbers == [round(n * Fraction(fps) / 25) for n in range(50)]
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.5], abs=MAX_BIAS_SECONDS)
    # The source's frames lie to both sides of the ticks: the mean error is far below the half frame of the worst one.
    mean_error = np.mean([number / Fraction(fps) - Fraction(n, 25) for n, number in enumerate(numbers)])
    assert abs(mean_error) < 0.002
    assert media.info.source_fps == pytest.approx(float(fps))


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
def test_variable_frame_rate(extension: str, write: Callable[..., Path]) -> None:
    path = write(f"clip.{extension}", frame_times=[0, 0.03, 0.1, 0.141, 0.2, 0.25, 0.5], click_times=(0.4, 1.2))
    media = open_media(path)
    # Ticks at 0, 40, 80 ... ms; 0.36 s is nearer to 0.25, 0.40 s to 0.50. The last frame lasts 40 ms: 13.5 ticks.
    assert frame_numbers(media) == [0, 1, 2, 2, 3, 4, 5, 5, 5, 5, 6, 6, 6, 6]
    assert find_clicks(media.samples) == pytest.approx([0.4, 1.2], abs=MAX_BIAS_SECONDS)


@pytest.mark.parametrize("extension", ["mp4", "mkv", "flv"])
def test_a_picture_may_stand_for_long(extension: str, write: Callable[..., Path]) -> None:
    codec = {"video_codec": "flv"} if extension == "flv" else {}
    times = [0, 0.04, 12, 12.04]
    media = open_media(write(f"clip.{extension}", frame_times=times, seconds=13, click_times=(1.0, 12.5), **codec))
    # The tick at 6.04 s is the first that is nearer to 12 than to 0.04.
    assert frame_numbers(media)[:302] == [0] + [1] * 150 + [2] * 150 + [3]
    assert find_clicks(media.samples) == pytest.approx([1.0, 12.5], abs=MAX_BIAS_SECONDS)


def test_a_stamp_far_beyond_the_end_that_the_file_states_is_broken(write: Callable[..., Path]) -> None:
    path = write("clip.flv", video_codec="flv")
    data = bytearray(path.read_bytes())
    tags, place = [], 13
    while place + 11 < len(data):
        tags.append(place)
        place += 15 + int.from_bytes(data[place + 1 : place + 4], "big")
    broken = [tag for tag in tags if data[tag] in (8, 9) and tag > len(data) // 2][:2]
    assert len(broken) == 2
    for tag in broken:
        # Bit 19 of the milliseconds: 524 s later.
        data[tag + 4] ^= 8
    path.write_bytes(data)
    media = open_media(path)
    assert media.info.duration_seconds == pytest.approx(2.0, abs=0.1)
    assert len(media.samples) / SAMPLE_RATE == pytest.approx(2.0, abs=0.1)
    numbers = frame_numbers(media)
    assert len(numbers) == pytest.approx(50, abs=1)
    assert numbers == pytest.approx(range(len(numbers)), abs=1)
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.0, 1.5], abs=0.05)


@pytest.mark.parametrize("seconds", [0.04, 0.52, 3.0])
def test_count_follows_from_the_duration(seconds: float, write: Callable[..., Path]) -> None:
    media = open_media(write("clip.mov", seconds=seconds, click_times=(), audio_codec="pcm_s16le"))
    assert len(list(media.frames())) == round(seconds * 25)
    assert len(media.samples) == round(seconds * 25) * SAMPLES_PER_FRAME


@pytest.mark.parametrize("audio_end", [1.2, 2.6])
def test_sound_is_neither_padded_nor_cut_to_the_picture(audio_end: float, write: Callable[..., Path]) -> None:
    media = open_media(write("clip.mov", audio_codec="pcm_s16le", audio_end=audio_end, click_times=(0.5,)))
    assert len(media.samples) == pytest.approx(audio_end * SAMPLE_RATE, abs=1)
    assert len(list(media.frames())) == 50


def test_gap_in_the_sound_is_filled_with_zeros(write: Callable[..., Path]) -> None:
    media = open_media(write("clip.ts", container="mpegts", sound_gap=(0.7, 1.3), click_times=(0.5, 1.5)))
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.5], abs=MAX_BIAS_SECONDS)
    assert not media.samples[round(0.75 * SAMPLE_RATE) : round(1.25 * SAMPLE_RATE)].any()


@pytest.mark.parametrize("extension", ["ts", "mpg"])
def test_joined_recordings_play_on(extension: str, tmp_path: Path, write: Callable[..., Path]) -> None:
    # Joined byte by byte, the second part's clock starts again at the first one's zero.
    first = write(f"first.{extension}", **CONTAINERS[extension], click_times=(0.5, 1.5))
    second = write(f"second.{extension}", **CONTAINERS[extension], click_times=(0.4,))
    joined = tmp_path / f"joined.{extension}"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    media = open_media(joined)
    assert frame_numbers(media) == [*range(50), *range(50)]
    # The second part follows the first one's sound, whose last packet (24 ms) ends a little after its picture.
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.5, 2.412], abs=0.012 + MAX_BIAS_SECONDS)
    assert media.info.duration_seconds == pytest.approx(4.012, abs=0.012)


def test_a_cut_out_recording_starts_at_its_first_key_frame(tmp_path: Path, write: Callable[..., Path]) -> None:
    key_every_second = (("g", "25"), ("keyint_min", "25"))
    codecs = {**CONTAINERS["ts"], "video_codec": "libx264", "video_options": key_every_second}
    data = write("whole.ts", **codecs, seconds=3.0, click_times=(1.5, 2.0, 2.5)).read_bytes()
    cut = tmp_path / "cut.ts"
    cut.write_bytes(data[len(data) // 188 // 8 * 188 :])
    media = open_media(cut)
    numbers = frame_numbers(media)
    assert numbers == list(range(25, 75))
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.0, 1.5], abs=MAX_BIAS_SECONDS)


@pytest.mark.parametrize("extension", ["mp4", "mkv"])
@pytest.mark.parametrize(
    ("counter_clockwise", "mirrored", "corner", "clockwise"),
    [
        # Where the marker of the upper left corner goes, as (lower, right).
        (0, False, (0, 0), 0),
        (-90, False, (0, 1), 90),
        (180, False, (1, 1), 180),
        (90, False, (1, 0), 270),
        (0, True, (0, 1), 0),
        (90, True, (1, 1), 270),
    ],
)
def test_frames_stand_upright(
    extension: str,
    counter_clockwise: int,
    mirrored: bool,
    corner: tuple[int, int],
    clockwise: int,
    write: Callable[..., Path],
) -> None:
    path = write(f"clip.{extension}", seconds=0.2, counter_clockwise_degrees=counter_clockwise, mirrored=mirrored)
    media = open_media(path)
    frame = next(media.frames())
    height, width = (160, 120) if counter_clockwise in (90, -90) else (120, 160)
    assert frame.shape == (height, width, 3)
    assert (media.info.width, media.info.height, media.info.rotation_degrees) == (width, height, clockwise)
    rows = slice(height - MARKER_PX, height) if corner[0] else slice(0, MARKER_PX)
    columns = slice(width - MARKER_PX, width) if corner[1] else slice(0, MARKER_PX)
    assert frame[rows, columns].mean() > 240
    # The rest of that frame, number 0, is black.
    assert frame.mean() == pytest.approx(255 * MARKER_PX**2 / (160 * 120), rel=0.05)


def test_colours_come_as_blue_green_red(write: Callable[..., Path]) -> None:
    media = open_media(write("clip.mp4", seconds=0.2, background_bgr=(200, 30, 60)))
    colour = next(media.frames())[40:58, 40:].mean(axis=(0, 1))
    # 8-bit YUV with halved chroma keeps a flat colour to a few levels.
    assert colour == pytest.approx([200, 30, 60], abs=6)


def test_frames_are_whole_arrays_of_one_size_even_where_the_source_changes(
    tmp_path: Path, write: Callable[..., Path]
) -> None:
    first = write("first.m2ts", **CONTAINERS["m2ts"])
    second = write("second.m2ts", **CONTAINERS["m2ts"], size_px=(200, 152))
    joined = tmp_path / "joined.m2ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    media = open_media(joined)
    frames = list(media.frames())
    assert {(frame.shape, frame.dtype.name, frame.flags.c_contiguous) for frame in frames} == {
        ((120, 160, 3), "uint8", True)
    }
    assert [read_frame_number(frame) for frame in frames] == [*range(50), *range(50)]


def test_frames_are_the_same_each_time_and_for_any_number_of_threads(write: Callable[..., Path]) -> None:
    path = write("clip.mp4", fps=30)
    media = open_media(path)
    first, again = list(media.frames()), list(media.frames())
    threaded = list(open_media(path, threads=3).frames())
    assert len(first) == 50
    assert all(np.array_equal(a, b) and np.array_equal(a, c) for a, b, c in zip(first, again, threaded, strict=True))


def test_a_repeated_frame_is_converted_once(write: Callable[..., Path]) -> None:
    frames = list(open_media(write("clip.mp4", fps=5, seconds=1.0)).frames())
    # Five frames, of which each stands for five ticks.
    assert len(frames) == 25
    assert sum(before is not after for before, after in pairwise(frames)) == 4


def test_no_picture_is_left_to_the_garbage_collector(write: Callable[..., Path]) -> None:
    # One frame that waits for it keeps the memory of all that its decoder had.
    gc.collect()
    gc.disable()
    try:
        assert len(list(open_media(write("clip.mp4")).frames())) == 50
        left = [thing for thing in gc.get_objects() if isinstance(thing, (av.VideoFrame, av.container.Container))]
    finally:
        gc.enable()
    assert left == []


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="counts open files through /proc")
def test_a_pass_that_is_left_early_closes_the_file(write: Callable[..., Path]) -> None:
    media = open_media(write("clip.mp4"))
    before = len(os.listdir("/proc/self/fd"))
    frames = media.frames()
    next(frames)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    frames.close()  # type: ignore[attr-defined]
    assert len(os.listdir("/proc/self/fd")) == before


def test_info_tells_what_the_file_is(write: Callable[..., Path]) -> None:
    path = write("clip.mkv", **CONTAINERS["mkv"])
    info = open_media(path).info
    assert (info.width, info.height, info.source_fps, info.rotation_degrees) == (160, 120, 25.0, 0)
    assert (info.container, info.video_codec, info.audio_codec) == ("matroska,webm", "h264", "opus")
    assert info.file_bytes == path.stat().st_size


def test_the_published_demo_clip_has_a_frame_for_each_640_samples(test_data: Path) -> None:
    path = test_data / "clips" / "example.avi"
    if not path.exists():
        pytest.skip(f"no {path}")
    media = open_media(path)
    # 317 frames and 202,880 samples are what its index states.
    assert len(media.samples) == 202_880
    assert sum(1 for _ in media.frames()) == 317

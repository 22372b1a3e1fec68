"""Files as their writers leave them: shape of pixels, sizes that change, sound that is heard, AVI's order, fields.

Long because each kind of file is a few lines and shares what writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest

from syncnet.media.avi import AviClock
from syncnet.media.clock import grid_phase
from syncnet.media.opening import Media, open_media
from syncnet.media.picture import PicturesGrowError, believed_aspect
from syncnet.media.sound import SoundTape
from synthetic.media import Clip, draw_sound, find_clicks, read_frame_number, write_clip

MAX_BIAS_SECONDS = 0.0015
NEAR = (("preset", "ultrafast"), ("crf", "15"))


def numbers_of(media: Media) -> list[int]:
    return [read_frame_number(frame) for frame in media.frames()]


def bias_seconds(media: Media, clip: Clip) -> float:
    """By how much the sound is read earlier against the picture than it was written."""
    times = clip.times_of_frames()
    late = np.mean([tick / 25 - float(times[number]) for tick, number in enumerate(numbers_of(media))])
    heard = find_clicks(media.samples)
    assert len(heard) == len(clip.click_times)
    return float(late + np.mean(np.asarray(clip.times_of_clicks()) - np.asarray(heard)))


# The shape of pixels


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        # Stored are 160 x 120: wide pixels make the picture wider, narrow ones make it higher, and none is lost.
        ("64:45", (228, 120)),
        ("2:1", (320, 120)),
        ("8:9", (160, 135)),
        ("1:1", (160, 120)),
        # A size that was rounded, and a broken header.
        ("161:160", (160, 120)),
        ("50:1", (160, 120)),
    ],
)
def test_pixels_come_square(aspect: str, size: tuple[int, int], name: str, tmp_path: Path) -> None:
    clip = Clip(
        seconds=0.4, click_times=(0.2,), video_options=NEAR, pixel_aspect=Fraction(*map(int, aspect.split(":")))
    )
    media = open_media(write_clip(tmp_path / name, replace(clip, container="mpegts" if name.endswith("ts") else None)))
    frame = next(media.frames())
    assert (media.info.width, media.info.height) == size == frame.shape[1::-1]
    # The marker, a square of 32 stored pixels in the upper left corner, is stretched with the rest.
    bright = frame[:, :, 0] > 128
    assert bright.any(axis=0).sum() == pytest.approx(32 * size[0] / 160, abs=1)
    assert bright.any(axis=1).sum() == pytest.approx(32 * size[1] / 120, abs=1)


def test_no_aspect_is_a_square() -> None:
    assert believed_aspect(None) == believed_aspect(Fraction(1, 10)) == believed_aspect(Fraction(5)) == 1
    assert believed_aspect(Fraction(64, 45)) == Fraction(64, 45)


# Sizes that change


def joined(tmp_path: Path, *sizes: tuple[int, int]) -> Path:
    """Two seconds of each size, one after the other."""
    codec = {"container": "mpegts", "video_codec": "libx264", "audio_codec": "mp2"}
    parts = [write_clip(tmp_path / f"{k}.ts", Clip(**codec, size_px=size)) for k, size in enumerate(sizes)]
    path = tmp_path / "joined.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


def test_pictures_that_grow_bring_all_to_their_size(tmp_path: Path) -> None:
    path = joined(tmp_path, (160, 120), (320, 240), (240, 180))
    media = open_media(path, may_grow=True)
    frames = media.frames()
    assert [read_frame_number(next(frames)) for _ in range(50)] == list(range(50))
    with pytest.raises(PicturesGrowError):
        next(frames)
    large = media.at_largest_size()
    assert (large.info.width, large.info.height) == (320, 240)
    shown = list(large.frames())
    assert {frame.shape for frame in shown} == {(240, 320, 3)}
    assert [read_frame_number(frame) for frame in shown] == [*range(50)] * 3


def test_a_picture_of_another_shape_keeps_it(tmp_path: Path) -> None:
    media = open_media(joined(tmp_path, (160, 120), (120, 160)), may_grow=True).at_largest_size()
    assert (media.info.width, media.info.height) == (160, 160)
    shown = list(media.frames())
    # Black above and below the first, left and right of the second; the pictures are neither stretched nor cut.
    for frame, inner in ((shown[0], np.s_[20:140, :]), (shown[60], np.s_[:, 20:140])):
        assert read_frame_number(frame[inner]) == (0 if frame is shown[0] else 10)
        outside = frame.copy()
        outside[inner] = 0
        assert outside.max() < 20
    # The marker, 32 of 160 by 32 of 120: drawn at 160 x 120, so 24 x 43 in the turned one.
    assert (shown[0][20:140, :, 0] > 128).any(axis=0).sum() == pytest.approx(32, abs=1)
    assert (shown[50][:, 20:140, 0] > 128).any(axis=0).sum() == pytest.approx(24, abs=1)


def test_without_the_wish_a_larger_picture_is_reduced(tmp_path: Path) -> None:
    media = open_media(joined(tmp_path, (160, 120), (320, 240)))
    assert numbers_of(media) == [*range(50)] * 2


# The sound that is heard


def with_tracks(
    path: Path, tracks: Sequence[Sequence[float] | None], default: int | None = None, codec: str = "pcm_s16le"
) -> Path:
    """A clip with a sound track for each list of click times; None is digital silence."""
    silent = Clip(click_times=())
    sounds = [draw_sound(silent if clicks is None else replace(silent, click_times=clicks)) for clicks in tracks]
    with av.open(f"file:{path}", "w") as container:
        picture: Any = container.add_stream("libx264", rate=25, options=dict(NEAR))
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        streams = [container.add_stream(codec, rate=48_000, layout="mono") for _ in tracks]
        for number, stream in enumerate(streams):
            stream.disposition = av.stream.Disposition.default if number == default else av.stream.Disposition(0)
        for number in range(50):
            frame = av.VideoFrame(160, 120, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
            for stream, sound in zip(streams, sounds, strict=True):
                piece = av.AudioFrame.from_ndarray(sound[None, number * 1920 : (number + 1) * 1920], "s16", "mono")
                piece.sample_rate, piece.pts, piece.time_base = 48_000, number * 1920, Fraction(1, 48_000)
                container.mux(stream.encode(piece))
        for stream in (picture, *streams):
            container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("tracks", "default", "heard"),
    [
        ([[0.5], [1.0]], None, 0),
        # The file's own word.
        ([[0.5], [1.0], [1.5]], 2, 2),
        # Nothing was recorded there, whatever the file says.
        ([None, [1.0], [1.5]], None, 1),
        ([[0.5], None], 1, 0),
        ([None, None], None, 0),
    ],
)
def test_the_default_track_is_heard_or_the_first_with_sound(
    tracks: list[list[float] | None], default: int | None, heard: int, tmp_path: Path
) -> None:
    media = open_media(with_tracks(tmp_path / "clip.mkv", tracks, default))
    assert (media.info.sound_track, media.info.sound_tracks) == (heard, len(tracks))
    assert find_clicks(media.samples) == pytest.approx(tracks[heard] or [], abs=MAX_BIAS_SECONDS)
    # Who reads the file again is told the same.
    assert media.settings.audio_track == heard


def test_several_mono_tracks_of_mxf(tmp_path: Path) -> None:
    path = tmp_path / "clip.mxf"
    with_tracks(path.with_suffix(".mov"), [None, [0.5, 1.5]])
    with av.open(str(path.with_suffix(".mov"))) as source, av.open(str(path), "w") as target:
        picture: Any = target.add_stream("mpeg2video", rate=25)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        sounds = [target.add_stream("pcm_s16le", rate=48_000, layout="mono") for _ in source.streams.audio]
        for frame in source.decode(video=0):
            target.mux(picture.encode(frame.reformat(format="yuv420p")))
        target.mux(picture.encode(None))
        for number, sound in enumerate(sounds):
            source.seek(0)
            for piece in source.decode(audio=number):
                target.mux(sound.encode(piece))
            target.mux(sound.encode(None))
    media = open_media(path)
    assert (media.info.container, media.info.sound_track, media.info.sound_tracks) == ("mxf", 1, 2)
    assert find_clicks(media.samples) == pytest.approx([0.5, 1.5], abs=MAX_BIAS_SECONDS)


def tape_of(channels: np.ndarray, layout: str) -> SoundTape:
    """One second of 48 kHz sound, (C, S), on a tape."""
    tape = SoundTape(Fraction(0))
    frame = av.AudioFrame.from_ndarray(
        np.ascontiguousarray(channels.T.astype(np.int16)).reshape(1, -1), format="s16", layout=layout
    )
    frame.sample_rate = 48_000
    tape.add(Fraction(0), frame)
    return tape


WAVE = np.asarray(draw_sound(Clip(seconds=1.0, click_times=(0.5,))), np.float64)
OTHER = np.asarray(draw_sound(Clip(seconds=1.0, click_times=(0.3,))), np.float64)


@pytest.mark.parametrize(
    ("channels", "layout", "alone"),
    [
        ([WAVE, WAVE], "stereo", None),
        ([WAVE, 0 * WAVE], "stereo", None),
        ([WAVE, OTHER], "stereo", None),
        ([WAVE, -0.5 * WAVE], "stereo", None),
        ([WAVE, -WAVE], "stereo", 0),
        # The sum has 0.1 squared of the loudest channel's energy.
        ([0.9 * WAVE, -WAVE], "stereo", 1),
        # The depths of an explosion are left out of every mix.
        ([0 * WAVE, 0 * WAVE, 0.3 * WAVE, OTHER, 0 * WAVE, 0 * WAVE], "5.1", None),
        # FFmpeg does not know what to do with channels that nobody named: the first, where it holds something.
        ([WAVE, *[OTHER] * 8], "9 channels", None),
        ([0 * WAVE, OTHER, 1.5 * WAVE, *[OTHER] * 6], "9 channels", 2),
        ([WAVE, OTHER, OTHER, OTHER], "ambisonic 1", None),
    ],
)
def test_channels_that_cancel_out_are_not_mixed(channels: list[np.ndarray], layout: str, alone: int | None) -> None:
    tape = tape_of(np.asarray(channels), layout)
    assert tape.louder_channel == alone
    samples = tape.finish()
    if layout in ("9 channels", "ambisonic 1"):
        heard = [] if not channels[0].any() else [0.5]
        assert find_clicks(samples) == pytest.approx(heard, abs=1e-3)


@pytest.mark.parametrize(("name", "codec"), [("clip.mp4", "aac"), ("clip.mkv", "libopus")])
def test_eight_channels_are_mixed(name: str, codec: str, tmp_path: Path) -> None:
    # In a plane of their own each, which PyAV cannot hand out: asked for them it takes the process along.
    path = write_clip(tmp_path / name, Clip(audio_codec=codec, layout="7.1"))
    assert find_clicks(open_media(path).samples) == pytest.approx([0.5, 1.0, 1.5], abs=MAX_BIAS_SECONDS)


def test_swapped_wires_are_heard_as_one_channel(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    wave = draw_sound(Clip())
    with av.open(f"file:{path}", "w") as container:
        picture: Any = container.add_stream("mpeg4", rate=25)
        picture.width, picture.height, picture.pix_fmt = 160, 120, "yuv420p"
        sound: Any = container.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        for number in range(50):
            frame = av.VideoFrame(160, 120, "yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
        pair = np.stack([wave, -wave], axis=1).reshape(1, -1)
        piece = av.AudioFrame.from_ndarray(np.ascontiguousarray(pair), format="s16", layout="stereo")
        piece.sample_rate = 48_000
        container.mux(sound.encode(piece))
        for stream in (picture, sound):
            container.mux(stream.encode(None))
    samples = open_media(path).samples
    assert find_clicks(samples) == pytest.approx([0.5, 1.0, 1.5], abs=MAX_BIAS_SECONDS)
    assert np.abs(samples).max() == pytest.approx(16_000, rel=0.05)


# AVI's order


@pytest.mark.parametrize(
    ("codec", "options", "depth"),
    [("mpeg4", (("bf", "2"),), 1), ("libx264", (("preset", "medium"), ("bf", "3")), 2)],
)
def test_avi_whose_sound_starts_later_by_the_depth_of_reordering(
    codec: str, options: tuple[tuple[str, str], ...], depth: int, tmp_path: Path
) -> None:
    clip = Clip(video_codec=codec, video_options=options, audio_codec="pcm_s16le")
    path = write_clip(tmp_path / "clip.avi", clip)
    assert bias_seconds(open_media(path), clip) == pytest.approx(0, abs=MAX_BIAS_SECONDS)
    data = bytearray(path.read_bytes())
    # What MEncoder does: dwStart of the sound's header, in samples, says that it begins with the first shown picture.
    header = data.index(b"auds")
    data[header + 28 : header + 32] = (depth * 1920).to_bytes(4, "little")
    path.write_bytes(data)
    assert bias_seconds(open_media(path), clip) == pytest.approx(0, abs=MAX_BIAS_SECONDS)
    # Sound that starts later by something else is late.
    data[header + 28 : header + 32] = (depth * 1920 + 9600).to_bytes(4, "little")
    path.write_bytes(data)
    assert bias_seconds(open_media(path), clip) == pytest.approx(-0.2 - 0.04 * depth, abs=MAX_BIAS_SECONDS)


class FakePacket:
    """What an ``AviClock`` looks at, in frames."""

    def __init__(self, dts: int) -> None:
        self.dts, self.pts, self.duration, self.is_keyframe = dts, dts, 1, dts == 0


def test_pictures_that_are_left_out_are_no_reordering() -> None:
    # Depth 1: the first picture comes out with the second packet, which is eleven frames on: ten were left out.
    clock = AviClock()
    for dts in (0, 11):
        clock.feed(FakePacket(dts))  # type: ignore[arg-type]
    assert (clock.shown_at(11), clock.depth) == (0, 1)
    clock.feed(FakePacket(12))  # type: ignore[arg-type]
    assert clock.shown_at(12) == 11


def test_what_ffmpeg_leaves_out_at_the_start_stands_in_its_file_twice() -> None:
    # As written by ffmpeg 5.1 of pictures 0, 11, 12, 13 ...: mpeg4 with a depth of 1, and x264 with a depth of 2.
    for times, depth in (([0, 11, 22, 23, 24], 11), ([0, 11, 12, 23, 24, 25], 12)):
        clock = AviClock(times)
        packets = 2 if depth == 11 else 3
        for dts in times[:packets]:
            clock.feed(FakePacket(dts))  # type: ignore[arg-type]
        assert (clock.shown_at(times[packets - 1]), clock.depth) == (0, depth)
        assert [clock.shown_at(dts) for dts in times[packets:]] == [11, 12, 13][: len(times) - packets]


def test_a_gap_that_stands_once_in_a_copy_by_ffmpeg_is_read_as_it_is() -> None:
    clock = AviClock([0, 11, 12, 13, 14])
    for dts in (0, 11):
        clock.feed(FakePacket(dts))  # type: ignore[arg-type]
    assert (clock.shown_at(11), clock.depth) == (0, 1)


@pytest.mark.parametrize(
    ("codec", "options"), [("mpeg4", {"bf": "2"}), ("libx264", {"preset": "medium", "bf": "3", "crf": "1"})]
)
def test_pictures_left_out_at_the_start_of_an_avi_file_by_ffmpeg(
    codec: str, options: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "gap.avi"
    numbers = [0, *range(11, 100)]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.width = stream.height = 64
        stream.codec_context.time_base = Fraction(1, 25)
        sound = container.add_stream("pcm_s16le", rate=16_000, layout="mono")
        for number in numbers:
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 2 * number + 20, np.uint8), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        samples = av.AudioFrame.from_ndarray(np.full((1, 64_000), 100, np.int16), format="s16", layout="mono")
        samples.sample_rate, samples.pts = 16_000, 0
        container.mux([*sound.encode(samples), *sound.encode()])
    shown = np.array([frame.mean() / 2 for frame in open_media(path).frames()])
    # From picture 11 on each comes at its own time; in the gap before it the nearer one.
    assert len(shown) == 100
    # Two grey levels a picture, as well as the codec keeps them; the gap taken twice would be ten pictures.
    assert shown[11:] - shown[0] == pytest.approx(np.arange(11, 100), abs=2)


# The clock's start


def rising(*steps_ms: float, count: int = 100) -> np.ndarray:
    return np.concatenate([[0.0], np.cumsum(np.resize(steps_ms, count))]) / 1000


@pytest.mark.parametrize(
    ("times", "phase_ms"),
    [
        (rising(40), 0),
        (rising(20), 0),
        (rising(1000 / 30), 0),
        (rising(1001 / 24), 0),
        (rising(200 / 3), 0),
        # Ticks at -20, 20, 60, 100 ms lie 20 ms before and after a picture in turn.
        (rising(80), -20),
        # The first picture stands for 23 ms only: all others lie 17 ms before a tick.
        (np.concatenate([[0.0], 0.023 + np.arange(100) / 25]), -17),
        (np.concatenate([[0.0], 0.057 + np.arange(100) / 25]), 17),
        # Too few to tell a phase from chance, and none at all.
        (np.array([0, 0.03, 0.1, 0.141, 0.2, 0.25, 0.5]), 0),
        (np.array([0.0]), 0),
        (np.array([]), 0),
    ],
)
def test_the_clock_begins_where_pictures_lie_to_no_side_of_its_ticks(times: np.ndarray, phase_ms: float) -> None:
    assert float(grid_phase(times)) * 1000 == pytest.approx(phase_ms, abs=0.5)


FIRST_OUT_OF_STEP = [0.0, *(0.0232 + 0.04 * k for k in range(99))]


@pytest.mark.parametrize(
    "clip",
    [
        Clip(fps=Fraction(25, 2), seconds=4.0, video_options=NEAR),
        Clip(frame_times=FIRST_OUT_OF_STEP, seconds=4.0, video_options=NEAR),
        Clip(
            frame_times=FIRST_OUT_OF_STEP,
            seconds=4.0,
            video_options=NEAR,
            muxer_options=(("movflags", "frag_keyframe+empty_moov+default_base_moof"),),
        ),
    ],
)
def test_pictures_out_of_step_with_the_clock_have_no_bias(clip: Clip, tmp_path: Path) -> None:
    media = open_media(write_clip(tmp_path / "clip.mp4", clip))
    assert media.phase != 0
    assert bias_seconds(media, clip) == pytest.approx(0, abs=MAX_BIAS_SECONDS)


# Fields


def moving_bar(time: float) -> np.ndarray:
    picture = np.full((120, 160, 3), 40, np.uint8)
    left = 20 + round(100 * time) % 100
    cv2.rectangle(picture, (left, 30), (left + 30, 90), (220, 220, 220), -1)
    return picture


@pytest.mark.parametrize("even_lines_first", [True, False])
@pytest.mark.parametrize(("interlaced", "earlier_ms"), [(True, 10), (False, 0)])
def test_the_second_field_counts(interlaced: bool, earlier_ms: int, even_lines_first: bool, tmp_path: Path) -> None:
    def weave(number: int) -> av.VideoFrame:
        first = moving_bar(number / 25)
        second = moving_bar(number / 25 + (1 / 50 if interlaced else 0))
        woven = (first if even_lines_first else second).copy()
        woven[1::2] = (second if even_lines_first else first)[1::2]
        return av.VideoFrame.from_ndarray(woven, format="bgr24")

    # Both streams say that they hold fields; one holds whole pictures all the same.
    fields = (("flags", "+ildct+ilme"), ("qscale", "2"))
    clip = Clip(container="mpegts", video_codec="mpeg2video", audio_codec="mp2", video_options=fields)
    media = open_media(write_clip(tmp_path / "clip.ts", clip, draw=weave))
    # A picture of fields was taken 10 ms after its stamp, so the sound beside it is what came 10 ms later.
    expected = [time - earlier_ms / 1000 for time in clip.click_times]
    assert find_clicks(media.samples) == pytest.approx(expected, abs=MAX_BIAS_SECONDS)


# Damage, rates, endings


def test_corrupt_pictures_are_counted(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", Clip(video_codec="mpeg4", video_options=(("qscale", "2"), ("g", "50"))))
    media = open_media(path)
    numbers_of(media)
    assert media.damage.corrupt_pictures == 0
    with av.open(str(path)) as container:
        places = [(packet.pos, packet.size) for packet in container.demux(video=0) if packet.size]
    data = bytearray(path.read_bytes())
    for pos, size in places[10:13]:
        data[pos + size // 2 : pos + size] = b"\x55" * (size - size // 2)
    path.write_bytes(data)
    media = open_media(path)
    numbers_of(media)
    assert media.damage.corrupt_pictures == 3


def test_a_rate_that_nobody_states_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "clip.mxf"
    write_clip(path, Clip(video_codec="mpeg2video", audio_codec="pcm_s16le"))
    assert open_media(path).info.source_fps == 25.0


def test_a_rate_that_changes_is_that_of_the_whole_file(tmp_path: Path) -> None:
    # 25 a second for 2 s, then 5 a second for 4 s: 70 pictures, the last one at 5.8 s.
    times = [number / 25 for number in range(50)] + [2 + number / 5 for number in range(20)]
    clip = Clip(seconds=6.0, frame_times=times, audio_codec="libopus", video_options=NEAR)
    assert open_media(write_clip(tmp_path / "clip.mkv", clip)).info.source_fps == pytest.approx(69 / 5.8, abs=0.01)


KINDS: dict[str, dict[str, Any]] = {
    "clip.mxf": {"video_codec": "mpeg2video", "audio_codec": "pcm_s16le"},
    "clip.3g2": {"video_codec": "mpeg4", "audio_codec": "aac"},
    "clip.f4v": {"video_codec": "libx264", "audio_codec": "aac"},
    "clip.vob": {"video_codec": "mpeg2video", "audio_codec": "mp2"},
    "clip.asf": {"video_codec": "wmv2", "audio_codec": "wmav2"},
    "clip.ogv": {"video_codec": "libvpx", "audio_codec": "libopus"},
}


@pytest.mark.parametrize("name", KINDS)
def test_further_containers_keep_picture_and_sound_together(name: str, tmp_path: Path) -> None:
    clip = Clip(**KINDS[name])
    media = open_media(write_clip(tmp_path / name, clip))
    assert numbers_of(media) == list(range(50))
    assert find_clicks(media.samples) == pytest.approx(clip.click_times, abs=MAX_BIAS_SECONDS)


def test_raw_dv(tmp_path: Path) -> None:
    path = tmp_path / "clip.dv"
    clip = Clip(sample_rate=48_000, layout="stereo")
    try:
        write_dv(path, clip)
    except (ValueError, av.FFmpegError) as error:
        pytest.skip(f"DV cannot be written here: {error}")
    media = open_media(path)
    # 720 x 576 of 16:15, stated by the camera for 4:3; the rate of the stream is the unit of its clock.
    assert (media.info.width, media.info.height) == (768, 576)
    assert media.info.source_fps == pytest.approx(25)
    assert numbers_of(media) == list(range(50))
    assert find_clicks(media.samples) == pytest.approx(clip.click_times, abs=MAX_BIAS_SECONDS)


def write_dv(path: Path, clip: Clip) -> None:
    sound = np.repeat(draw_sound(clip), 2)[None]
    with av.open(f"file:{path}", "w", format="dv") as container:
        picture: Any = container.add_stream("dvvideo", rate=25)
        picture.width, picture.height, picture.pix_fmt = 720, 576, "yuv420p"
        track: Any = container.add_stream("pcm_s16le", rate=48_000, layout="stereo")
        container.start_encoding()
        from synthetic.media import draw_frame

        for number in range(50):
            drawn = cv2.resize(draw_frame(number), (720, 576), interpolation=cv2.INTER_NEAREST)
            frame = av.VideoFrame.from_ndarray(drawn, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(picture.encode(frame))
            piece = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[:, number * 3840 : (number + 1) * 3840]), format="s16", layout="stereo"
            )
            piece.sample_rate, piece.pts, piece.time_base = 48_000, number * 1920, Fraction(1, 48_000)
            container.mux(track.encode(piece))
        for stream in (picture, track):
            container.mux(stream.encode(None))

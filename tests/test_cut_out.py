"""Parts of a picture that are made by themselves are those of the whole picture, pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace

from syncnet.faces.crops import FaceCrop, crop_face
from syncnet.media.cut_out import cut_out
from syncnet.media.opening import open_media
from syncnet.media.picture import FrameConverter
from synthetic.media import Clip, write_clip

EDGES = [(0, 8), (3, 10), (7, 90), (15, 64), (40, 41), (1, 119), (112, 120), (90, 119)]
"""First row or column, and the one after the last, in pictures of 120 or more."""


def noise(width: int, height: int, pixel_format: str = "yuv420p") -> VideoFrame:
    frame = VideoFrame(width, height, pixel_format)
    random = np.random.default_rng(width + height)
    for plane in frame.planes:
        plane.update(random.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    return frame


def parts_of_edges() -> Iterator[tuple[slice, slice]]:
    for top, bottom in EDGES:
        for left, right in EDGES:
            yield slice(top, bottom), slice(left, right)


def assert_parts_are_of_the_whole(converter: FrameConverter, frame: VideoFrame) -> None:
    """The parts come first: they are taken from the whole where that is at hand."""
    parts = [(each, converter.picture(frame).part(*each)) for each in parts_of_edges()]
    whole = converter.convert(frame)
    for (rows, columns), part in parts:
        np.testing.assert_array_equal(part, whole[rows, columns])


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuvj420p"])
@pytest.mark.parametrize("colour_range", list(ColorRange)[:3])
@pytest.mark.parametrize("colours", [Colorspace.ITU709, Colorspace.ITU601, Colorspace.BT2020])
@pytest.mark.parametrize("size_px", [(160, 120), (854, 480), (122, 126)])
def test_a_part_has_the_pixels_of_the_whole(
    pixel_format: str, colour_range: ColorRange, colours: Colorspace, size_px: tuple[int, int]
) -> None:
    frame = noise(*size_px, pixel_format)
    frame.color_range, frame.colorspace = colour_range, colours
    assert_parts_are_of_the_whole(FrameConverter(), frame)
    assert all(cut_out(frame, range(480)[rows], range(854)[columns]) is not None for rows, columns in parts_of_edges())


@pytest.mark.parametrize(
    ("pixel_format", "width", "height"),
    [
        *(("yuv420p", *size_px) for size_px in [(161, 120), (160, 121), (225, 223)]),
        *((name, 160, 120) for name in ["yuv422p", "yuv444p", "nv12", "yuv420p10le", "gray", "bgr24"]),
    ],
)
def test_what_cannot_be_cut_is_taken_from_the_whole(pixel_format: str, width: int, height: int) -> None:
    frame = noise(width, height, pixel_format)
    assert_parts_are_of_the_whole(FrameConverter(), frame)
    assert cut_out(frame, range(8), range(8)) is None


def test_pictures_that_are_brought_to_another_size_are_made_whole() -> None:
    assert_parts_are_of_the_whole(FrameConverter((320, 240)), noise(160, 120))
    assert_parts_are_of_the_whole(FrameConverter((200, 130)), noise(160, 120))


def test_a_part_beyond_the_picture_is_empty() -> None:
    picture = FrameConverter().picture(noise(160, 120))
    assert picture.part(slice(0, 20), slice(160, 180)).shape == (20, 0, 3)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("counter_clockwise", [0, 90, 180, 270])
def test_parts_of_turned_pictures(counter_clockwise: int, mirrored: bool, tmp_path: Path) -> None:
    clip = Clip(
        video_codec="ffv1",
        seconds=0.2,
        size_px=(160, 130),
        counter_clockwise_degrees=counter_clockwise,
        mirrored=mirrored,
    )
    picture = next(open_media(write_clip(tmp_path / "clip.mkv", clip, draw=lambda _: noise(160, 130))).pictures())
    parts = [(each, picture.part(*each)) for each in parts_of_edges()]
    for (rows, columns), part in parts:
        np.testing.assert_array_equal(part, picture.bgr()[rows, columns])


def test_fields_keep_their_colours(tmp_path: Path) -> None:
    fields = (("flags", "+ildct+ilme"), ("qscale", "2"))
    clip = Clip(container="mpegts", video_codec="mpeg2video", audio_codec="mp2", seconds=0.2, video_options=fields)
    path = write_clip(tmp_path / "clip.ts", clip, draw=lambda _: noise(160, 120))
    with av.open(str(path)) as container:
        frame = next(container.decode(video=0))
    assert frame.interlaced_frame
    assert_parts_are_of_the_whole(FrameConverter(), frame)


@pytest.mark.parametrize("place", [(60.0, 60.0, 20.0), (5.0, 110.0, 33.3), (155.0, 4.0, 25.5), (80.0, 60.0, 90.0)])
def test_a_crop_is_that_of_the_whole_picture(place: tuple[float, float, float]) -> None:
    picture = FrameConverter().picture(noise(160, 120))
    np.testing.assert_array_equal(FaceCrop(picture, *place).bgr(), crop_face(picture.bgr(), *place))

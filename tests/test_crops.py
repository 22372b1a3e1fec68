"""Crops: equal to the published ones pixel by pixel, and smoothing by hand."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from syncnet.faces.crops import TrackCropper, crop_face, smooth_boxes
from syncnet.faces.tracks import Track

MEDIAN_REACH = 6
"""Half of the 13 frames of the median filter."""


def test_crop_equals_the_published_one_on_a_real_clip(test_data: Path) -> None:
    golden = np.load(test_data / "goldens" / "crops_example.npz")
    with av.open(str(test_data / "clips" / "example.avi")) as container:
        frames = [frame.to_ndarray(format="bgr24") for frame in container.decode(video=0)]
    for position, expected in zip(golden["crop_indices"], golden["crops_bgr"], strict=True):
        x, y, s = golden["smoothed_xys"][position]
        np.testing.assert_array_equal(crop_face(frames[int(golden["first_frame"]) + position], x, y, s), expected)


def test_crop_that_reaches_outside_equals_the_published_one(test_data: Path) -> None:
    golden = np.load(test_data / "goldens" / "crops_outside.npz")
    crop = crop_face(golden["frame_bgr"], float(golden["x"]), float(golden["y"]), float(golden["s"]))
    np.testing.assert_array_equal(crop, golden["crop_bgr"])


def test_crop_spans_one_half_size_up_and_1_8_down() -> None:
    # s = 80 makes a square of 2.8 * 80 = 224 pixels: nothing is resized, so the crop is a plain cut-out that starts at
    # x - 1.4 s = 200 - 112 = 88 and y - s = 150 - 80 = 70.
    frame = np.random.default_rng(0).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    np.testing.assert_array_equal(crop_face(frame, 200.0, 150.0, 80.0), frame[70:294, 88:312])


def test_crop_is_grey_outside_the_frame() -> None:
    # The same square around the frame's corner: the frame fills what lies right of 112 and below 80.
    frame = np.full((400, 500, 3), 7, dtype=np.uint8)
    crop = crop_face(frame, 0.0, 0.0, 80.0)
    expected = np.full((224, 224, 3), 110, dtype=np.uint8)
    expected[80:, 112:] = 7
    np.testing.assert_array_equal(crop, expected)


def test_crop_larger_than_a_frame_has_grey_on_all_sides() -> None:
    # 20 x 10 pixels in the middle of a square of 224: left edge 10 - 112, top edge 5 - 80.
    frame = np.full((10, 20, 3), 7, dtype=np.uint8)
    crop = crop_face(frame, 10.0, 5.0, 80.0)
    expected = np.full((224, 224, 3), 110, dtype=np.uint8)
    expected[75:85, 102:122] = 7
    np.testing.assert_array_equal(crop, expected)


def test_smoothing_gives_centre_and_half_of_the_longer_side() -> None:
    boxes = np.tile([10.0, 20.0, 50.0, 80.0], (20, 1))
    # Centre (30, 50); the sides are 40 and 60.
    np.testing.assert_array_equal(smooth_boxes(boxes), np.tile([30.0, 50.0, 30.0], (20, 1)))


def test_smoothing_drops_a_jump_of_six_frames_but_keeps_one_of_seven() -> None:
    still, jumped = [0.0, 0.0, 10.0, 10.0], [100.0, 0.0, 110.0, 10.0]
    six = np.array([still] * 10 + [jumped] * 6 + [still] * 10)
    np.testing.assert_array_equal(smooth_boxes(six)[:, 0], np.full(26, 5.0))
    seven = np.array([still] * 10 + [jumped] * 7 + [still] * 10)
    # Every window that is centred in the jump holds all seven frames of it, the majority of its 13.
    assert np.flatnonzero(smooth_boxes(seven)[:, 0] == 105.0).tolist() == [10, 11, 12, 13, 14, 15, 16]


def test_smoothing_repeats_the_end_values() -> None:
    # A face that moves by 2 a frame from centre 5. At frame 0 the window holds 7 times the centre 5 and then 7, 9 ...:
    # its median is 5. At frame 3: 4 times 5, then 7 .. 23: the seventh of the thirteen is 11, the true place.
    boxes = np.array([[2.0 * n, 0.0, 2.0 * n + 10.0, 10.0] for n in range(30)])
    np.testing.assert_array_equal(smooth_boxes(boxes)[:, 0], [5.0 + 2.0 * n for n in range(30)])


def test_smoothing_of_a_track_shorter_than_the_window() -> None:
    np.testing.assert_array_equal(smooth_boxes(np.array([[0, 0, 4, 8], [2, 0, 6, 8]])), [[2, 4, 4], [4, 4, 4]])


def test_smoothing_equals_the_published_one_away_from_the_ends(test_data: Path) -> None:
    golden = np.load(test_data / "goldens" / "crops_example.npz")
    inner = slice(MEDIAN_REACH, -MEDIAN_REACH)
    smoothed = smooth_boxes(golden["boxes_xyxy"])
    # Sums of float64 in another order differ in the last digit.
    np.testing.assert_allclose(smoothed[inner], golden["smoothed_xys"][inner], rtol=1e-12)


def test_cropper_uses_the_box_of_the_frame() -> None:
    # Two faces far apart in time: half-size 80, centre (200, 150) in the first 20 frames, (260, 150) in the last 20.
    boxes = np.repeat(np.float32([[120, 70, 280, 230], [180, 70, 340, 230]]), 20, axis=0)
    cropper = TrackCropper(Track(np.arange(100, 140), boxes))
    frame = np.random.default_rng(1).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    np.testing.assert_array_equal(cropper.crop(100, frame), frame[70:294, 88:312])
    np.testing.assert_array_equal(cropper.crop(139, frame), frame[70:294, 148:372])
    for outside in (99, 140):
        with pytest.raises(IndexError, match=f"frame {outside}"):
            cropper.crop(outside, frame)

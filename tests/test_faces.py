"""Which frames are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from detectors import Detections
from syncnet.faces import find_faces
from syncnet.settings import DetectSettings, ShotSettings
from syncnet.shots import Shot


class NotingDetector:
    """Notes which frames it is shown; every frame carries its number in its first two pixels."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        number = int(frame_bgr[0, 0, 0])
        self.frames.append(number)
        return Detections(np.float32([[number, 0, number + 1, 1]]), np.float32([1]))


def numbered(frame_count: int, cuts: tuple[int, ...] = ()) -> list[np.ndarray]:
    """Grey frames, alternately dark and bright from cut to cut."""
    frames = []
    for number in range(frame_count):
        frame = np.full((32, 32, 3), 20 + 200 * (sum(cut <= number for cut in cuts) % 2), dtype=np.uint8)
        frame[0, 0] = number
        frames.append(frame)
    return frames


def looks(frame_count: int, every: int, cuts: tuple[int, ...] = ()) -> list[int]:
    detector = NotingDetector()
    found = find_faces(
        iter(numbered(frame_count, cuts)), detector, DetectSettings(detect_every_frames=every), ShotSettings()
    )
    # No frame is looked at twice, and what was found is kept under its frame's number.
    assert detector.frames == list(found.detections) == [int(d.boxes[0, 0]) for d in found.detections.values()]
    assert found.looked_at_every == every
    assert found.frame_count == frame_count
    return detector.frames


@pytest.mark.parametrize(
    ("frame_count", "every", "cuts", "expected"),
    [
        (5, 1, (), [0, 1, 2, 3, 4]),
        (11, 5, (), [0, 5, 10]),
        # The last frame is looked at though it is not the fifth.
        (13, 5, (), [0, 5, 10, 12]),
        # Both sides of the cut at 7, then every fifth frame from there.
        (20, 5, (7,), [0, 5, 6, 7, 12, 17, 19]),
        # The frame before the cut was looked at already.
        (12, 5, (6,), [0, 5, 6, 11]),
        # A shot of one frame.
        (12, 5, (6, 7), [0, 5, 6, 7, 11]),
        (1, 5, (), [0]),
        (0, 5, (), []),
    ],
)
def test_which_frames_are_looked_at(frame_count: int, every: int, cuts: tuple[int, ...], expected: list[int]) -> None:
    assert looks(frame_count, every, cuts) == expected


def test_shots_come_along() -> None:
    found = find_faces(numbered(20, (7,)), NotingDetector(), DetectSettings(detect_every_frames=5), ShotSettings())
    assert found.shots == [Shot(0, 7), Shot(7, 20)]
    empty = find_faces([], NotingDetector(), DetectSettings(), ShotSettings())
    assert empty.shots == []
    assert empty.detections == {}

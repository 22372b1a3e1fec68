"""Which frames are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.protocol import Detections
from syncnet.faces.finding import Lookout, find_faces
from syncnet.faces.shots import Shot
from syncnet.settings import DetectSettings, ShotSettings


class NotingDetector:
    """Notes which frames it is shown; every frame carries its number in its first two pixels."""

    def __init__(self) -> None:
        self.frames: list[int] = []

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        number = int(frame_bgr[0, 0, 0])
        self.frames.append(number)
        return Detections(np.float32([[number, 0, number + 1, 1]]), np.float32([1]))


def numbered(frame_count: int, cuts: tuple[int, ...] = ()) -> list[np.ndarray]:
    """Grey frames, of another brightness after each cut; the one before the first cut comes back after the third."""
    frames = []
    for number in range(frame_count):
        frame = np.full((32, 32, 3), 20 + 90 * (sum(cut <= number for cut in cuts) % 3), dtype=np.uint8)
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
        (12, 5, (6, 8), [0, 5, 6, 7, 8, 11]),
        (1, 5, (), [0]),
        (0, 5, (), []),
    ],
)
def test_which_frames_are_looked_at(frame_count: int, every: int, cuts: tuple[int, ...], expected: list[int]) -> None:
    assert looks(frame_count, every, cuts) == expected


def test_a_picture_that_stands_is_searched_once() -> None:
    first, second = numbered(2)
    detector = NotingDetector()
    found = find_faces([first] * 12 + [second] * 4, detector, DetectSettings(detect_every_frames=5), ShotSettings())
    # The looks are those of any 16 frames; only the second picture's two fall on frame 15.
    assert [(index, int(faces.boxes[0, 0])) for index, faces in found.detections.items()] == [
        (0, 0),
        (5, 0),
        (10, 0),
        (15, 1),
    ]
    assert detector.frames == [0, 1]


def test_shots_come_along() -> None:
    found = find_faces(numbered(20, (7,)), NotingDetector(), DetectSettings(detect_every_frames=5), ShotSettings())
    assert found.shots == [Shot(0, 7), Shot(7, 20)]
    empty = find_faces([], NotingDetector(), DetectSettings(), ShotSettings())
    assert empty.shots == []
    assert empty.detections == {}


class MovingFaces:
    """Faces of side 100 whose left edges are given for each frame number, which stands in for the frame."""

    def __init__(self, lefts_by_frame: dict[int, list[float]]) -> None:
        self._lefts_by_frame = lefts_by_frame

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        lefts = self._lefts_by_frame[int(frame_bgr)]
        return Detections(np.float32([[x, 0, x + 100, 100] for x in lefts]).reshape(-1, 4), np.ones(len(lefts)))


def looks_at(lefts_by_frame: dict[int, list[float]], every: int) -> list[int]:
    lookout = Lookout(MovingFaces(lefts_by_frame), every)
    for number in lefts_by_frame:
        lookout.show(np.array(number), starts_shot=number == 0)
    lookout.end_shot()
    return sorted(lookout.detections)


@pytest.mark.parametrize(
    ("speed", "expected"),
    [
        # 8 px a frame are 32 in four frames: 68 / 132 = 0.515 of overlap, which can be followed.
        (8, [0, 4, 8]),
        # 9 px a frame are 36 in four: 64 / 136 = 0.47; two frames are 18: 82 / 118 = 0.69.
        (9, [0, 2, 4, 6, 8]),
        # 20 px a frame are 40 in two: 60 / 140 = 0.43, so that every frame is needed.
        (20, [0, 1, 2, 3, 4, 5, 6, 7, 8]),
        # 25 px a frame and more leave no overlap at all: taken for another face.
        (25, [0, 4, 8]),
    ],
)
def test_a_fast_face_is_looked_at_more_often(speed: int, expected: list[int]) -> None:
    assert looks_at({n: [float(speed * n)] for n in range(9)}, every=4) == expected


def test_more_looks_only_where_the_face_is_fast() -> None:
    # It rests until frame 4, moves by 9 a frame until frame 8 and rests again.
    lefts = {n: [9.0 * min(max(n - 4, 0), 4)] for n in range(13)}
    assert looks_at(lefts, every=4) == [0, 4, 6, 8, 12]


def test_faces_that_come_and_go_cause_no_more_looks() -> None:
    # One face stays; another is seen in frames 0 to 3 only, a third from frame 5 on where the still one overlaps it.
    lefts = {n: [0.0, *([400.0] if n < 4 else []), *([60.0] if n > 4 else [])] for n in range(9)}
    assert looks_at(lefts, every=4) == [0, 4, 8]


def test_motion_up_to_the_last_frame_is_followed() -> None:
    # The last frame, 6, is not the fourth after 4: 4 -> 6 lie 2 * 20 apart, an overlap of 0.43.
    assert looks_at({n: [20.0 * n] for n in range(7)}, every=4) == [0, 1, 2, 3, 4, 5, 6]


def test_no_look_at_frames_in_between_across_a_cut() -> None:
    # At the cut in frame 6 the face jumps by 40: another picture, which says nothing about motion.
    lookout = Lookout(MovingFaces({n: [0.0 if n < 6 else 40.0] for n in range(12)}), 4)
    for number in range(12):
        lookout.show(np.array(number), starts_shot=number in (0, 6))
    lookout.end_shot()
    assert sorted(lookout.detections) == [0, 4, 5, 6, 10, 11]

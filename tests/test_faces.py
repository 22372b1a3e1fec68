"""Which frames are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.protocol import Detections, box_overlaps
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


class NearFaces(MovingFaces):
    """Notes the whole looks and the others, which see the faces that overlap known ones by more than half."""

    def __init__(self, lefts_by_frame: dict[int, list[float]]) -> None:
        super().__init__(lefts_by_frame)
        self.whole: list[int] = []
        self.near: list[int] = []

    def detect(self, frame: np.ndarray) -> Detections:
        self.whole.append(int(frame))
        return super().detect(frame)

    def detect_near(self, frame: np.ndarray, boxes: np.ndarray) -> Detections | None:
        faces = super().detect(frame)
        followed = box_overlaps(boxes, faces.boxes) > 0.5
        if not followed.any(axis=1).all():
            return None
        self.near.append(int(frame))
        return Detections(faces.boxes[followed.any(axis=0)], faces.scores[followed.any(axis=0)])


def look_near(lefts_by_frame: dict[int, list[float]]) -> tuple[Lookout, NearFaces]:
    detector = NearFaces(lefts_by_frame)
    lookout = Lookout(detector, 5)
    for number in lefts_by_frame:
        lookout.show(np.array(number), starts_shot=number == 0)
    lookout.end_shot()
    return lookout, detector


def test_a_face_that_rests_is_looked_at_half_as_often_and_the_whole_picture_at_most_40_frames_apart() -> None:
    _, detector = look_near({n: [0.0] for n in range(100)})
    assert detector.whole == [0, 40, 80, 99]
    assert detector.near == [10, 20, 30, 50, 60, 70, 90]


def test_a_face_that_moves_is_looked_at_as_often_as_without_near_looks() -> None:
    # 20 px in ten frames: 80 / 120 = 0.67 of overlap, below what counts as rest.
    lookout, detector = look_near({n: [2.0 * n] for n in range(41)})
    assert sorted(lookout.detections) == list(range(0, 41, 5))
    # The face is the same at both ends of the last ten frames too, but their end is a whole look.
    assert (detector.whole, sorted(detector.near)) == ([0, 40, 35], [5, 10, 15, 20, 25, 30])
    # 16 px in ten frames: 84 / 116 = 0.72. 8 px: 92 / 108 = 0.852, which is rest.
    assert sorted(look_near({n: [0.8 * n] for n in range(41)})[0].detections) == list(range(0, 41, 10))


def test_a_new_face_is_traced_back_to_the_look_that_sees_it_first() -> None:
    lookout, detector = look_near({n: [0.0, *([300.0] if n >= 23 else [])] for n in range(60)})
    counts = {frame: len(found.boxes) for frame, found in sorted(lookout.detections.items())}
    assert counts == {0: 1, 10: 1, 20: 1, 25: 2, 30: 2, 40: 2, 50: 2, 59: 2}
    assert detector.whole == [0, 40, 30, 25, 20, 59]


def test_a_face_that_is_lost_is_looked_for_in_whole_pictures_until_it_cannot_come_back() -> None:
    lookout, detector = look_near({n: [0.0] if n <= 42 else [] for n in range(100)})
    assert [frame for frame, found in sorted(lookout.detections.items()) if len(found.boxes)] == [0, 10, 20, 30, 40]
    # Lost at 50: 45 lies between, and from there every fifth frame for 30 frames.
    assert detector.whole == [0, 40, 50, 45, 55, 60, 65, 70, 75, 99]


def test_a_face_that_comes_back_is_followed_from_the_same_frame_as_without_near_looks() -> None:
    lefts = {n: [0.0, *([300.0] if n <= 42 or n >= 62 else [])] for n in range(100)}
    lookout, _ = look_near(lefts)
    plain = Lookout(MovingFaces(lefts), 5)
    for number in lefts:
        plain.show(np.array(number), starts_shot=number == 0)
    plain.end_shot()
    both = [
        [frame for frame, found in sorted(one.detections.items()) if len(found.boxes) == 2] for one in (lookout, plain)
    ]
    assert (max(f for f in both[0] if f < 62), min(f for f in both[0] if f > 42)) == (40, 65)
    assert (max(f for f in both[1] if f < 62), min(f for f in both[1] if f > 42)) == (40, 65)


def test_frames_are_settled_by_whole_looks_alone() -> None:
    lookout = Lookout(NearFaces({n: [0.0] for n in range(50)}), 5)
    settled = []
    for number in range(50):
        lookout.show(np.array(number), starts_shot=number == 0)
        settled.append(lookout.settled_frames)
    assert settled == [1] * 40 + [41] * 10
    lookout.end_shot()
    assert lookout.settled_frames == 50


def test_a_shot_that_ends_with_a_near_look_gets_a_whole_one_there() -> None:
    lookout, detector = look_near({n: [0.0, *([300.0] if n >= 8 else [])] for n in range(11)})
    assert (detector.whole, detector.near) == ([0, 10, 5], [10])
    assert len(lookout.detections[10].boxes) == 2

"""Which tracks show one face: by time, place, size and look."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.faces.people import MOST_BETWEEN_FRAMES, FaceLook, find_people, long_enough_together, may_follow
from syncnet.faces.tracks import Track


def track(first_frame: int, frame_count: int, left: float = 100.0, size: float = 80.0) -> Track:
    box = np.array([left, 50, left + size, 50 + size], np.float32)
    return Track(np.arange(first_frame, first_frame + frame_count), np.tile(box, (frame_count, 1)))


def face(seed: int, count: int = 3) -> FaceLook:
    """Smooth blobs that differ from seed to seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (7, 7, 3)).astype(np.uint8)
    crop = np.kron(coarse, np.ones((32, 32, 1), np.uint8))
    look = FaceLook()
    look.see([np.clip(crop.astype(int) + shade, 0, 255).astype(np.uint8) for shade in range(count)])
    return look


@pytest.mark.parametrize(
    ("after", "follows"),
    [
        (track(40, 40), True),
        # A zoom by a third around another point; one by more than two and a half.
        (track(40, 40, left=60, size=108), True),
        (track(40, 40, size=210), False),
        # 161 px to the side, of a face of 80.
        (track(40, 40, left=261), False),
        (track(40 + MOST_BETWEEN_FRAMES, 40), True),
        (track(41 + MOST_BETWEEN_FRAMES, 40), False),
        # Two faces at once are two people.
        (track(39, 40), False),
    ],
)
def test_an_edit_may_move_a_face_so_far(after: Track, follows: bool) -> None:
    assert may_follow(track(0, 40), after) == follows


def test_pieces_that_are_long_enough_together_stay() -> None:
    pieces = [track(0, 30), track(35, 25), track(0, 30, left=900), track(200, 60)]
    assert long_enough_together(pieces, 50) == [True, True, False, True]
    # Through a third one that lies between them.
    assert long_enough_together([track(0, 20), track(60, 20), track(120, 20)], 60) == [True] * 3
    assert long_enough_together([], 50) == []


def test_pieces_of_one_look_are_one_person_and_others_are_not() -> None:
    tracks = [track(0, 40), track(40, 40), track(80, 40), track(120, 40)]
    assert find_people(tracks, [face(1), face(2), face(1), face(2)]) == [[0, 2], [1, 3]]
    assert find_people(tracks, [face(1)] * 4) == [[0, 1, 2, 3]]


def test_the_same_look_in_two_places_at_once_is_two_people() -> None:
    tracks = [track(0, 60), track(20, 60)]
    assert find_people(tracks, [face(1), face(1)]) == [[0], [1]]


def test_a_face_in_other_colours_is_another_one() -> None:
    """As bright and dark in the same places, but blue where the other is red."""
    crop = np.zeros((224, 224, 3), np.uint8)
    crop[10:214, 10:214] = (40, 90, 200)
    one, other = FaceLook(), FaceLook()
    one.see([crop])
    other.see([np.ascontiguousarray(crop[..., ::-1])])
    assert one.likeness(one) > 0.99
    assert one.likeness(other) == 0.0


def test_a_look_is_spread_over_the_track_and_bounded() -> None:
    long = FaceLook()
    for seed in range(100):
        long.see([np.full((224, 224, 3), seed, np.uint8)])
    assert 8 <= len(long._looks) <= 16
    # Grey values rise with the frames: the last quarter is among them.
    assert max(int(look[0, 0, 0]) for look in long._looks) > 75


def test_a_look_that_is_finished_is_compared_as_before() -> None:
    one, other, third = face(1, 40), face(1, 3), face(2, 3)
    before = one.likeness(other), one.likeness(third), one.likeness(FaceLook())
    assert before[0] > 0.99 > before[1] and before[2] == 0.0
    one.finish()
    other.finish()
    third.finish()
    empty = FaceLook()
    empty.finish()
    assert (one.likeness(other), one.likeness(third), one.likeness(empty)) == before
    assert not one._looks

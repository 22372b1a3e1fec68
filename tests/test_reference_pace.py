"""FFmpeg's habits at changing frame rates, worked out by hand from its rules."""

from __future__ import annotations

import pytest

from syncnet.reference.pace import pace_constant, pace_variable


def frames_at(step: float, count: int, duration: float) -> list[tuple[float, float, int]]:
    """Frame k, shown at k steps of the output's clock."""
    return [(k * step, duration, k) for k in range(count)]


def test_frames_of_the_same_rate_keep_their_numbers() -> None:
    assert list(pace_variable(frames_at(1, 4, 1))) == [(0, 0), (1, 1), (2, 2), (3, 3)]
    assert list(pace_constant(frames_at(1, 4, 1))) == [0, 1, 2, 3]


def test_of_50_frames_a_second_the_picture_falls_a_frame_behind() -> None:
    # A frame of half a tick is dropped once its end is 0.6 behind its number. Frame 1 (0.5 to 1.0) meets number 1 and
    # frame 2 (1.0 to 1.5) number 2, half behind: both stay. Frame 3 (1.5 to 2.0) is a whole tick behind number 3 and
    # goes. From frame 4 on, shown at 2.0, every second one stays, at the number after its time: 40 ms late.
    assert list(pace_variable(frames_at(0.5, 10, 0.5))) == [(0, 0), (1, 1), (2, 2), (3, 4), (4, 6), (5, 8)]


def test_of_30_frames_a_second_the_picture_falls_a_frame_behind() -> None:
    # Steps of 5/6 with durations of one: frame k ends at 5k/6 + 1 and has number k while 5k/6 + 1 - k > -0.6, that is
    # while k < 9.6. Frame 10 would be number 10, ends at 9.33: 0.67 behind, dropped. Frame 9, of time 7.5, is number 9.
    paced = list(pace_variable(frames_at(5 / 6, 12, 1)))
    assert paced == [*((k, k) for k in range(10)), (10, 11)]


def test_a_late_frame_leaves_numbers_out_of_a_file() -> None:
    # Shown at 3.2 for one tick: it ends 3.2 ticks after number 1, so the count moves on to its time, rounded.
    assert list(pace_variable([(0, 1, "a"), (3.2, 1, "b"), (4, 1, "c")])) == [(0, "a"), (3, "b"), (4, "c")]


def test_pictures_fill_a_gap_from_both_sides() -> None:
    # b ends 3 ticks after number 1, so three pictures are due: round(2 - 0.6) = 1 of a, then two of b.
    assert list(pace_constant([(0, 1, "a"), (3, 1, "b"), (4, 1, "c")])) == ["a", "a", "b", "b", "c"]


def test_pictures_before_the_first_are_the_first() -> None:
    assert list(pace_constant([(2, 1, "a"), (3, 1, "b")])) == ["a", "a", "a", "b"]


def test_a_picture_far_behind_is_dropped() -> None:
    # b ends at 0.4, with number 2 due: 1.6 behind.
    assert list(pace_constant([(0, 2, "a"), (0.2, 0.2, "b"), (2, 1, "c")])) == ["a", "a", "c"]


@pytest.mark.parametrize("step", [2, 3])
def test_a_slow_source_is_repeated_to_its_end(step: int) -> None:
    pictures = list(pace_constant(frames_at(step, 5, step)))
    assert pictures == [k for k in range(5) for _ in range(step)]

"""Where a jump is put: by lips whose odds are made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.overtime.matches import SeenFace
from syncnet.overtime.placing import place_jumps
from syncnet.overtime.timeline import Jump, OffsetAlong
from syncnet.scoring.turns import TrackTable

FPS = 25
OLD_ROW, NEW_ROW = 15, 21
"""Offsets of 0 and -6 frames."""
ACROSS = Jump(20.0, 10.0, 4.0, -236.0)
"""Last seen at the old offset at 10 s, and at the new one from 20 s on."""


def at(
    jump: Jump, change_seconds: float, odds: float = 0.2, shots: tuple[tuple[float, float], ...] = ((0, 30),)
) -> Jump:
    """The jump as it is placed by lips that each say so much for the old offset before a time, and for the new after.

    ``shots``: from when to when a face is seen.
    """
    faces = []
    for start, end in shots:
        lips = np.zeros((31, round((end - start) * FPS)), np.float32)
        table = TrackTable(round(start * FPS), lips, "cosine", 5.0)
        faces.append(SeenFace(table.first_lip, np.zeros((lips.shape[1], 4), np.float32), table))

    def told(table: TrackTable) -> tuple[np.ndarray, np.ndarray]:
        frames = table.first_lip + np.arange(table.distances.shape[1])
        by_shift = np.full((31, len(frames)), -0.2)
        by_shift[OLD_ROW] += np.where(frames < change_seconds * FPS, odds, 0.0)
        by_shift[NEW_ROW] += np.where(frames < change_seconds * FPS, 0.0, odds)
        return frames, by_shift

    (placed,) = place_jumps(OffsetAlong("jumps", jumps=(jump,)), faces, told).jumps
    return placed


def test_a_jump_within_a_shot_that_was_no_segment_is_found_there() -> None:
    assert at(ACROSS, 13.2) == Jump(13.2, 10.0, 4.0, -236.0)


def test_a_jump_before_the_end_of_the_last_segment_moves_its_end() -> None:
    assert at(ACROSS, 9.2) == Jump(9.2, 9.2, 4.0, -236.0)
    # More than five seconds before it nothing is looked at: five seconds of its lips have the old offset.
    assert at(ACROSS, 3.0).at_seconds == 5.0


@pytest.mark.parametrize(("odds", "place"), [(0.116, 20.0), (0.124, 19.0)])
def test_lips_have_to_say_enough(odds: float, place: float) -> None:
    # Of the 25 lips between both places: 2.9 is too little, 3.1 is enough.
    assert at(ACROSS, 19.0, odds).at_seconds == place


def test_without_lips_it_stays_where_the_new_offset_is_first_seen() -> None:
    assert at(ACROSS, 13.2, shots=((0, 10), (20, 30))) == ACROSS


def test_a_cut_is_likelier_than_its_neighbours() -> None:
    # Ten lips behind the cut at 15 s still have the old offset, by 0.2 each: 2 is less than a cut is worth.
    assert at(ACROSS, 15.4, shots=((0, 15), (15, 30))).at_seconds == 15.0
    assert at(ACROSS, 15.6, shots=((0, 15), (15, 30))).at_seconds == 15.6


def test_jumps_stay_in_order() -> None:
    there, back = Jump(20.0, 10.0, 0.0, -240.0), Jump(24.0, 22.0, -240.0, 0.0)
    lips = np.zeros((31, 30 * FPS), np.float32)
    seen = SeenFace(0, np.zeros((30 * FPS, 4), np.float32), TrackTable(0, lips, "cosine", 5.0))
    by_shift = np.zeros((31, 30 * FPS))
    by_shift[OLD_ROW, : 12 * FPS] = by_shift[NEW_ROW, 12 * FPS : 23 * FPS] = by_shift[OLD_ROW, 23 * FPS :] = 0.3
    along = OffsetAlong("jumps", jumps=(there, back))
    placed = place_jumps(along, [seen], lambda _table: (np.arange(30 * FPS), by_shift)).jumps
    assert [jump.at_seconds for jump in placed] == [12.0, 23.0]

"""At which offset lips fit, lip by lip: distances made by hand."""

from __future__ import annotations

import numpy as np

from syncnet.overtime.path import NO_MATCH, match_path, matched_runs

LIPS = 400


def told_at(*ranges: tuple[int, int, int], lips: int = LIPS) -> np.ndarray:
    """Every shift is against a match but the given rows in the given ranges."""
    told = np.full((31, lips), -0.2)
    for row, start, end in ranges:
        told[row, start:end] = 0.3
    return told


def test_a_match_is_found_where_it_is_and_nowhere_else() -> None:
    path = match_path(told_at((13, 100, 300)))
    assert path[:100].tolist() == path[300:].tolist() == [NO_MATCH] * 100
    assert path[100:300].tolist() == [13] * 200


def test_an_offset_that_jumps_changes_at_its_lip() -> None:
    path = match_path(told_at((15, 0, 150), (21, 150, LIPS)))
    assert path[:150].tolist() == [15] * 150
    assert path[150:].tolist() == [21] * 250


def test_what_is_short_is_neither_a_match_nor_the_end_of_one() -> None:
    # 15 lips are worth 4.5, a match costs 8.0 to begin and 4.6 to end.
    assert set(match_path(told_at((13, 100, 115))).tolist()) == {NO_MATCH}
    # 30 lips that fit nowhere cost 6, to leave and come back 12.6.
    assert set(match_path(told_at((13, 0, 200), (13, 230, LIPS))).tolist()) == {13}


def test_a_shot_that_begins_a_little_worse_fits_from_its_first_lip_on() -> None:
    # To begin at the first lip is 4.6 cheaper than to begin later: as much as 23 lips at -0.2 tell against it.
    assert set(match_path(told_at((13, 23, LIPS))).tolist()) == {13}
    later = match_path(told_at((13, 24, LIPS)))
    assert later[:24].tolist() == [NO_MATCH] * 24
    assert set(later[24:].tolist()) == {13}


def test_the_edges_of_the_search_are_no_match() -> None:
    assert set(match_path(told_at((0, 0, LIPS), (30, 0, LIPS))).tolist()) == {NO_MATCH}


def test_no_lips_have_no_path() -> None:
    assert match_path(np.empty((31, 0))).tolist() == []
    assert matched_runs(np.empty(0, int), np.empty(0, int)) == []


def test_runs_end_at_other_offsets_long_pauses_and_where_nothing_fits() -> None:
    path = np.array([15] * 10 + [NO_MATCH] * 5 + [15] * 10 + [16] * 5 + [18] * 5)
    lips = np.arange(len(path))
    assert matched_runs(path, lips) == [(0, 10), (15, 30), (30, 35)]
    # A pause of 25 frames goes on, one of 26 does not.
    lips[20:] += 24
    assert matched_runs(path, lips) == [(0, 10), (15, 30), (30, 35)]
    lips[20:] += 1
    assert matched_runs(path, lips) == [(0, 10), (15, 20), (20, 30), (30, 35)]

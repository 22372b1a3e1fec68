"""The arithmetic of training/hard_clips.py, and its table; the clips are not needed."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.conventions import SAMPLES_PER_FRAME
from training.hard_clips import (
    FILM_CASES,
    HardClip,
    Row,
    begin_together,
    changed_files,
    line_of,
    outcome_of,
    pairs_of,
    read_table,
)


def hard_clip(file: str, person: str, sentence: str = "", sha256: str = "") -> HardClip:
    return HardClip(file, sha256, "same sentence", person, sentence)


@pytest.mark.parametrize(
    ("own_first", "other_first", "expected"),
    [(1, 1, [1, 2, 3, 4]), (2, 0, [0, 0, 1, 2]), (0, 3, [4, 5, 0, 0]), (0, 9, [0, 0, 0, 0])],
)
def test_both_begin_to_speak_in_one_frame(own_first: int, other_first: int, expected: list[int]) -> None:
    own = np.full(4 * SAMPLES_PER_FRAME, 9, np.int16)
    other = np.arange(1, 6, dtype=np.int16).repeat(SAMPLES_PER_FRAME)
    placed = begin_together(own, own_first, other, other_first)
    assert placed.tolist() == np.repeat(expected, SAMPLES_PER_FRAME).tolist()


def test_a_face_meets_each_other_clip_of_its_sentence_and_never_itself() -> None:
    a, again, b = hard_clip("1", "a", "x"), hard_clip("2", "a", "x"), hard_clip("3", "b", "x")
    clips = [a, again, b, hard_clip("4", "c", "y"), hard_clip("5", "d"), hard_clip("6", "e")]
    assert list(pairs_of(clips, same_person=False)) == [(a, b), (again, b), (b, a), (b, again)]
    assert list(pairs_of(clips, same_person=True)) == [(a, again), (again, a)]


def test_a_clip_without_a_score_does_not_pass() -> None:
    assert outcome_of(None) == (False, False)


def test_a_case_without_an_offset_to_find_shows_none() -> None:
    # 1 of 4 by Wilson: (0.25 + 0.48018 -+ 1.95996 sqrt(0.046875 + 0.060023)) / 1.96037
    row = Row("dubbed", 4, 2, [], [(True, True), (True, False), (False, False), (False, False)], in_sync=False)
    assert line_of(row) == "| dubbed | 4 | 2 | - | - | - | 1 of 4 (5% .. 70%) |"


def test_a_changed_file_is_named(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "same").write_bytes(b"")
    (tmp_path / "other").write_bytes(b"x")
    of_nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    clips = [hard_clip(name, "a", sha256=of_nothing) for name in ("same", "other", "missing")]
    assert changed_files(tmp_path, clips) == ["other", "missing"]


def test_the_table_names_each_file_once_and_each_dub_has_a_person() -> None:
    clips = read_table()
    assert len(clips) == len({clip.file for clip in clips}) == len({clip.sha256 for clip in clips})
    assert all(clip.file.split("__")[-1].split(".")[0] == clip.sha256[:12] for clip in clips)
    assert all(clip.person and clip.case for clip in clips)
    assert {clip.case for clip in clips} >= FILM_CASES

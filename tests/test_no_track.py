from __future__ import annotations

import pytest

from syncnet.faces.no_track import (
    MissedGate,
    NoTrackReason,
    advise_on_no_track,
    describe_no_track,
    read_no_track,
)
from syncnet.settings import TrackSettings

LEAST_TRACK_FRAMES = 20


def small(largest_px: int) -> NoTrackReason:
    return NoTrackReason(face_px=MissedGate(50, largest_px))


def short(longest: int) -> NoTrackReason:
    return NoTrackReason(track_frames=MissedGate(50, longest))


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        (NoTrackReason(), "no face seen"),
        (small(31), "only faces smaller than 50 px (largest 31 px)"),
        (short(48), "only tracks shorter than 50 frames (longest 48)"),
        (
            NoTrackReason(MissedGate(60, 41), MissedGate(50, 3)),
            "only faces smaller than 60 px (largest 41 px) or tracks shorter than 50 frames (longest 3)",
        ),
        (
            NoTrackReason(face_px=MissedGate(100, 100), beyond=True),
            "only faces of no more than 100 px (largest 100 px)",
        ),
        (
            NoTrackReason(track_frames=MissedGate(100, 7), beyond=True),
            "only tracks of no more than 100 frames (longest 7)",
        ),
    ],
)
def test_the_words_say_the_numbers_and_those_of_earlier_records_are_read_back(
    reason: NoTrackReason, sentence: str
) -> None:
    assert describe_no_track(reason) == sentence
    assert read_no_track(sentence) == reason


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (small(31), "try --min_face_size 30"),
        (small(22), "try --min_face_size 22"),
        (short(48), "try --min_track 25"),
        (short(22), "try --min_track 22"),
        (short(19), "the face is shown too briefly: scoring needs 20 frames"),
        (NoTrackReason(MissedGate(50, 40), MissedGate(50, 30)), "try --min_face_size 30 or --min_track 25"),
        (NoTrackReason(), "try --min_face_size 30, in case the faces are small"),
        # In the published way a face has to be beyond the limit: 25 frames do not pass --min_track 25.
        (NoTrackReason(track_frames=MissedGate(100, 25), beyond=True), "try --min_track 24"),
        (
            NoTrackReason(track_frames=MissedGate(100, 20), beyond=True),
            "the face is shown too briefly: scoring needs 20 frames",
        ),
        (NoTrackReason(face_px=MissedGate(100, 30), beyond=True), "try --min_face_size 29"),
    ],
)
def test_advice_follows_from_what_was_seen(reason: NoTrackReason, advice: str) -> None:
    assert advise_on_no_track(reason, TrackSettings(), LEAST_TRACK_FRAMES) == advice


def test_who_already_looks_for_small_faces_is_not_told_to() -> None:
    advice = advise_on_no_track(NoTrackReason(), TrackSettings(min_face_px=30), LEAST_TRACK_FRAMES)
    assert "--min_face_size" not in advice


def test_a_model_that_needs_more_than_the_usual_advice_gets_it() -> None:
    assert advise_on_no_track(short(45), TrackSettings(), 40) == "try --min_track 40"

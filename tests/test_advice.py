from __future__ import annotations

import pytest

from syncnet.faces.advice import advise_on_no_track
from syncnet.settings import TrackSettings

LEAST_TRACK_FRAMES = 20


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        ("only faces smaller than 50 px (largest 31 px)", "try --min_face_size 30"),
        ("only faces smaller than 50 px (largest 22 px)", "try --min_face_size 22"),
        ("only tracks shorter than 50 frames (longest 48)", "try --min_track 25"),
        ("only tracks shorter than 50 frames (longest 22)", "try --min_track 22"),
        (
            "only tracks shorter than 50 frames (longest 19)",
            "the face is shown too briefly: scoring needs 20 frames",
        ),
        (
            "only faces smaller than 50 px (largest 40 px) or tracks shorter than 50 frames (longest 30)",
            "try --min_face_size 30 or --min_track 25",
        ),
        ("no face seen", "try --min_face_size 30, in case the faces are small"),
    ],
)
def test_advice_follows_from_what_was_seen(reason: str, advice: str) -> None:
    assert advise_on_no_track(reason, TrackSettings(), LEAST_TRACK_FRAMES) == advice


def test_who_already_looks_for_small_faces_is_not_told_to() -> None:
    advice = advise_on_no_track("no face seen", TrackSettings(min_face_px=30), LEAST_TRACK_FRAMES)
    assert "--min_face_size" not in advice


def test_a_model_that_needs_more_than_the_usual_advice_gets_it() -> None:
    advice = advise_on_no_track("only tracks shorter than 50 frames (longest 45)", TrackSettings(), 40)
    assert advice == "try --min_track 40"

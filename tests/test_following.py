"""Crops made while faces are found are those of a second pass over the video."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from detectors.protocol import Detections
from detectors.registry import resolve_detector
from syncnet import pipeline
from syncnet.errors import VideoError
from syncnet.faces import following
from syncnet.faces.crops import FaceCrop, TrackCropper
from syncnet.faces.finding import FacePass, find_faces
from syncnet.faces.following import FaceFollower
from syncnet.faces.tracks import Track, link_tracks
from syncnet.keepsake.making import TrackPictures
from syncnet.media.opening import Media
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.results import VideoScore
from syncnet.settings import DetectSettings, ShotSettings, TrackSettings
from syncnet.system.interruption import StopFlag
from weights import WeightsPolicy

SAMPLES = Path(__file__).parent.parent / "samples"
GATES = TrackSettings(min_face_px=20, min_track_frames=50)
EVERY = 5


@dataclass
class Noted:
    first_frame: int
    crops: list[np.ndarray] = field(default_factory=list)
    track: Track | None = None

    def add(self, crop: FaceCrop) -> None:
        self.crops.append(crop.bgr())

    def finish(self, track: Track) -> None:
        self.track = track


class DrawnFaces:
    """Sees a face where ``boxes`` has one for the frame whose number the picture carries."""

    def __init__(self, boxes: dict[int, list[tuple[float, float, float, float]]]) -> None:
        self._boxes = boxes

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        boxes = self._boxes.get(int(frame_bgr[0, 0, 0]), [])
        return Detections(np.array(boxes, np.float32).reshape(-1, 4), np.ones(len(boxes), np.float32))


def pictures(count: int, cuts: tuple[int, ...] = (), flashes: tuple[int, ...] = ()) -> Iterator[np.ndarray]:
    """Frames of noise, each other than the last; brighter behind a cut, and white in a flash."""
    noise = np.random.default_rng(3).integers(0, 40, (count, 90, 160, 3), dtype=np.uint8)
    for number, picture in enumerate(noise):
        level = 255 if number in flashes else 20 + 100 * (sum(cut <= number for cut in cuts) % 2)
        frame = np.clip(picture.astype(np.int32) // 8 + level, 0, 255).astype(np.uint8)
        frame[0, 0] = number
        yield frame


def follow(
    boxes: dict[int, list[tuple[float, float, float, float]]],
    frames: list[np.ndarray],
    most_bytes: int = following.MOST_HELD_BYTES,
) -> tuple[FacePass, FaceFollower[Noted]]:
    follower = FaceFollower(GATES, EVERY, Noted, most_bytes)
    detect = DetectSettings(detect_every_frames=EVERY)
    faces = find_faces(iter(frames), DrawnFaces(boxes), detect, ShotSettings(), follower)
    follower.finish()
    return faces, follower


def wandering(seed: int, count: int, missed: tuple[range, ...] = ()) -> dict[int, tuple[float, float, float, float]]:
    """A box of some 30 px on its way, and none in the frames that are missed."""
    steps = np.random.default_rng(seed).normal(0, 0.3, (count, 3)).cumsum(axis=0)
    places = {n: (60 + x, 40 + y, 30 + s / 4) for n, (x, y, s) in enumerate(steps.tolist())}
    gone = {frame for frames in missed for frame in frames}
    return {n: (x - s / 2, y - s / 2, x + s / 2, y + s / 2) for n, (x, y, s) in places.items() if n not in gone}


@pytest.mark.parametrize(
    ("count", "missed", "cuts", "flashes", "expected"),
    [
        (120, (), (), (), [(0, 120)]),
        (60, (), (), (), [(0, 60)]),
        # Missed for 25 frames at the looks 30 to 50, which is bridged; for 40 frames, which is not.
        (140, (range(30, 51),), (), (), [(0, 140)]),
        (200, (range(60, 101),), (), (), [(0, 56), (105, 95)]),
        # It goes, and does not come back.
        (130, (range(71, 130),), (), (), [(0, 71)]),
        (160, (), (73,), (), [(0, 73), (73, 87)]),
        # A flash is no cut, though the looks go by it until it is over.
        (160, (), (), (80, 81), [(0, 160)]),
        (170, (), (60, 130), (100,), [(0, 60), (60, 70), (130, 40)]),
        # A shot that is shorter than a piece.
        (130, (), (60, 75), (), [(0, 60), (75, 55)]),
    ],
)
def test_each_track_was_cropped_as_in_a_second_pass(
    count: int, missed: tuple[range, ...], cuts: tuple[int, ...], flashes: tuple[int, ...], expected: list[Any]
) -> None:
    frames = list(pictures(count, cuts, flashes))
    faces, follower = follow({n: [box] for n, box in wandering(count, count, missed).items()}, frames)
    tracks = link_tracks(faces, GATES).pieces
    assert [(track.first_frame, track.frame_count) for track in tracks] == expected
    for track in tracks:
        taken = follower.crops_of(track)
        assert taken is not None and taken.track is not None
        np.testing.assert_array_equal(taken.track.frames, track.frames)
        cropper = TrackCropper(track)
        assert len(taken.crops) == track.frame_count
        for index, crop in zip(track.frames.tolist(), taken.crops, strict=True):
            np.testing.assert_array_equal(crop, cropper.crop(index, frames[index]))


def test_faces_side_by_side_are_kept_apart() -> None:
    left, right = ((x, 30.0, x + 30.0, 60.0) for x in (10.0, 100.0))
    faces, follower = follow({n: [left, right] if n < 70 else [right] for n in range(120)}, list(pictures(120)))
    ranges = []
    for track in link_tracks(faces, GATES).tracks:
        taken = follower.crops_of(track)
        assert taken is not None
        ranges.append((track.boxes[0, 0], track.frame_count, len(taken.crops)))
    assert ranges == [(10.0, 66, 66), (100.0, 120, 120)]


def test_frames_are_let_go_as_soon_as_no_crop_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []
    original = FaceFollower.settle

    def counted(follower: FaceFollower[Noted], *told: Any) -> None:
        original(follower, *told)
        held.append(len(follower._held._frames))

    monkeypatch.setattr(FaceFollower, "settle", counted)
    gap = range(100, 121)
    follow({n: [box] for n, box in wandering(4, 200, (gap,)).items()}, list(pictures(200)))
    # Six frames of the median, up to four until a look and five until cuts are settled.
    assert max(held[10:100]) <= 15
    # Last seen at frame 95, and again at 125.
    assert 35 <= max(held) <= 45
    held.clear()
    follow({}, list(pictures(60)))
    assert max(held) <= 9


def test_beyond_the_limit_a_track_is_left_to_a_second_pass() -> None:
    boxes = {n: [box] for n, box in wandering(4, 200, (range(100, 121),)).items()}
    frames = list(pictures(200))
    for most_frames, whole in ((50, True), (30, False), (0, False)):
        faces, follower = follow(boxes, frames, most_frames * frames[0].nbytes)
        (track,) = link_tracks(faces, GATES).tracks
        assert (follower.crops_of(track) is not None) == whole


def test_small_faces_and_short_tracks_take_nothing() -> None:
    begun: list[Noted] = []

    def begin(first_frame: int) -> Noted:
        begun.append(Noted(first_frame))
        return begun[-1]

    follower = FaceFollower(GATES, EVERY, begin)
    small, short = (40.0, 40.0, 52.0, 52.0), (80.0, 20.0, 110.0, 50.0)
    boxes = {n: [small, short] if n <= 15 else [small] for n in range(90)}
    find_faces(pictures(90), DrawnFaces(boxes), DetectSettings(), ShotSettings(), follower)
    follower.finish()
    assert [(one.first_frame, len(one.crops), one.track) for one in begun] == [(0, 16, None)]


def test_a_face_that_grows_beyond_the_gate_is_left_to_a_second_pass() -> None:
    boxes = {n: [(40.0, 40.0, 50.0 + n / 4, 50.0 + n / 4)] for n in range(100)}
    faces, follower = follow(boxes, list(pictures(100)))
    (track,) = link_tracks(faces, GATES).tracks
    assert track.frame_count == 100 and follower.crops_of(track) is None


@pytest.fixture
def passes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How often pictures were decoded."""
    taken: list[str] = []
    original = Media.pictures

    def counted(media: Media) -> Any:
        taken.append(media.path.name)
        return original(media)

    monkeypatch.setattr(Media, "pictures", counted)
    return taken


def stages(detector: str = "lite") -> Stages:
    policy = WeightsPolicy(offline=True)
    return Stages(load_model("lite", "cpu", policy), resolve_detector(detector, policy), TrackSettings(50, 50))


def score(path: Path, settings: Stages, most_held_bytes: int) -> VideoScore:
    return score_video(path, replace(settings, most_held_bytes=most_held_bytes), StopFlag())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["in_sync.mp4", "sound_8_frames_late.mp4"])
def test_a_score_is_the_same_whether_its_video_is_decoded_once_or_twice(passes: list[str], name: str) -> None:
    once = score(SAMPLES / name, stages(), following.MOST_HELD_BYTES)
    assert passes == [name]
    twice = score(SAMPLES / name, stages(), 0)
    assert passes == [name] * 3
    assert once.tracks
    np.testing.assert_equal(asdict(once), asdict(twice))


def test_pictures_of_a_scored_track_are_let_go_of(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[int] = []

    def counted(faces: FacePass, settings: TrackSettings) -> Any:
        gc.collect()
        held.append(sum(type(each) is TrackPictures for each in gc.get_objects()))
        return link_tracks(faces, settings)

    monkeypatch.setattr(pipeline, "link_tracks", counted)
    assert score(SAMPLES / "in_sync.mp4", stages(), following.MOST_HELD_BYTES).tracks
    # 48 mouths and a face of each track, 0.7 MB: an hour of short shots would hold hundreds of them.
    assert held == [0]


@pytest.mark.slow
def test_clips_at_hand_have_the_same_score_decoded_once_or_twice(test_data: Path, passes: list[str]) -> None:
    settings, second_passes = stages(), 0
    # Every fifth, for all of them take minutes: SYNC_FILTER_ALL_CLIPS=1 has them all.
    every = 1 if os.environ.get("SYNC_FILTER_ALL_CLIPS") else 5
    for path in sorted((test_data / "clips").iterdir())[::every]:
        try:
            once = score(path, settings, following.MOST_HELD_BYTES)
        except VideoError:
            continue
        taken, tracks = len(passes), bool(once.tracks)
        twice = score(path, settings, 0)
        # Both ways take a second look where a score rests on nothing; a second pass is for crops.
        assert len(passes) - 2 * taken in ((1,) if tracks else (0, 1)), path.name
        second_passes += tracks
        np.testing.assert_equal(asdict(once), asdict(twice), err_msg=path.name)
        passes.clear()
    assert second_passes >= 4

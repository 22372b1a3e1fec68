"""The order of the stages and the second pass, with stages that are replaced by ones whose answers are known."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from fakes import INFO, make_score

from syncnet import people, pipeline
from syncnet.errors import DamagedVideoError
from syncnet.faces.finding import FacePass
from syncnet.faces.no_track import NoTrackReason, View
from syncnet.faces.shots import Shot
from syncnet.faces.tracks import Track, TrackingResult
from syncnet.keepsake.file import TrackKeepsake
from syncnet.media.opening import Damage, MediaInfo
from syncnet.pipeline import Stages, score_video
from syncnet.results import TrackScore, VideoScore, best_score
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.pooling import PooledScore
from syncnet.scoring.score import SyncScore
from syncnet.scoring.stretches import Stretch
from syncnet.scoring.turns import Conversation, Turn
from syncnet.system.interruption import Interrupted, StopFlag

SAMPLES = np.arange(16_000, dtype=np.int16)


@dataclass
class CountedMedia:
    """Frame n is a picture full of n; counts how many frames each pass took."""

    frame_count: int
    path: Path = Path("a.mp4")
    info: MediaInfo = INFO
    samples: np.ndarray = field(default_factory=lambda: SAMPLES)
    taken: list[int] = field(default_factory=list)
    lost_in_second_pass: int = 0
    spare_mb: float = math.inf
    damage: Damage = field(default_factory=Damage)

    def frames(self) -> Iterator[np.ndarray]:
        self.taken.append(0)
        lost = self.lost_in_second_pass if len(self.taken) > 1 else 0
        for number in range(self.frame_count - lost):
            self.taken[-1] += 1
            yield np.full((4, 4, 3), number, np.uint8)

    def pictures(self) -> Iterator[np.ndarray]:
        return self.frames()


@dataclass
class RecordingEncoder:
    grey = False
    pieces: list[np.ndarray] = field(default_factory=list)

    def push(self, crops: np.ndarray) -> None:
        self.pieces.append(crops)


@dataclass
class SeenFirst:
    """In the place of embeddings."""

    first: int
    middle_frame: int = 0
    metric: str = "cosine"


class RecordingModel:
    """Its score of a track is the number of the track's first frame, which the encoder saw."""

    name, identity, min_track_frames = "recording", "0" * 64, 1

    def __init__(self) -> None:
        self.embedded: list[tuple[RecordingEncoder, int, int]] = []

    def face_encoder(self) -> RecordingEncoder:
        return RecordingEncoder()

    def embed(
        self, encoder: RecordingEncoder, samples: np.ndarray, first_frame: int, frame_count: int, counts: np.ndarray
    ) -> SeenFirst:
        assert samples is SAMPLES and counts.shape == (len(SAMPLES) // 640,)
        self.embedded.append((encoder, first_frame, frame_count))
        return SeenFirst(int(encoder.pieces[0][0, 0, 0, 0]))


class AnyDetector:
    name, identity = "any", "0" * 64

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> tuple[int, int, int]:
        return min_face_px, frame_width, frame_height

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        return 0


def make_track(first_frame: int, frame_count: int) -> Track:
    boxes = np.tile(np.array([[1, 2, 3, 4]], np.float32), (frame_count, 1))
    return Track(np.arange(first_frame, first_frame + frame_count), boxes)


class WholeFrameCropper:
    def __init__(self, track: Track) -> None:
        self._track = track

    def face_crop(self, frame_index: int, frame_bgr: np.ndarray) -> WholeFrame:
        assert frame_index in self._track.frames
        assert frame_bgr[0, 0, 0] == frame_index % 256
        return WholeFrame(frame_bgr)


@dataclass
class WholeFrame:
    frame_bgr: np.ndarray

    def bgr(self) -> np.ndarray:
        return self.frame_bgr


class SeenPictures:
    takes_next = True

    def __init__(self, first_frame: int) -> None:
        self.frames = [first_frame]

    def see(self, crops: list[np.ndarray]) -> None:
        self.frames.extend(int(crop[0, 0, 0]) for crop in crops)


def keep_what_was_seen(first_frame: int, boxes: np.ndarray, *others: object) -> TrackKeepsake:
    pictures = others[-1]
    assert isinstance(pictures, SeenPictures)
    nothing = np.empty(0, np.uint8)
    frames = np.array(pictures.frames)
    return TrackKeepsake(first_frame, boxes, nothing, nothing.reshape(0, 3), nothing, nothing, frames)


@pytest.fixture
def score(monkeypatch: pytest.MonkeyPatch) -> object:
    """``score(media, tracks, stop)`` -> the video's score and the model."""

    def run(
        media: CountedMedia, tracks: list[Track], stop: StopFlag | None = None, reason: NoTrackReason | None = None
    ) -> tuple[VideoScore, RecordingModel]:
        monkeypatch.setattr(pipeline, "open_media", lambda _path, **_settings: media)
        monkeypatch.setattr(pipeline, "find_faces", lambda frames, *_: FacePass({}, [Shot(0, 7)], len(list(frames)), 5))
        monkeypatch.setattr(pipeline, "link_tracks", lambda *_: TrackingResult(tracks, reason, tracks))
        monkeypatch.setattr(pipeline, "TrackCropper", WholeFrameCropper)
        monkeypatch.setattr(people, "TrackPictures", SeenPictures)
        monkeypatch.setattr(people, "keep_track", keep_what_was_seen)
        monkeypatch.setattr(people, "pair_distances", lambda seen: np.full((31, 1), seen.first, np.float32))
        monkeypatch.setattr(people, "score_distances", lambda distances, *_: make_score(float(distances[0, 0])))
        model = RecordingModel()
        stages = Stages(model=model, detector=AnyDetector())  # type: ignore[arg-type]
        return score_video(media.path, stages, stop or StopFlag()), model

    return run


def confidences(video: VideoScore) -> list[float]:
    return [track.score.confidence for track in video.tracks if track.score]


def test_each_track_gets_its_own_frames_in_pieces_of_at_most_64(score: object) -> None:
    media = CountedMedia(250)
    video, model = score(media, [make_track(10, 130), make_track(100, 64)])  # type: ignore[operator]
    assert confidences(video) == [10.0, 100.0]
    assert [(track.first_frame, track.frame_count) for track in video.tracks] == [(10, 130), (100, 64)]
    assert video.tracks[0].mean_box == (1.0, 2.0, 3.0, 4.0)
    (long, *long_range), (short, *short_range) = model.embedded
    assert (long_range, short_range) == ([10, 130], [100, 64])
    assert [len(piece) for piece in long.pieces] == [64, 64, 2]
    assert [len(piece) for piece in short.pieces] == [64]
    seen = np.concatenate(long.pieces)[:, 0, 0, 0]
    assert seen.tolist() == list(range(10, 140))


def test_the_second_pass_ends_with_the_last_track(score: object) -> None:
    media = CountedMedia(250)
    score(media, [make_track(10, 30), make_track(20, 60)])  # type: ignore[operator]
    assert media.taken == [250, 80]


def test_a_track_that_ends_with_the_video_is_whole(score: object) -> None:
    media = CountedMedia(100)
    video, _ = score(media, [make_track(0, 100)])  # type: ignore[operator]
    assert confidences(video) == [0.0]


def test_what_is_kept_for_looking_at_is_of_the_same_crops_and_in_the_order_of_the_tracks(score: object) -> None:
    video, _ = score(CountedMedia(200), [make_track(0, 150), make_track(5, 60)])  # type: ignore[operator]
    long, short = video.keepsake.tracks
    assert (long.first_frame, len(long.boxes)) == (0, 150)
    assert long.strip_frames.tolist() == [0, *range(150)]
    assert short.strip_frames.tolist() == [5, *range(5, 65)]
    assert video.keepsake.shot_starts.tolist() == [0]
    # 16,000 samples are 25 frames of 640.
    assert len(video.keepsake.loudness_db) == 25


def test_without_tracks_a_few_pictures_are_looked_at_again(score: object, monkeypatch: pytest.MonkeyPatch) -> None:
    def turned(frames: Iterator[np.ndarray], create: object, min_face_px: int) -> View:
        assert len([frame for frame, _ in zip(frames, range(10), strict=False)]) == 10
        assert min_face_px == 50
        return View.TURN_LEFT

    monkeypatch.setattr("syncnet.pipeline.look_again", turned)
    media = CountedMedia(100)
    video, _ = score(media, [], reason=NoTrackReason())  # type: ignore[operator]
    assert (video.tracks, video.no_track) == ((), NoTrackReason(seen_as="left"))
    assert media.taken[0] == 100
    assert media.taken[1] <= 11


def test_scores_stay_in_the_order_of_the_tracks_whichever_ends_first(score: object) -> None:
    video, model = score(CountedMedia(200), [make_track(0, 150), make_track(5, 60), make_track(5, 50)])  # type: ignore[operator]
    assert [track.frame_count for track in video.tracks] == [150, 60, 50]
    assert [frame_count for _, _, frame_count in model.embedded] == [50, 60, 150]


def test_frames_missing_in_the_second_pass_are_an_error_and_no_short_score(score: object) -> None:
    with pytest.raises(DamagedVideoError, match="fewer frames than the first"):
        score(CountedMedia(100, lost_in_second_pass=1), [make_track(50, 50)])  # type: ignore[operator]


def test_a_stop_ends_the_work_at_the_next_frame(score: object) -> None:
    stop = StopFlag()
    media = CountedMedia(100)
    frames = media.frames

    def stopping() -> Iterator[np.ndarray]:
        for number, frame in enumerate(frames()):
            if number == 7:
                stop.stop()
            yield frame

    media.frames = stopping  # type: ignore[method-assign]
    with pytest.raises(Interrupted):
        score(media, [make_track(0, 50)], stop)  # type: ignore[operator]
    assert media.taken == [8]


def test_the_best_score_is_the_highest_the_first_of_equals_and_never_nan() -> None:
    def track(result: SyncScore | None) -> TrackScore:
        return TrackScore(0, 50, (0.0, 0.0, 1.0, 1.0), result)

    def video(*tracks: TrackScore) -> VideoScore:
        return VideoScore(INFO, tracks)

    first, second = make_score(6.0, 1), make_score(6.0, 2)
    others = [track(None), track(make_score(float("nan"))), track(make_score(2.0))]
    assert best_score(video(*others, track(first), track(second))) is first
    assert best_score(video(track(None))) is None
    assert best_score(video()) is None
    together = make_score(6.5, 1)
    conversation = Conversation(together, (Turn(0, 0.0, 2.0), Turn(1, 2.0, 4.0)))
    assert best_score(replace(video(track(first)), conversation=conversation)) is together


def test_pieces_of_one_face_count_together_and_not_alone() -> None:
    info = (0, 40, (0.0, 0.0, 1.0, 1.0))
    pieces = tuple(TrackScore(*info, make_score(confidence)) for confidence in (9.0, 8.5, 6.0))
    together = make_score(5.5)
    video = VideoScore(INFO, pieces, pooled=(PooledScore((0, 1), together),))
    assert best_score(video) is pieces[2].score
    assert best_score(replace(video, tracks=pieces[:2])) is together


def test_a_face_that_fits_its_speech_comes_before_a_surer_one_that_does_not() -> None:
    def score(confidence: float, unmatched: float) -> SyncScore:
        fits = 4.0 * (1 - unmatched)
        stretches = (Stretch(0.0, fits, fits, fits), Stretch(fits, 4.0, 4.0 - fits, 0.0))
        return make_score(confidence, evidence=Evidence("strong", "", 8, 8, (), stretches, 4.0))

    info = (0, 100, (0.0, 0.0, 1.0, 1.0))
    partly, whole, barely = (TrackScore(*info, s) for s in (score(8.0, 0.4), score(6.0, 0.1), score(7.0, 0.25)))
    assert best_score(VideoScore(INFO, (partly, whole))) is whole.score
    assert best_score(VideoScore(INFO, (partly, whole, barely))) is barely.score

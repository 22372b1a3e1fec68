"""One video through every stage: file -> frames and samples -> faces -> tracks -> crops -> embeddings -> scores."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np

from detectors.protocol import DetectorSpec
from syncnet.conventions import CROP_SIZE_PX, FPS, Samples
from syncnet.errors import DamagedVideoError, NoFaceClipError
from syncnet.faces.crops import FaceCrop, TrackCropper
from syncnet.faces.finding import FacePass, find_faces
from syncnet.faces.following import MOST_HELD_BYTES, FaceFollower
from syncnet.faces.no_track import MissedGate, NoTrackReason
from syncnet.faces.people import long_enough_together
from syncnet.faces.second_look import look_again
from syncnet.faces.tracks import Track, link_tracks
from syncnet.media.info import MediaInfo
from syncnet.media.opening import Media, open_media
from syncnet.media.picture import PicturesGrowError
from syncnet.models.protocol import Embeddings, SyncModel
from syncnet.people import (
    Beside,
    PicturesOnTheWay,
    ScoredTrack,
    TrackSeen,
    gather_people,
    score_over_time,
    score_together,
    score_track,
    video_score,
)
from syncnet.reference.chain import published_chain
from syncnet.reference.tools import ReferenceJob, ReferenceTools
from syncnet.results import VideoScore, best_score, is_supported
from syncnet.scoring.score import Counted
from syncnet.scoring.speech import find_speech, without_long_pauses
from syncnet.settings import DetectSettings, MediaSettings, Precision, ShotSettings, TrackSettings
from syncnet.system.interruption import StopFlag
from syncnet.system.watching import watched

CROPS_PER_PIECE = 64
"""224 x 224 crops handed to a model at once: 9.6 MB, however long the track is."""
LEAST_STEP_SECONDS, SLOWEST_STEP = 60.0, 20.0
"""A step of the published chain may take so long, and so much longer for each second of the video."""


@dataclass(frozen=True)
class Stages:
    """What the stages work with; one copy is shared by all workers."""

    model: SyncModel
    detector: DetectorSpec | None
    """None: every video is a face crop already, and is scored as it is."""
    tracks: TrackSettings = field(default_factory=TrackSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    decode_threads: int = 1
    reference: ReferenceTools | None = None
    """With them the video takes the published way, through their lossy passes, whose settings are its own."""
    precision: Precision = "float32"
    """In which the model and the detector were loaded; the score depends on it."""
    most_held_bytes: int = MOST_HELD_BYTES
    """Frames held for one video, so that it is decoded once. Nothing in a score depends on it."""
    keep_embeddings: bool = False
    """Whether scores come with the embeddings that they are made of."""


def score_video(path: Path, stages: Stages, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
    """Scores every face track of a video, against the sound of ``sound_file`` where there is one.

    The faces are cropped while they are found. Where too many frames would have to be held for that, the pictures are
    decoded a second time. Raises VideoError, and Interrupted within a frame once ``stop`` is set.
    """
    media = open_media(
        path,
        threads=stages.decode_threads,
        settings=stages.media,
        stop=stop,
        work_bytes=partial(_work_bytes, stages),
        may_grow=stages.detector is not None and stages.reference is None,
        sound_file=sound_file,
    )
    if stages.reference is not None:
        return _score_as_published(media, stages, stages.reference, stop)
    if stages.detector is None:
        stop.enter("scoring faces", round(media.info.duration_seconds * FPS))
        crops = watched(_face_crops(media), stop)
        return _score_face_clip(media.info, crops, media.samples, stages)
    return score_media(media, stages, stages.detector, stop)


def score_media(media: Media, stages: Stages, detector: DetectorSpec, stop: StopFlag) -> VideoScore:
    """As ``score_video``, of a file that is open."""
    beside = Beside(stages.model, media.samples, find_speech(media.samples), stages.keep_embeddings)
    try:
        faces, follower = _find_faces(media, detector, stages, beside, stop)
    except PicturesGrowError:
        media = media.at_largest_size()
        faces, follower = _find_faces(media, detector, stages, beside, stop)
    tracking = link_tracks(faces, stages.tracks)
    together = long_enough_together(tracking.pieces, stages.tracks.min_track_frames)
    pieces = [track for track, enough in zip(tracking.pieces, together, strict=True) if enough]
    followed = {number: work.scored for number, track in enumerate(pieces) if (work := follower.crops_of(track))}
    missing = {number: track for number, track in enumerate(pieces) if number not in followed}
    by_number = followed | _score_missing(media, missing, beside, stop)
    scored = [cast("ScoredTrack", by_number[number]) for number in range(len(pieces))]
    model, speech = beside.model, beside.speech
    shown, pooled = gather_people(scored, stages.tracks.min_track_frames, model, speech)
    info = replace(media.info, corrupt_pictures=media.damage.corrupt_pictures)
    no_track, samples = None if shown else tracking.no_track, media.samples
    video = video_score(info, shown, no_track, model, samples, speech, faces.shots)
    video = score_over_time(video, shown, model, speech)
    video = score_together(video, [one.table for one in shown], pooled, model, speech)
    return _look_again(video, media, detector, stages, stop)


def _find_faces(
    media: Media, spec: DetectorSpec, stages: Stages, beside: Beside, stop: StopFlag
) -> tuple[FacePass, FaceFollower[_TrackInWork]]:
    """The pass over the pictures, with what was scored on the way."""
    info = media.info
    detector = spec.create(stages.detect.min_face_px, info.width, info.height)
    stop.enter("finding faces", round(info.duration_seconds * FPS))
    most_bytes = round(min(stages.most_held_bytes, media.spare_mb * 2**20))
    every, pictures = stages.detect.detect_every_frames, PicturesOnTheWay(stages.tracks.min_track_frames)
    follower = FaceFollower(stages.tracks, every, lambda first: _TrackInWork(first, beside, pictures), most_bytes)
    faces = find_faces(watched(media.pictures(), stop), detector, stages.detect, stages.shots, follower)
    follower.finish()
    return faces, follower


def _look_again(video: VideoScore, media: Media, spec: DetectorSpec, stages: Stages, stop: StopFlag) -> VideoScore:
    """With the view in which faces are seen better, where none has a track, or no score rests on anything.

    Faces that lie on their side or fill the picture can have tracks too, but their lips are not read.
    """
    if is_supported(best_score(video)):
        return video
    create = partial(spec.create, stages.detect.min_face_px)
    view = look_again(watched(media.frames(), stop), create, stages.tracks.min_face_px)
    if view is None:
        return video
    if video.no_track:
        return replace(video, no_track=replace(video.no_track, seen_as=view.value))
    return replace(video, seen_as=view.value)


def _work_bytes(stages: Stages, width_px: int, height_px: int) -> int:
    """What looking for faces takes: the frames between two looks, and the detector's own."""
    if stages.detector is None:
        return 0
    held = 3 * width_px * height_px * stages.detect.detect_every_frames
    return held + stages.detector.look_bytes(stages.detect.min_face_px, width_px, height_px)


def _score_as_published(media: Media, stages: Stages, tools: ReferenceTools, stop: StopFlag) -> VideoScore:
    """The published recipe: see syncnet.reference.chain."""
    path, info = media.path, media.info
    limit_seconds = LEAST_STEP_SECONDS + SLOWEST_STEP * info.duration_seconds
    job = ReferenceJob(path, stop, limit_seconds, media.settings.audio_track)
    with published_chain(job, tools) as chain:
        if media.sound_file is not None:
            chain.take_sound(media.sound_file)
        if stages.detector is None:
            _check_face_crop(path, info)
            clip = chain.given_clip()
            return _score_face_clip(info, watched(clip.crops(), stop), clip.samples, stages)
        stop.enter("published steps")
        chain.reencode()
        detector = stages.detector.create(stages.tracks.min_face_px, info.width, info.height)
        tracking = chain.find_tracks(detector, stages.tracks)
        speech = find_speech(chain.samples)
        scored = []
        for track in tracking.tracks:
            seen = TrackSeen(track.first_frame, keep_embeddings=stages.keep_embeddings)
            with chain.face_clip(track) as clip:
                embeddings, _ = _embed(watched(clip.crops(), stop), clip.samples, stages.model, seen, None)
            scored.append(score_track(track, embeddings, stages.model, speech, seen, counted="all"))
        video = video_score(info, scored, tracking.no_track, stages.model, chain.samples, speech)
        return score_over_time(video, scored, stages.model, speech, "all")


def _face_crops(media: Media) -> Iterator[np.ndarray]:
    _check_face_crop(media.path, media.info)
    return media.frames()


def _check_face_crop(path: Path, info: MediaInfo) -> None:
    if (info.width, info.height) != (CROP_SIZE_PX, CROP_SIZE_PX):
        raise NoFaceClipError(
            f"the picture is {info.width} x {info.height}, a face crop is {CROP_SIZE_PX} x {CROP_SIZE_PX}",
            path=path,
            cure="score it without --no_detection",
        )


def _score_face_clip(info: MediaInfo, crops: Iterator[np.ndarray], samples: Samples, stages: Stages) -> VideoScore:
    """The whole video as one track, its frames the crops, as the published demo takes its example."""
    seen = TrackSeen(0, keep_embeddings=stages.keep_embeddings)
    counted: Counted = "all" if stages.reference else "speech"
    speech = find_speech(samples)
    counts = without_long_pauses(speech) if counted == "speech" else None
    embeddings, count = _embed(crops, samples, stages.model, seen, counts)
    if count < (least := stages.tracks.min_track_frames):
        return VideoScore(info, (), NoTrackReason(track_frames=MissedGate(least, count)))
    track = Track(np.arange(count), np.tile(np.array([0, 0, info.width, info.height], np.float32), (count, 1)))
    scored = score_track(track, embeddings, stages.model, speech, seen, counted=counted)
    video = video_score(info, [scored], None, stages.model, samples, speech)
    return score_over_time(video, [scored], stages.model, speech, counted)


def _embed(
    crops: Iterator[np.ndarray], samples: Samples, model: SyncModel, seen: TrackSeen, counts: np.ndarray | None
) -> tuple[Embeddings, int]:
    """Embeddings of a clip that is one face from its start to its end, and the number of its crops."""
    encoder, count = model.face_encoder(), 0
    while piece := list(itertools.islice(crops, CROPS_PER_PIECE)):
        encoder.push(np.stack(piece))
        seen.see(piece)
        count += len(piece)
    return model.embed(encoder, samples, 0, count, counts), count


class _TrackInWork:
    """Crops of one track on their way to the model, a piece at a time."""

    def __init__(self, first_frame: int, beside: Beside, pictures: PicturesOnTheWay | None = None) -> None:
        self.scored: ScoredTrack | None = None
        self._beside, self._pictures = beside, pictures
        self._encoder = beside.model.face_encoder()
        self._crops: list[np.ndarray] = []
        self._seen = TrackSeen(first_frame, keep_embeddings=beside.keep_embeddings)

    def add(self, crop: FaceCrop) -> None:
        self._seen.see([crop.bgr() if self._seen.takes_next else None])
        self._crops.append(crop.grey() if self._encoder.grey else crop.bgr())
        if len(self._crops) == CROPS_PER_PIECE:
            self._push()

    def finish(self, track: Track) -> None:
        self._push()
        model, samples, speech = self._beside.model, self._beside.samples, self._beside.speech
        first, count = track.first_frame, track.frame_count
        embeddings = model.embed(self._encoder, samples, first, count, self._beside.counts)
        # The follower keeps this for as long as the video lasts: 0.7 MB of pictures a track.
        del self._encoder
        self.scored = score_track(track, embeddings, model, speech, self._seen)
        del self._seen
        if self._pictures:
            self._pictures.add(self)

    def _push(self) -> None:
        if self._crops:
            self._encoder.push(np.stack(self._crops))
            self._crops.clear()


def _score_missing(media: Media, tracks: dict[int, Track], beside: Beside, stop: StopFlag) -> dict[int, ScoredTrack]:
    """Those that were not cropped when they were found, by their number, in a pass of their own.

    A track is scored as soon as its last frame is cropped, and the pass ends with the last one.
    """
    upcoming = deque(sorted(tracks, key=lambda number: tracks[number].first_frame))
    active: dict[int, tuple[TrackCropper, _TrackInWork]] = {}
    scores: dict[int, ScoredTrack] = {}
    if not tracks:
        return scores
    stop.enter("scoring faces", max(track.first_frame + track.frame_count for track in tracks.values()))
    for frame_index, frame in watched(enumerate(media.pictures()), stop):
        while upcoming and tracks[upcoming[0]].first_frame == frame_index:
            number = upcoming.popleft()
            active[number] = TrackCropper(tracks[number]), _TrackInWork(frame_index, beside)
        for number, (cropper, work) in list(active.items()):
            work.add(cropper.face_crop(frame_index, frame))
            if frame_index == tracks[number].frames[-1]:
                work.finish(tracks[number])
                scores[number] = cast("ScoredTrack", work.scored)
                del active[number]
        if len(scores) == len(tracks):
            return scores
    raise DamagedVideoError(
        "the second decoding gave fewer frames than the first", path=media.path, cure="check that it plays"
    )

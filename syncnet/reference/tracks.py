"""Shots and face tracks as the published pipeline makes them.

Source: run_pipeline.py of github.com/joonson/syncnet_python. A track follows the first face that overlaps its last by
more than half, in the order of the detector's confidence; it needs more detections than the minimum, and a mean box
larger than the minimum: strictly more, where the default path takes the minimum itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from detectors.protocol import FaceDetector, box_overlaps
from syncnet.conventions import FPS
from syncnet.faces.no_track import MissedGate, NoTrackReason
from syncnet.faces.shots import Shot, reduced_size, shots_between
from syncnet.faces.tracks import Track, TrackingResult
from syncnet.settings import TrackSettings
from syncnet.system.interruption import StopFlag


@dataclass(frozen=True)
class _Candidate:
    track: Track
    detection_count: int


def detect_faces(frames: Iterable[np.ndarray], detector: FaceDetector, stop: StopFlag) -> list[np.ndarray]:
    """The boxes of every frame, each (N, 4) float32 xyxy in pixels, the surest first."""
    boxes = []
    for frame_bgr in frames:
        stop.check()
        boxes.append(detector.detect(frame_bgr).boxes)
    return boxes


def find_published_shots(avi: Path, frame_count: int, stop: StopFlag) -> list[Shot]:
    """Shots of at least 15 frames, as PySceneDetect's command finds them with a ContentDetector of its defaults.

    ``frame_count``: how many frames the faces were looked for in.
    """
    from scenedetect import ContentDetector, FrameTimecode

    detector = ContentDetector()
    cuts: set[int] = set()
    for number, frame_bgr in enumerate(_read_video(avi)):
        stop.check()
        small = cv2.resize(frame_bgr, reduced_size(frame_bgr), interpolation=cv2.INTER_LINEAR)
        cuts.update(cut.frame_num for cut in detector.process_frame(FrameTimecode(number, fps=float(FPS)), small))
    return shots_between(sorted(cut for cut in cuts if 0 < cut < frame_count), frame_count)


def _read_video(avi: Path) -> Iterator[np.ndarray]:
    video = cv2.VideoCapture(str(avi), cv2.CAP_FFMPEG)
    try:
        while True:
            read, frame_bgr = video.read()
            if not read:
                return
            yield frame_bgr
    finally:
        video.release()


def link_published_tracks(
    boxes: Sequence[np.ndarray], shots: Iterable[Shot], settings: TrackSettings
) -> TrackingResult:
    """Tracks of every shot, or why there is none. ``boxes``: those of each frame, (N, 4), in order of confidence."""
    candidates = [candidate for shot in shots for candidate in _link_shot(boxes, shot, settings)]
    tracks = [
        candidate.track
        for candidate in candidates
        if candidate.detection_count > settings.min_track_frames and candidate.track.face_px > settings.min_face_px
    ]
    return TrackingResult(tracks, None if tracks else _no_track_reason(candidates, settings))


def _link_shot(boxes: Sequence[np.ndarray], shot: Shot, settings: TrackSettings) -> Iterator[_Candidate]:
    """One track after the other, each through the whole shot, of the faces that earlier ones left."""
    left = {frame: list(boxes[frame].astype(np.float64)) for frame in range(shot.first_frame, shot.end_frame)}
    while any(left.values()):
        frames: list[int] = []
        followed: list[np.ndarray] = []
        for frame, faces in left.items():
            if frames and frame - frames[-1] > settings.max_gap_frames:
                break
            place = 0 if not followed else _first_overlap(faces, followed[-1], settings.min_overlap)
            if faces and place is not None:
                followed.append(faces.pop(place))
                frames.append(frame)
        yield _Candidate(_interpolated(frames, followed), len(frames))


def _first_overlap(faces: list[np.ndarray], last: np.ndarray, min_overlap: float) -> int | None:
    if not faces:
        return None
    places = np.flatnonzero(box_overlaps(np.stack(faces), last[None])[:, 0] > min_overlap)
    return int(places[0]) if len(places) else None


def _interpolated(frames: list[int], boxes: list[np.ndarray]) -> Track:
    every = np.arange(frames[0], frames[-1] + 1)
    filled = [np.interp(every, frames, corner) for corner in np.stack(boxes).T]
    return Track(every, np.stack(filled, axis=1).astype(np.float32))


def _no_track_reason(candidates: list[_Candidate], settings: TrackSettings) -> NoTrackReason:
    """The gate that dropped them all: the length, which is looked at first, or the size."""
    if not candidates:
        return NoTrackReason()
    long = [candidate for candidate in candidates if candidate.detection_count > settings.min_track_frames]
    if not long:
        longest = max(candidate.detection_count for candidate in candidates)
        return NoTrackReason(track_frames=MissedGate(settings.min_track_frames, longest), beyond=True)
    largest_px = int(max(candidate.track.face_px for candidate in long))
    return NoTrackReason(MissedGate(settings.min_face_px, largest_px), beyond=True)

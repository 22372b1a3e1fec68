"""Detections within shots -> face tracks: linked by overlap, gaps bridged, short and small ones dropped."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np

from detectors.protocol import Detections, box_overlaps
from syncnet.faces.finding import FacePass
from syncnet.faces.no_track import MissedGate, NoTrackReason
from syncnet.faces.shots import Shot
from syncnet.settings import TrackSettings

LEAST_PIECE_FRAMES = 21
"""A shorter one says nothing, whatever it belongs to: the published network's curve has ends only from here on."""


@dataclass(frozen=True)
class Track:
    """One face in consecutive frames of one shot."""

    frames: np.ndarray
    """Consecutive frame numbers, shape (L,), int."""
    boxes: np.ndarray
    """Face box in each frame, shape (L, 4), float32, xyxy in pixels of the original frame."""

    def __post_init__(self) -> None:
        if self.frames.ndim != 1 or len(self.frames) == 0 or self.boxes.shape != (len(self.frames), 4):
            raise ValueError(f"track of {self.frames.shape} frames with {self.boxes.shape} boxes")
        if (np.diff(self.frames) != 1).any():
            raise ValueError("a track's frames must be consecutive")

    @property
    def first_frame(self) -> int:
        return int(self.frames[0])

    @property
    def frame_count(self) -> int:
        return len(self.frames)

    @property
    def mean_box(self) -> np.ndarray:
        """Mean of the boxes, shape (4,), float32."""
        mean: np.ndarray = self.boxes.mean(axis=0)
        return mean

    @property
    def face_px(self) -> float:
        """Mean width or mean height of the face, whichever is larger, in pixels."""
        left, top, right, bottom = self.mean_box
        return float(max(right - left, bottom - top))


@dataclass(frozen=True)
class TrackingResult:
    """The tracks that passed the gates, in order of their first frame."""

    tracks: list[Track]
    no_track: NoTrackReason | None
    """Which gate dropped everything; None when there are tracks."""
    pieces: list[Track] = field(default_factory=list)
    """These and shorter ones, which may be long enough together with others of the same face."""


def link_tracks(faces: FacePass, settings: TrackSettings) -> TrackingResult:
    """Tracks of every shot that are long and large enough, or the reason why there is none."""
    candidates = [track for shot in faces.shots for track in _link_shot(faces, shot, settings)]
    large = [track for track in candidates if track.face_px >= settings.min_face_px]
    tracks = [track for track in large if track.frame_count >= settings.min_track_frames]
    pieces = [track for track in large if track.frame_count >= min(LEAST_PIECE_FRAMES, settings.min_track_frames)]
    return TrackingResult(tracks, None if tracks else _no_track_reason(candidates, settings), pieces)


class OpenTrack:
    """The detections of one face so far, in two pieces that grow: they may be those of hours."""

    def __init__(self, frame: int, box: np.ndarray) -> None:
        self.frames, self._corners = array("q"), array("d")
        self.add(frame, box)

    def add(self, frame: int, box: np.ndarray) -> None:
        self.frames.append(frame)
        self._corners.extend(box)

    @property
    def last_box(self) -> np.ndarray:
        """(4,), float64."""
        return np.array(self._corners[-4:])

    def filled(self, since: int) -> np.ndarray:
        """Boxes of all frames from that of the detection ``since`` to the last one, (L, 4), float32.

        Those between detections are interpolated linearly.
        """
        seen = self.frames[since:]
        frames = np.arange(seen[0], seen[-1] + 1)
        corners = np.array(self._corners[4 * since :]).reshape(-1, 4).T
        return np.stack([np.interp(frames, seen, corner) for corner in corners], axis=1).astype(np.float32)

    def close(self) -> Track:
        """The track with every frame between its detections filled by linear interpolation."""
        return Track(np.arange(self.frames[0], self.frames[-1] + 1), self.filled(0))


class ShotLinker:
    """Links the detections of one shot, frame by frame in order."""

    def __init__(self, settings: TrackSettings, looked_at_every: int) -> None:
        # Frames that nobody looked at are no misses: the step to the next look comes on top of the allowed gap.
        self._max_distance_frames = settings.max_gap_frames + looked_at_every
        self._min_overlap = settings.min_overlap
        self.opened: list[OpenTrack] = []
        """All tracks of the shot, in the order in which they began."""
        self._alive: list[OpenTrack] = []

    def may_go_on(self, track: OpenTrack, frame: int) -> bool:
        """Whether a face in this frame can still belong to the track."""
        return frame - track.frames[-1] <= self._max_distance_frames

    def add(self, frame: int, detections: Detections) -> list[OpenTrack]:
        """The faces of the next frame that was looked at; returns the tracks that begin with it."""
        if len(detections.boxes) == 0:
            return []
        boxes = np.asarray(detections.boxes, dtype=np.float64)
        alive = [track for track in self._alive if self.may_go_on(track, frame)]
        matches = _best_matches(alive, boxes, self._min_overlap)
        for track_index, box_index in matches.items():
            alive[track_index].add(frame, boxes[box_index])
        unmatched = sorted(set(range(len(boxes))) - set(matches.values()))
        begun = [OpenTrack(frame, boxes[box_index]) for box_index in unmatched]
        self.opened += begun
        self._alive = alive + begun
        return begun


def _link_shot(faces: FacePass, shot: Shot, settings: TrackSettings) -> list[Track]:
    linker = ShotLinker(settings, faces.looked_at_every)
    for frame in range(shot.first_frame, shot.end_frame):
        detections = faces.detections.get(frame)
        if detections is not None:
            linker.add(frame, detections)
    return [track.close() for track in linker.opened]


def _best_matches(tracks: list[OpenTrack], boxes: np.ndarray, min_overlap: float) -> dict[int, int]:
    """Which box continues which track: the largest overlap of all pairs first, each track and box used once."""
    if not tracks:
        return {}
    overlaps = box_overlaps(np.stack([track.last_box for track in tracks]), boxes)
    matches: dict[int, int] = {}
    # A stable sort keeps equal overlaps in order of age, so that the answer never depends on chance.
    for flat_index in np.argsort(-overlaps, axis=None, kind="stable"):
        track_index, box_index = divmod(int(flat_index), len(boxes))
        if overlaps[track_index, box_index] <= min_overlap:
            break
        if track_index not in matches and box_index not in matches.values():
            matches[track_index] = box_index
    return matches


def _no_track_reason(candidates: list[Track], settings: TrackSettings) -> NoTrackReason:
    """The gate that dropped every candidate; both gates where some failed at one and the rest at the other."""
    if not candidates:
        return NoTrackReason()
    large = [track for track in candidates if track.face_px >= settings.min_face_px]
    long = [track for track in candidates if track.frame_count >= settings.min_track_frames]
    face_px = track_frames = None
    if long or not large:
        # Rounded down, so that the number shown is below the limit as the face is.
        largest_px = int(max(track.face_px for track in (long if large else candidates)))
        face_px = MissedGate(settings.min_face_px, largest_px)
    if large:
        track_frames = MissedGate(settings.min_track_frames, max(track.frame_count for track in large))
    return NoTrackReason(face_px, track_frames)

"""Frames -> face detections and shots, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detectors.protocol import Detections, FaceDetector, box_overlaps
from syncnet.faces.shots import CutFinder, Shot, shots_between
from syncnet.media.picture import Frame
from syncnet.settings import DetectSettings, ShotSettings

_FOLLOWED_OVERLAP = 0.5
"""Intersection over union above which two looks see the same face; what track linking asks for."""


@dataclass(frozen=True)
class FacePass:
    """What was seen on the way through a video."""

    detections: dict[int, Detections]
    """Faces by frame number, in order, only of the frames that were looked at."""
    shots: list[Shot]
    frame_count: int
    looked_at_every: int
    """Largest distance, in frames, between two looks within a shot."""


class Follower(Protocol):
    """Is told what is found while the frames go by."""

    def show(self, frame: Frame) -> None:
        """The next frame in order."""

    def settle(self, frame_count: int, detections: Mapping[int, Detections], cuts: Sequence[int]) -> None:
        """So many frames from the start will have no other detections and cuts than these."""


def find_faces(
    frames: Iterable[Frame],
    detector: FaceDetector,
    detect: DetectSettings,
    shots: ShotSettings,
    follower: Follower | None = None,
) -> FacePass:
    """Look for faces in every N-th frame of each shot, in its first and its last, and more often while they move fast.

    The frames in between are left to interpolation, which therefore never has to guess beyond a shot's ends.
    """
    cut_finder = CutFinder(shots)
    lookout = Lookout(detector, detect.detect_every_frames)
    frame_count = 0
    for frame in frames:
        starts_shot = cut_finder.is_cut(frame) or frame_count == 0
        lookout.show(frame, starts_shot=starts_shot)
        frame_count += 1
        if follower is not None:
            follower.show(frame)
            settled = min(lookout.settled_frames, cut_finder.settled_frames)
            follower.settle(settled, lookout.detections, cut_finder.cuts)
    lookout.end_shot()
    if follower is not None:
        follower.settle(frame_count, lookout.detections, cut_finder.cuts)
    detections = dict(sorted(lookout.detections.items()))
    return FacePass(detections, shots_between(cut_finder.cuts, frame_count), frame_count, detect.detect_every_frames)


class Lookout:
    """Decides which frames the detector sees. Holds the frames since its last look, at most N of them."""

    def __init__(self, detector: FaceDetector, every_frames: int) -> None:
        self.detections: dict[int, Detections] = {}
        """Faces by frame number, of the frames that were looked at so far."""
        self.settled_frames = 0
        """So many from the start will not be looked at any more."""
        self._detector = detector
        self._every_frames = every_frames
        self._held: dict[int, Frame] = {}
        self._seen: tuple[Frame, Detections] | None = None
        self._next_frame = 0
        self._last_look: int | None = None

    def show(self, frame: Frame, *, starts_shot: bool) -> None:
        """The next frame in order."""
        if starts_shot:
            self.end_shot()
        self._held[self._next_frame] = frame
        if self._last_look is None or self._next_frame - self._last_look == self._every_frames:
            self._look(self._next_frame)
        self._next_frame += 1

    def end_shot(self) -> None:
        """Look at the last frame that was shown, and forget the shot."""
        if self._last_look is not None and self._next_frame - 1 > self._last_look:
            self._look(self._next_frame - 1)
        self._last_look = None

    def _look(self, index: int) -> None:
        self.detections[index] = self._faces_in(self._held[index])
        if self._last_look is not None:
            self._look_between(self._last_look, index)
        self._last_look = index
        self.settled_frames = index + 1
        self._held.clear()

    def _look_between(self, first: int, second: int) -> None:
        """Halve the distance between two looks until every face can be followed from one to the next."""
        if second - first < 2 or not _some_face_moved_fast(self.detections[first], self.detections[second]):
            return
        middle = (first + second) // 2
        self.detections[middle] = self._faces_in(self._held[middle])
        self._look_between(first, middle)
        self._look_between(middle, second)

    def _faces_in(self, frame: Frame) -> Detections:
        """A picture that stands for minutes comes as the same object again and again, and is searched once."""
        if self._seen is None or self._seen[0] is not frame:
            self._seen = frame, self._detector.detect(frame)
        return self._seen[1]


def _some_face_moved_fast(before: Detections, after: Detections) -> bool:
    """Whether a face that has no successor and one that has no predecessor overlap: probably the same, moving.

    A face that comes or goes has no such partner, so that a crowd at the limit of visibility causes no more looks.
    """
    overlaps = box_overlaps(before.boxes, after.boxes)
    followed = overlaps > _FOLLOWED_OVERLAP
    gone, come = ~followed.any(axis=1), ~followed.any(axis=0)
    return bool((overlaps[np.ix_(gone, come)] > 0).any())

"""Frames -> face detections and shots, in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from detectors.protocol import Detections, FaceDetector, NearDetector, box_overlaps
from syncnet.faces.detection_log import DetectionLog
from syncnet.faces.shots import CutFinder, Shot, shots_between
from syncnet.media.picture import Frame
from syncnet.settings import DetectSettings, ShotSettings

_FOLLOWED_OVERLAP = 0.5
"""Intersection over union above which two looks see the same face; what track linking asks for."""
_RESTING_OVERLAP = 0.85
WHOLE_EVERY_FRAMES = 40
"""Farther apart whole looks are not, so long is a frame unsettled."""
_MOST_UNSETTLED_BYTES = 128 << 20
"""Of frames: larger ones are looked at as a whole more often."""
GIVEN_UP_FRAMES = 30
"""So long after it was last seen a face may come back, by the gap that tracks bridge."""


@dataclass(frozen=True)
class FacePass:
    """What was seen on the way through a video."""

    detections: Mapping[int, Detections]
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
        lookout.detections.settle(lookout.settled_frames)
        if follower is not None:
            follower.show(frame)
            settled = min(lookout.settled_frames, cut_finder.settled_frames)
            follower.settle(settled, lookout.detections, cut_finder.cuts)
    lookout.end_shot()
    if follower is not None:
        follower.settle(frame_count, lookout.detections, cut_finder.cuts)
    shots_found = shots_between(cut_finder.cuts, frame_count)
    return FacePass(lookout.detections, shots_found, frame_count, detect.detect_every_frames)


class Lookout:
    """Decides which frames the detector sees, and how much of them. Holds the frames of the looks since a whole one.

    A detector that can look near known faces does so between whole looks, which are at both ends of a shot and at most
    40 frames apart; and half as often, where the faces rest. Where it loses a face it looks at whole frames, until the
    face is found or given up. Where a whole look shows a new face, what was looked at before is looked at again, back
    to where that is not seen.
    """

    def __init__(self, detector: FaceDetector, every_frames: int) -> None:
        self.detections = DetectionLog()
        """Faces by frame number, of the frames that were looked at so far."""
        self.settled_frames = 0
        """So many from the start will not be looked at any more."""
        self._detector = detector
        self._near = detector.detect_near if isinstance(detector, NearDetector) else None
        self._every_frames = every_frames
        self._held: dict[int, Frame] = {}
        self._seen: tuple[Frame, Detections] | None = None
        self._next_frame = 0
        self._last_look: int | None = None
        self._unsure: dict[int, Frame] = {}
        """Frames since the last whole look of which the surroundings of faces were seen, or that were left out."""
        self._whole_until = 0

    def show(self, frame: Frame, *, starts_shot: bool) -> None:
        """The next frame in order."""
        if starts_shot:
            self.end_shot()
        self._held[self._next_frame] = frame
        if self._last_look is None or self._next_frame - self._last_look == self._step:
            self._look(self._next_frame, whole=self._last_look is None)
        self._next_frame += 1

    @property
    def _step(self) -> int:
        """Frames to the next look. Who asks for every single one gets it."""
        far = self._near is not None and self._every_frames > 1 and self._next_frame >= self._whole_until
        return 2 * self._every_frames if far else self._every_frames

    def end_shot(self) -> None:
        """Look at the last frame that was shown, and forget the shot."""
        if self._last_look is not None and self._next_frame - 1 > self._last_look:
            self._look(self._next_frame - 1, whole=True)
        elif self._last_look is not None and self._last_look in self._unsure:
            self._look_at_whole(self._last_look, self._unsure.pop(self._last_look))
        self._last_look, self._whole_until = None, 0

    def _look(self, index: int, *, whole: bool) -> None:
        frame, before = self._held[index], self._last_look
        most_frames = min(WHOLE_EVERY_FRAMES, _MOST_UNSETTLED_BYTES // max(1, frame.nbytes))
        due = whole or index >= self.settled_frames - 1 + most_frames or index < self._whole_until
        if due or before is None or not self._look_near(index, frame, before):
            self._look_at_whole(index, frame)
        if before is not None:
            self._look_between(before, index)
        self._last_look = index
        self._held.clear()

    def _look_near(self, index: int, frame: Frame, before: int) -> bool:
        """Whether all faces of the look ``before`` were found near where they were."""
        found = self._near(frame, self.detections[before].boxes) if self._near else None
        if found is None:
            return False
        self.detections[index], self._unsure[index] = found, frame
        return True

    def _look_at_whole(self, index: int, frame: Frame) -> None:
        later = self.detections[index] = self._faces_in(frame)
        # The first of them is the last look.
        for earlier, earlier_frame in sorted(self._unsure.items(), reverse=True):
            known = self.detections.get(earlier)
            if known is not None and not _lacks_some(known, later):
                break
            later = self.detections[earlier] = self._faces_in(earlier_frame)
            if known is not None and not _lacks_some(known, later):
                break
        if self._last_look is not None and _lacks_some(self.detections[index], self.detections[self._last_look]):
            self._whole_until = index + GIVEN_UP_FRAMES
        self._unsure.clear()
        self.settled_frames = index + 1

    def _look_between(self, first: int, second: int) -> None:
        """Halve the distance between two looks until every face can be followed from one to the next."""
        before, after = self.detections[first], self.detections[second]
        far = second - first > self._every_frames and not _all_rest(before, after)
        if second - first < 2 or not (far or _some_face_moved_fast(before, after)):
            if second - first > self._every_frames and self._unsure:
                self._unsure[second - self._every_frames] = self._held[second - self._every_frames]
            return
        middle = (first + second) // 2
        same = not _lacks_some(before, after) and not _lacks_some(after, before)
        if not (same and second in self._unsure and self._look_near(middle, self._held[middle], first)):
            self.detections[middle] = self._faces_in(self._held[middle])
        self._look_between(first, middle)
        self._look_between(middle, second)

    def _faces_in(self, frame: Frame) -> Detections:
        """A picture that stands for minutes comes as the same object again and again, and is searched once."""
        if self._seen is None or self._seen[0] is not frame:
            self._seen = frame, self._detector.detect(frame)
        return self._seen[1]


def _all_rest(before: Detections, after: Detections) -> bool:
    """Whether each face of both looks is where it was."""
    overlaps = box_overlaps(before.boxes, after.boxes)
    least = min(overlaps.max(axis=0, initial=0.0).min(initial=1.0), overlaps.max(axis=1, initial=0.0).min(initial=1.0))
    return bool(least > _RESTING_OVERLAP)


def _lacks_some(detections: Detections, others: Detections) -> bool:
    """Whether one of the others is no face of these."""
    return bool((box_overlaps(detections.boxes, others.boxes).max(axis=0, initial=0.0) <= _FOLLOWED_OVERLAP).any())


def _some_face_moved_fast(before: Detections, after: Detections) -> bool:
    """Whether a face that has no successor and one that has no predecessor overlap: probably the same, moving.

    A face that comes or goes has no such partner, so that a crowd at the limit of visibility causes no more looks.
    """
    overlaps = box_overlaps(before.boxes, after.boxes)
    followed = overlaps > _FOLLOWED_OVERLAP
    gone, come = ~followed.any(axis=1), ~followed.any(axis=0)
    return bool((overlaps[np.ix_(gone, come)] > 0).any())

"""Faces followed while the frames go by, so that their crops are made in the pass that finds them.

A crop waits until nothing that comes can move it: until the detections of its frame are told, the track has gone on or
ended (a face that is missed may come back for more than a second), and half the median of the boxes' smoothing lies
ahead. So long its frame is held.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

import numpy as np

from detectors.protocol import Detections
from syncnet.faces.crops import MEDIAN_REACH, FaceCrop, smooth_boxes
from syncnet.faces.tracks import LEAST_PIECE_FRAMES, OpenTrack, ShotLinker, Track
from syncnet.media.picture import Frame
from syncnet.settings import TrackSettings

MOST_HELD_BYTES = 256 << 20
"""Of the frames of one video. Beyond it the oldest are let go, and the tracks that lack them are left out."""
_LEAST_SHARE = 0.8
"""A face that starts smaller than this share of the smallest that counts is not followed: crowds have many."""


class CropTaker(Protocol):
    """Takes in the crops of one track."""

    def add(self, crop: FaceCrop) -> None:
        """The next one. Whoever keeps it keeps the whole frame."""

    def finish(self, track: Track) -> None:
        """These were all; ``track`` is what they show."""


Taker = TypeVar("Taker", bound=CropTaker)


class FaceFollower(Generic[Taker]):
    """See ``syncnet.faces.finding.Follower``."""

    def __init__(
        self,
        settings: TrackSettings,
        every_frames: int,
        begin: Callable[[int], Taker],
        most_bytes: int = MOST_HELD_BYTES,
    ) -> None:
        """``every_frames``: of the looks. ``begin`` makes what takes the crops, given the track's first frame."""
        self._settings = settings
        self._every_frames = every_frames
        self._begin = begin
        self._linker = ShotLinker(settings, every_frames)
        self._linked_frames = 0
        self._followed: list[_Followed[Taker]] = []
        self._whole: dict[int, list[tuple[Track, Taker]]] = {}
        """Tracks of which all crops were taken, by their first frame."""
        self._held = _HeldFrames(most_bytes)

    def show(self, frame: Frame) -> None:
        self._held.add(frame)

    def settle(self, frame_count: int, detections: Mapping[int, Detections], cuts: Sequence[int]) -> None:
        if frame_count <= self._linked_frames:
            return
        for frame in range(self._linked_frames, frame_count):
            place = bisect_left(cuts, frame)
            if place < len(cuts) and cuts[place] == frame:
                self._end(self._followed)
                self._linker = ShotLinker(self._settings, self._every_frames)
            if frame in detections:
                self._followed += [_Followed(track) for track in self._linker.add(frame, detections[frame])]
        self._linked_frames = frame_count
        self._end([one for one in self._followed if not self._linker.may_go_on(one.track, frame_count)])
        for one in self._followed:
            self._take(one, ended=False)
        self._held.let_go(min([frame_count, *(one.next_frame for one in self._followed if not one.left_out)]))

    def finish(self) -> None:
        """There are no more frames."""
        self._end(self._followed)

    def crops_of(self, track: Track) -> Taker | None:
        """What took the crops of this track; None where it did not get them, or not all of them."""
        for followed, taker in self._whole.get(track.first_frame, ()):
            if np.array_equal(followed.boxes, track.boxes):
                return taker
        return None

    def _end(self, ended: Sequence[_Followed[Taker]]) -> None:
        gates = self._settings
        for one in ended:
            self._take(one, ended=True)
            track = one.so_far
            long = track.frame_count >= min(LEAST_PIECE_FRAMES, gates.min_track_frames)
            if one.taker is not None and long and track.face_px >= gates.min_face_px:
                one.taker.finish(track)
                self._whole.setdefault(track.first_frame, []).append((track, one.taker))
        self._followed = [one for one in self._followed if one not in ended]

    def _take(self, one: _Followed[Taker], *, ended: bool) -> None:
        """Its crops so far as they are settled."""
        one.fill()
        for x, y, s in one.places(ended=ended):
            if one.taker is None:
                one.left_out = one.so_far.face_px < _LEAST_SHARE * self._settings.min_face_px
                one.taker = None if one.left_out else self._begin(one.first_frame)
            frame = self._held.frame(one.next_frame)
            if one.taker is None or frame is None:
                one.left_out, one.taker = True, None
                return
            one.taker.add(FaceCrop(frame, x, y, s))
            one.next_frame += 1


class _Followed(Generic[Taker]):
    """One track on its way."""

    def __init__(self, track: OpenTrack) -> None:
        self.track = track
        self.first_frame = self.next_frame = track.frames[0]
        """``next_frame``: the first one that is not cropped yet."""
        self.taker: Taker | None = None
        self.left_out = False
        self._numbers = array("f")
        """Four a box: a track may last for hours."""
        self._filled = 0
        self.fill()

    @property
    def so_far(self) -> Track:
        """From the first frame to the last detection."""
        return Track(self.first_frame + np.arange(self._frame_count), self._boxes(0, self._frame_count))

    @property
    def _frame_count(self) -> int:
        return len(self._numbers) // 4

    def _boxes(self, first: int, end: int) -> np.ndarray:
        # A copy: the numbers cannot grow while somebody looks at them.
        return np.frombuffer(self._numbers, np.float32).reshape(-1, 4)[first:end].copy()

    def fill(self) -> None:
        """Adds the boxes up to a detection that is new."""
        if len(self.track.frames) > self._filled:
            boxes = self.track.filled(self._filled - 1)[1:] if self._filled else self.track.filled(0)
            self._numbers.frombytes(boxes.tobytes())
            self._filled = len(self.track.frames)

    def places(self, *, ended: bool) -> np.ndarray:
        """Centre and half-size of the crops from the next one on that will not change any more, (n, 3)."""
        taken = self.next_frame - self.first_frame
        settled = self._frame_count - (0 if ended else MEDIAN_REACH)
        if self.left_out or settled <= taken:
            return np.empty((0, 3))
        # The filter repeats the values at the ends of what it is given, which matters at those of the track alone.
        first = max(0, taken - MEDIAN_REACH)
        return smooth_boxes(self._boxes(first, settled + MEDIAN_REACH))[taken - first : settled - first]


class _HeldFrames:
    """The last frames. One that is shown for several ticks comes as the same object, and is counted once."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._frames: deque[Frame] = deque()
        self._first = 0

    def add(self, frame: Frame) -> None:
        if not self._frames or self._frames[-1] is not frame:
            self._bytes += frame.nbytes
        self._frames.append(frame)
        while self._bytes > self._most_bytes:
            self._drop()

    def frame(self, index: int) -> Frame | None:
        place = index - self._first
        return self._frames[place] if 0 <= place < len(self._frames) else None

    def let_go(self, end: int) -> None:
        """Those before frame ``end``."""
        while self._frames and self._first < end:
            self._drop()

    def _drop(self) -> None:
        frame = self._frames.popleft()
        self._first += 1
        if not self._frames or self._frames[0] is not frame:
            self._bytes -= frame.nbytes

"""Frames -> shots, by the measure of PySceneDetect's ContentDetector."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np

from syncnet.media.picture import Frame, reduce
from syncnet.settings import ShotSettings

_STANDS_OUT = 1.25
"""A cut changes the picture by so much more than one of the two frames before it did. In the noise of low light, where
hue and saturation mean nothing, every frame changes it alike; the least of the cuts in good light that were looked at
had 2.4 times the change just before it."""
_STILL_TICKS = 3
"""A picture that is shown so long stands still; one of a slow camera is shown for two."""
_NOISE_BLUR_PX = 5
_REDUCED_PX = 256
"""Of the longer side, as in the library."""
MOST_FLASH_FRAMES = 3
_BACK_AGAIN = 0.4
"""After a flash the picture is as it was: what has changed since is so much less than what the flash changed."""


@dataclass(frozen=True)
class Shot:
    """A half-open range of frames without a cut in it."""

    first_frame: int
    end_frame: int


class CutFinder:
    """Finds cuts while the frames go by, holding nothing but the last three and the one before the last cut.

    A flash, and a black picture, of at most three frames between pictures that are alike is no cut. That is known only
    when it is over, so a cut may be withdrawn up to three frames after it was told.
    """

    def __init__(self, settings: ShotSettings) -> None:
        # No minimum length: every cut counts at once. The library's own default (15 frames) may report a cut late or
        # merge it with the next, so that a track would run on into another picture; and what lies between two cuts
        # that close is too short for a track of use.
        self.cuts: list[int] = []
        """Frames that start a new shot, without those that were withdrawn."""
        self._last_hsv: np.ndarray | None = None
        self._threshold = settings.content_threshold
        self._frame_count = 0
        self._size: tuple[int, int] | None = None
        self._shown: deque[Frame] = deque(maxlen=3)
        self._ticks = 0
        """For how many the last of them is shown so far."""
        self._flash: _MayBeFlash | None = None

    @property
    def settled_frames(self) -> int:
        """In so many frames from the start no cut will be withdrawn any more, and none be found."""
        return max(0, self._frame_count - MOST_FLASH_FRAMES - 1)

    def is_cut(self, frame: Frame) -> bool:
        """Whether a new shot seems to start with this frame, the next in order; False for the first frame of all."""
        index = self._frame_count
        starts = self._changes(frame)
        if self._flash and index - self._flash.first_frame > MOST_FLASH_FRAMES:
            self._flash = None
        if self._flash and index > self._flash.first_frame and self._is_over(self._flash, frame):
            self.cuts = [cut for cut in self.cuts if cut < self._flash.first_frame]
            self._flash, starts = None, False
        if starts:
            if self._flash is None:
                before, now = self._without_noise(self._shown[-1]), self._without_noise(frame)
                self._flash = _MayBeFlash(index, before, _change(before, now))
            self.cuts.append(index)
        self._show(frame)
        return starts

    def _changes(self, frame: Frame) -> bool:
        if self._is_still(frame):
            return False
        if self._size is None:
            self._size = reduced_size(frame)
        before, self._last_hsv = self._last_hsv, _hsv(reduce(frame, self._size, cv2.INTER_LINEAR))
        if before is None or _change(before, self._last_hsv) < self._threshold:
            return False
        return self._stands_out(frame)

    def _is_still(self, frame: Frame) -> bool:
        """A picture that is shown for several ticks comes as the same object."""
        return bool(self._shown) and frame is self._shown[-1]

    def _show(self, frame: Frame) -> None:
        self._ticks = self._ticks + 1 if self._is_still(frame) else 1
        if self._ticks in (1, _STILL_TICKS):
            self._shown.append(frame)
        self._frame_count += 1

    def _is_over(self, flash: _MayBeFlash, frame: Frame) -> bool:
        since = _change(flash.before_hsv, self._without_noise(frame))
        return since < min(self._threshold, _BACK_AGAIN * flash.change)

    def _stands_out(self, frame: Frame) -> bool:
        pictures = [self._without_noise(frame) for frame in (*self._shown, frame)]
        *before, now = (_change(one, other) for one, other in itertools.pairwise(pictures))
        return now >= _STANDS_OUT * min(before, default=0.0)

    def _without_noise(self, frame: Frame) -> np.ndarray:
        """Hue, saturation and value of the frame, reduced and blurred."""
        reduced = reduce(frame, self._size or reduced_size(frame), cv2.INTER_AREA)
        return _hsv(cv2.GaussianBlur(reduced, (_NOISE_BLUR_PX, _NOISE_BLUR_PX), 0))


@dataclass(frozen=True, eq=False)
class _MayBeFlash:
    """A cut of which nobody knows yet whether the picture before it comes back."""

    first_frame: int
    before_hsv: np.ndarray
    """The picture before it, without noise."""
    change: float


def _change(one_hsv: np.ndarray, other_hsv: np.ndarray) -> float:
    """What the ContentDetector goes by: the mean change of hue, saturation and value."""
    return cv2.norm(one_hsv, other_hsv, cv2.NORM_L1) / one_hsv.size


def _hsv(picture_bgr: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(picture_bgr, cv2.COLOR_BGR2HSV)


def shots_between(cuts: list[int], frame_count: int) -> list[Shot]:
    """The shots of ``frame_count`` frames where each frame of ``cuts`` starts a new one."""
    if frame_count == 0:
        return []
    return [Shot(first, end) for first, end in zip([0, *cuts], [*cuts, frame_count], strict=True)]


def reduced_size(frame: Frame) -> tuple[int, int]:
    """Width and height to which PySceneDetect itself reduces frames like this before it compares them."""
    height, width = frame.shape[:2]
    factor = max(1.0, max(width, height) / _REDUCED_PX)
    return max(1, round(width / factor)), max(1, round(height / factor))

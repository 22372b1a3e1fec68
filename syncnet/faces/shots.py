"""Frames -> shots, by PySceneDetect's ContentDetector."""

from __future__ import annotations

import itertools
from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode
from scenedetect.scene_manager import compute_downscale_factor

from syncnet.conventions import FPS
from syncnet.settings import ShotSettings

_STANDS_OUT = 1.25
"""A cut changes the picture by so much more than one of the two frames before it did. In the noise of low light, where
hue and saturation mean nothing, every frame changes it alike; the least of the cuts in good light that were looked at
had 2.4 times the change just before it."""
_STILL_TICKS = 3
"""A picture that is shown so long stands still; one of a slow camera is shown for two."""
_NOISE_BLUR_PX = 5
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
        self._detector = ContentDetector(threshold=settings.content_threshold, min_scene_len=0)
        self._most_alike = settings.content_threshold
        self._frame_count = 0
        self._size: tuple[int, int] | None = None
        self._shown: deque[np.ndarray] = deque(maxlen=3)
        self._ticks = 0
        """For how many the last of them is shown so far."""
        self._flash: _MayBeFlash | None = None

    @property
    def settled_frames(self) -> int:
        """In so many frames from the start no cut will be withdrawn any more, and none be found."""
        return max(0, self._frame_count - MOST_FLASH_FRAMES - 1)

    def is_cut(self, frame_bgr: np.ndarray) -> bool:
        """Whether a new shot seems to start with this frame, the next in order; False for the first frame of all."""
        index = self._frame_count
        starts = self._changes(frame_bgr)
        if self._flash and index - self._flash.first_frame > MOST_FLASH_FRAMES:
            self._flash = None
        if self._flash and index > self._flash.first_frame and self._is_over(self._flash, frame_bgr):
            self.cuts = [cut for cut in self.cuts if cut < self._flash.first_frame]
            self._flash, starts = None, False
        if starts:
            if self._flash is None:
                before, now = self._without_noise(self._shown[-1]), self._without_noise(frame_bgr)
                self._flash = _MayBeFlash(index, before, _change(before, now))
            self.cuts.append(index)
        self._show(frame_bgr)
        return starts

    def _changes(self, frame_bgr: np.ndarray) -> bool:
        if self._is_still(frame_bgr):
            return False
        if self._size is None:
            self._size = reduced_size(frame_bgr)
        reduced = frame_bgr
        if self._size != (frame_bgr.shape[1], frame_bgr.shape[0]):
            reduced = cv2.resize(frame_bgr, self._size, interpolation=cv2.INTER_LINEAR)
        cuts = self._detector.process_frame(FrameTimecode(self._frame_count, fps=float(FPS)), reduced)
        return bool(cuts) and self._stands_out(frame_bgr)

    def _is_still(self, frame_bgr: np.ndarray) -> bool:
        """A picture that is shown for several ticks comes as the same array."""
        return bool(self._shown) and frame_bgr is self._shown[-1]

    def _show(self, frame_bgr: np.ndarray) -> None:
        self._ticks = self._ticks + 1 if self._is_still(frame_bgr) else 1
        if self._ticks in (1, _STILL_TICKS):
            self._shown.append(frame_bgr)
        self._frame_count += 1

    def _is_over(self, flash: _MayBeFlash, frame_bgr: np.ndarray) -> bool:
        since = _change(flash.before_hsv, self._without_noise(frame_bgr))
        return since < min(self._most_alike, _BACK_AGAIN * flash.change)

    def _stands_out(self, frame_bgr: np.ndarray) -> bool:
        pictures = [self._without_noise(frame) for frame in (*self._shown, frame_bgr)]
        *before, now = (_change(one, other) for one, other in itertools.pairwise(pictures))
        return now >= _STANDS_OUT * min(before, default=0.0)

    def _without_noise(self, frame_bgr: np.ndarray) -> np.ndarray:
        """Hue, saturation and value of the frame, reduced and blurred."""
        reduced = cv2.resize(frame_bgr, self._size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(cv2.GaussianBlur(reduced, (_NOISE_BLUR_PX, _NOISE_BLUR_PX), 0), cv2.COLOR_BGR2HSV)


@dataclass(frozen=True, eq=False)
class _MayBeFlash:
    """A cut of which nobody knows yet whether the picture before it comes back."""

    first_frame: int
    before_hsv: np.ndarray
    """The picture before it, without noise."""
    change: float


def _change(one_hsv: np.ndarray, other_hsv: np.ndarray) -> float:
    """What the ContentDetector goes by: the mean change of hue, saturation and value."""
    return float(np.mean(cv2.mean(cv2.absdiff(one_hsv, other_hsv))[:3]))


def shots_between(cuts: list[int], frame_count: int) -> list[Shot]:
    """The shots of ``frame_count`` frames where each frame of ``cuts`` starts a new one."""
    if frame_count == 0:
        return []
    return [Shot(first, end) for first, end in zip([0, *cuts], [*cuts, frame_count], strict=True)]


def reduced_size(frame_bgr: np.ndarray) -> tuple[int, int]:
    """Width and height to which PySceneDetect itself reduces frames like this before it compares them."""
    height, width = frame_bgr.shape[:2]
    factor = compute_downscale_factor(max(width, height))
    return max(1, round(width / factor)), max(1, round(height / factor))

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


@dataclass(frozen=True)
class Shot:
    """A half-open range of frames without a cut in it."""

    first_frame: int
    end_frame: int


class CutFinder:
    """Finds cuts while the frames go by, holding nothing but the last three."""

    def __init__(self, settings: ShotSettings) -> None:
        # No minimum length: every cut counts at once. The library's own default (15 frames) may report a cut late or
        # merge it with the next, so that a track would run on into another picture; and what lies between two cuts
        # that close is too short for a track of use.
        self._detector = ContentDetector(threshold=settings.content_threshold, min_scene_len=0)
        self._frame_count = 0
        self._size: tuple[int, int] | None = None
        self._shown: deque[np.ndarray] = deque(maxlen=3)
        self._ticks = 0
        """For how many the last of them is shown so far."""

    def is_cut(self, frame_bgr: np.ndarray) -> bool:
        """Whether a new shot starts with this frame, the next in order; False for the first frame of all."""
        if self._shown and frame_bgr is self._shown[-1]:
            # A picture that is shown for several ticks comes as the same array.
            self._frame_count += 1
            self._ticks += 1
            if self._ticks == _STILL_TICKS:
                self._shown.append(frame_bgr)
            return False
        if self._size is None:
            self._size = reduced_size(frame_bgr)
        reduced = frame_bgr
        if self._size != (frame_bgr.shape[1], frame_bgr.shape[0]):
            reduced = cv2.resize(frame_bgr, self._size, interpolation=cv2.INTER_LINEAR)
        cuts = self._detector.process_frame(FrameTimecode(self._frame_count, fps=float(FPS)), reduced)
        self._frame_count += 1
        is_cut = bool(cuts) and self._stands_out(frame_bgr)
        self._shown.append(frame_bgr)
        self._ticks = 1
        return is_cut

    def _stands_out(self, frame_bgr: np.ndarray) -> bool:
        pictures = [self._without_noise(frame) for frame in (*self._shown, frame_bgr)]
        *before, now = (_change(one, other) for one, other in itertools.pairwise(pictures))
        return now >= _STANDS_OUT * min(before, default=0.0)

    def _without_noise(self, frame_bgr: np.ndarray) -> np.ndarray:
        """Hue, saturation and value of the frame, reduced and blurred."""
        reduced = cv2.resize(frame_bgr, self._size, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(cv2.GaussianBlur(reduced, (_NOISE_BLUR_PX, _NOISE_BLUR_PX), 0), cv2.COLOR_BGR2HSV)


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

"""Frames -> shots, by PySceneDetect's ContentDetector."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from scenedetect import ContentDetector, FrameTimecode
from scenedetect.scene_manager import compute_downscale_factor

from syncnet import FPS
from syncnet.settings import ShotSettings


@dataclass(frozen=True)
class Shot:
    """A half-open range of frames without a cut in it."""

    first_frame: int
    end_frame: int


class CutFinder:
    """Finds cuts while the frames go by, holding nothing but the last one, and that in a reduced size too."""

    def __init__(self, settings: ShotSettings) -> None:
        # No minimum length: every cut counts at once. The library's own default (15 frames) may report a cut late or
        # merge it with the next, so that a track would run on into another picture; and what lies between two cuts
        # that close is too short for a track of use.
        self._detector = ContentDetector(threshold=settings.content_threshold, min_scene_len=0)
        self._frame_count = 0
        self._size: tuple[int, int] | None = None
        self._last: np.ndarray | None = None

    def is_cut(self, frame_bgr: np.ndarray) -> bool:
        """Whether a new shot starts with this frame, the next in order; False for the first frame of all."""
        if frame_bgr is self._last:
            # A picture that is shown for several ticks comes as the same array.
            self._frame_count += 1
            return False
        self._last = frame_bgr
        if self._size is None:
            self._size = reduced_size(frame_bgr)
        if self._size != (frame_bgr.shape[1], frame_bgr.shape[0]):
            frame_bgr = cv2.resize(frame_bgr, self._size, interpolation=cv2.INTER_LINEAR)
        cuts = self._detector.process_frame(FrameTimecode(self._frame_count, fps=float(FPS)), frame_bgr)
        self._frame_count += 1
        return bool(cuts)


def find_shots(frames: Iterable[np.ndarray], settings: ShotSettings) -> list[Shot]:
    """The shots of a video in order, without gaps between them; none where there is no frame."""
    cut_finder = CutFinder(settings)
    cuts, frame_count = [], 0
    for frame_bgr in frames:
        if cut_finder.is_cut(frame_bgr):
            cuts.append(frame_count)
        frame_count += 1
    return shots_between(cuts, frame_count)


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

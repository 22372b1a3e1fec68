"""Anchors of S3FD, and the way from the network's numbers to boxes."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

_STEP_PX = 4
"""Distance of the first level's anchors in the network's picture; it doubles from level to level."""
_SIDE_PX = 16
"""Side of the first level's anchors; it doubles likewise."""
_CENTRE_VARIANCE, _SIZE_VARIANCE = 0.1, 0.2

MIN_CANDIDATE_SCORE = 0.05
_CANDIDATE_OVERLAP, _MAX_CANDIDATES, _MAX_FACES = 0.3, 5_000, 750
_MIN_FACE_SCORE, _FACE_OVERLAP = 0.9, 0.1


@lru_cache(maxsize=16)
def anchors(width: int, height: int, levels: tuple[tuple[int, int], ...]) -> np.ndarray:
    """Anchors in the order of the network, shape (N, 4), float32: centre x, y, width, height as fractions of a picture.

    ``levels`` holds each level's height and width in anchors. Read-only: all who ask share one array.
    """
    picture = np.array([width, height])
    parts = []
    for level, (rows, columns) in enumerate(levels):
        places = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
        centres = (places + 0.5) * (_STEP_PX << level) / picture
        parts.append(np.concatenate([centres, np.broadcast_to((_SIDE_PX << level) / picture, centres.shape)], axis=1))
    every = np.concatenate(parts).astype(np.float32)
    every.flags.writeable = False
    return every


def decode(loc: np.ndarray, anchors: np.ndarray) -> np.ndarray:
    """Boxes (N, 4), float32, xyxy as fractions of a picture, of what the network says relative to its anchors."""
    centres = anchors[:, :2] + loc[:, :2] * _CENTRE_VARIANCE * anchors[:, 2:]
    sizes = anchors[:, 2:] * np.exp(loc[:, 2:] * _SIZE_VARIANCE)
    corners = centres - sizes / 2
    boxes: np.ndarray = np.concatenate([corners, corners + sizes], axis=1)
    return boxes


def pick_faces(boxes: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Indices of the boxes (N, 4), xyxy, that are faces, the surest first.

    Suppression in the two published stages: loosely among all candidates, then strictly among the sure ones. A box may
    fall to one that falls itself in the second stage.
    """
    candidates = _suppress(boxes, scores, MIN_CANDIDATE_SCORE, _CANDIDATE_OVERLAP)[:_MAX_FACES]
    faces: np.ndarray = candidates[_suppress(boxes[candidates], scores[candidates], _MIN_FACE_SCORE, _FACE_OVERLAP)]
    return faces


def _suppress(boxes: np.ndarray, scores: np.ndarray, min_score: float, overlap: float) -> np.ndarray:
    if len(boxes) == 0:
        return np.empty(0, int)
    corner_and_size = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], axis=1).astype(np.float64)
    kept = cv2.dnn.NMSBoxes(corner_and_size.tolist(), scores.tolist(), min_score, overlap, top_k=_MAX_CANDIDATES)
    return np.asarray(kept, dtype=int)

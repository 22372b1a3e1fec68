"""Faces seen at the size that small ones need, and again in a reduced frame, where large ones are found."""

from __future__ import annotations

import numpy as np

from detectors.protocol import box_overlaps

Look = tuple[np.ndarray, np.ndarray]
"""Boxes (N, 4), xyxy in pixels of the full frame, and scores (N,)."""


def united(fine: Look, coarse: Look, same_face_overlap: float) -> Look:
    """Each face once: where both looks see it the surer counts.

    In the larger frame parts of a face that is too large for it, such as glasses, pass for faces: what is centred in a
    face of the reduced frame and less than three quarters as high is dropped.
    """
    centres = ((fine[0][:, :2] + fine[0][:, 2:]) / 2)[:, None]
    centred = ((centres > coarse[0][:, :2]) & (centres < coarse[0][:, 2:])).all(axis=2)
    lower = _heights(fine[0])[:, None] < 0.75 * _heights(coarse[0])
    whole = ~(centred & lower).any(axis=1)
    boxes = np.concatenate([fine[0][whole], coarse[0]])
    scores = np.concatenate([fine[1][whole], coarse[1]])
    return each_once(boxes, scores, same_face_overlap)


def each_once(boxes: np.ndarray, scores: np.ndarray, same_face_overlap: float) -> Look:
    """Of boxes (N, 4) that overlap so much the surest, in the order of their scores."""
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        kept.append(left[0])
        left = left[1:][box_overlaps(boxes[left[:1]], boxes[left[1:]])[0] < same_face_overlap]
    return boxes[kept], scores[kept]


def _heights(boxes: np.ndarray) -> np.ndarray:
    heights: np.ndarray = boxes[:, 3] - boxes[:, 1]
    return heights

"""Looks at the surroundings of faces that were seen just before, which are a small part of most pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from detectors.protocol import Detections, box_overlaps
from detectors.two_looks import Look
from detectors.working_frame import WorkingFrame
from syncnet.media.picture import Frame

_STRIDE_PX = 32
"""The network steps through a picture in so many pixels. A part that is cut out at one of these steps looks to it like
the whole: its boxes move by 0.3 % of the face (median), elsewhere by 1 to 2 %."""
_SURROUNDINGS = 1.7
"""Side of what is looked at, in sides of the face. One that leaves it in a fifth of a second is looked for in the whole
picture."""
_MOST_SHARE = 0.5
"""Of the pixels of a whole look. Beyond it little would be saved."""
_FOLLOWED_OVERLAP = 0.5
"""As in the linking of tracks."""


def faces_near(
    frame: Frame,
    boxes: np.ndarray,
    working_frame: WorkingFrame,
    find: Callable[[np.ndarray], Look],
    same_face_overlap: float,
) -> Detections | None:
    """Where the faces of ``boxes``, (N, 4) xyxy, are now; None where one is lost or not to be told from another.

    ``find``: the faces of a picture, in its own pixels. None too where that would cost little less than a whole look.
    """
    height, width = frame.shape[:2]
    areas = [_area_around(box, working_frame.size) for box in working_frame.from_full_frame(boxes).tolist()]
    pixels = sum((right - left) * (bottom - top) for left, top, right, bottom in areas)
    if pixels > _MOST_SHARE * working_frame.pixels:
        return None
    picture = working_frame.resize(frame) if areas else np.empty((0, 0, 3), np.uint8)
    found, scores = [], []
    for box, (left, top, right, bottom) in zip(boxes, areas, strict=True):
        seen, seen_scores = find(picture[top:bottom, left:right])
        seen = working_frame.to_full_frame(seen + np.tile([left, top], 2))
        overlaps = box_overlaps(box[None], seen)[0]
        if overlaps.max(initial=0.0) <= _FOLLOWED_OVERLAP:
            return None
        found.append(seen[overlaps.argmax()])
        scores.append(seen_scores[overlaps.argmax()])
    together = np.array(found).reshape(-1, 4)
    if (np.triu(box_overlaps(together, together), 1) > same_face_overlap).any():
        return None
    return Detections.inside(together, np.array(scores), width, height)


def _area_around(box: list[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom, in whole steps of the network."""
    left, top, right, bottom = box
    x, y, reach = (left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top) * _SURROUNDINGS / 2
    first = [max(0, int((middle - reach) // _STRIDE_PX) * _STRIDE_PX) for middle in (x, y)]
    end = [
        min(side, -int(-(middle + reach) // _STRIDE_PX) * _STRIDE_PX) for middle, side in zip((x, y), size, strict=True)
    ]
    return first[0], first[1], end[0], end[1]

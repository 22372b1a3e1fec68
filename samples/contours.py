"""Where lips, cheeks and jaw lie in the portrait, measured by eye, and where they lie for a shape of the mouth.

Coordinates are pixels of the portrait (512 x 512), pixel centres at whole numbers, x to the right and y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from visemes import Shape

MIDDLE_X = 223.2
TILT = 0.025
"""The head leans: a line from eye to eye falls by this much for each pixel to the right."""
LINE_Y = 146.6
"""Height at which the closed lips meet: their resting place below the edge of the upper lip in a smile."""

CORNERS = np.array([(202.3, 139.3), (244.1, 140.4)])
PLACES = np.array([-0.94, -0.84, -0.7, -0.5, -0.25, 0.0, 0.25, 0.5, 0.7, 0.84, 0.94])
"""Where along half the mouth's width each point of a lip's contour lies, -1 and 1 being the corners."""
UPPER_OUTER = np.array([139.0, 138.9, 139.0, 139.3, 139.3, 140.0, 139.5, 139.6, 139.6, 139.7, 140.0])
UPPER_INNER = np.array([139.5, 140.1, 141.2, 142.1, 142.9, 143.2, 143.1, 142.4, 141.4, 140.6, 140.3])
LOWER_INNER = np.array([141.3, 143.4, 145.5, 147.7, 149.1, 149.4, 149.1, 148.0, 145.8, 143.6, 142.0])
LOWER_OUTER = np.array([142.4, 145.0, 147.9, 151.5, 154.6, 155.5, 154.5, 151.3, 147.9, 144.9, 143.0])

STILL = np.array(
    [
        *((172, 92), (190, 92), (203, 108), (222, 108), (245, 110), (258, 94), (276, 96), (180, 112), (268, 114)),
        *((210, 127), (217, 131), (223.5, 133.2), (231, 131.5), (237, 128.5), (222, 122), (192, 118), (254, 120)),
        *((178, 130), (268.5, 131), (178, 150), (270, 150), (172, 200), (276, 200), (222, 222)),
    ]
)
"""Brow, eyes, nose and what lies around the face: all that does not move with the mouth."""
CHEEKS = np.array(
    [(196.5, 135.0), (249.5, 138.0), (197.5, 141.5), (248.8, 142.5), (189, 142), (258, 143), (195, 149), (252, 150)]
)
CHEEK_FOLLOWS_CORNER = np.array([0.35, 0.35, 0.75, 0.75, 0.25, 0.25, 0.5, 0.5])
CHEEK_FOLLOWS_JAW = np.array([0.02, 0.02, 0.12, 0.12, 0.1, 0.1, 0.32, 0.32])
JAW = np.array(
    [
        *((181.8, 141), (184.6, 152), (190, 160.5), (195.5, 166.8), (202, 172.3), (208, 175.9), (214, 177.8)),
        *(
            (221, 178.6),
            (228, 178.2),
            (234, 176.6),
            (240, 173.6),
            (247, 169.2),
            (253, 164.0),
            (259, 156.5),
            (264.5, 145),
        ),
    ]
)
"""The edge of the face from ear to ear, below the ears."""
JAW_FOLLOWS = np.array([0.0, 0.12, 0.36, 0.58, 0.78, 0.91, 0.98, 1.0, 0.98, 0.91, 0.78, 0.58, 0.36, 0.14, 0.0])
"""The jaw turns about its joints near the ears: its tip falls furthest."""
CHIN = np.array([(222.3, 161.0), (222, 169.0), (209, 163.5), (235.5, 163.0), (202, 156.5), (244, 156.0)])
CHIN_FOLLOWS_JAW = np.array([0.9, 0.98, 0.85, 0.85, 0.6, 0.6])
CHIN_FOLLOWS_LIP = np.array([0.3, 0.06, 0.16, 0.16, 0.15, 0.15])


@dataclass(frozen=True)
class Contours:
    """The four contours of the lips, each (P, 2) from corner to corner, and the rest of the face."""

    upper_outer: np.ndarray
    upper_inner: np.ndarray
    lower_inner: np.ndarray
    lower_outer: np.ndarray
    skin: np.ndarray
    """Still points, cheeks and jaw, (K, 2)."""
    chin: np.ndarray

    def above(self) -> np.ndarray:
        """All that the picture above the mouth is drawn after."""
        return np.concatenate((self.upper_outer[1:-1], self.upper_inner, self.skin))

    def below(self) -> np.ndarray:
        """All that the picture below the mouth is drawn after."""
        return np.concatenate((self.lower_outer[1:-1], self.lower_inner, self.skin, self.chin))


def measured_contours() -> Contours:
    """Those of the portrait itself."""
    half = (CORNERS[1, 0] - CORNERS[0, 0]) / 2
    return Contours(
        *(
            np.concatenate((CORNERS[:1], np.stack((MIDDLE_X + PLACES * half, heights), axis=1), CORNERS[1:]))
            for heights in (UPPER_OUTER, UPPER_INNER, LOWER_INNER, LOWER_OUTER)
        ),
        skin=np.concatenate((STILL, CHEEKS, JAW)),
        chin=CHIN,
    )


def shaped_contours(shape: Shape) -> Contours:
    """Those of a mouth of this shape."""
    half = shape.width_px / 2
    # Spreading lifts the corners, rounding and a falling jaw lower them.
    corner_y = 144.4 - 0.22 * (shape.width_px - 36.0) + 0.3 * shape.jaw_px
    raised = min(0.2 * shape.gap_px, 2.6) + 1.6 * shape.tuck - 0.3 * shape.press
    bow = 1 - np.abs(PLACES) ** 2.2
    line = corner_y + (LINE_Y - corner_y) * bow
    # The opening is nearly an ellipse; rounded lips touch beside it, towards their corners.
    arch = np.maximum(1 - (PLACES / (1 - 0.28 * shape.rounding)) ** 2, 0.0) ** (0.75 - 0.1 * shape.rounding)
    upper_inner = line - raised * arch
    lower_inner = line + (shape.gap_px - raised) * arch
    # Lips keep their flesh: narrower is thicker, and pressed lips turn inwards.
    flesh = (36.0 / shape.width_px) ** 0.6 * (1 - 0.3 * shape.press) * (1 + 0.15 * shape.rounding)
    upper_thick = flesh * 4.3 * (1 - np.abs(PLACES) ** 2.6) - 0.7 * np.exp(-((PLACES / 0.12) ** 2))
    lower_thick = flesh * 6.4 * (1 - 0.45 * shape.tuck) * (1 - np.abs(PLACES) ** 2.0)
    corners = np.array([(MIDDLE_X - half, corner_y), (MIDDLE_X + half, corner_y)])

    def contour(heights: np.ndarray) -> np.ndarray:
        points = np.concatenate((corners[:1], np.stack((MIDDLE_X + PLACES * half, heights), axis=1), corners[1:]))
        return _lean(points)

    moved = _lean(corners) - CORNERS
    lowered = shape.gap_px - raised + LINE_Y - LOWER_INNER[len(PLACES) // 2] - shape.jaw_px
    sides = moved[np.arange(len(CHEEKS)) % 2]
    cheeks = CHEEKS + sides * CHEEK_FOLLOWS_CORNER[:, None]
    cheeks[:, 1] += shape.jaw_px * CHEEK_FOLLOWS_JAW
    jaw = JAW.copy()
    jaw[:, 1] += shape.jaw_px * JAW_FOLLOWS
    jaw[:, 0] += 0.1 * shape.jaw_px * np.sign(MIDDLE_X - JAW[:, 0]) * np.sin(np.pi * JAW_FOLLOWS)
    chin = CHIN.copy()
    chin[:, 1] += shape.jaw_px * CHIN_FOLLOWS_JAW + lowered * CHIN_FOLLOWS_LIP
    return Contours(
        contour(upper_inner - upper_thick),
        contour(upper_inner),
        contour(lower_inner),
        contour(lower_inner + lower_thick),
        skin=np.concatenate((STILL, cheeks, jaw)),
        chin=chin,
    )


def _lean(points: np.ndarray) -> np.ndarray:
    """The points turned as the head leans."""
    return points + np.stack((np.zeros(len(points)), TILT * (points[:, 0] - MIDDLE_X)), axis=1)

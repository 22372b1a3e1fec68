"""What an open mouth shows: its dark cavity, the tongue, the lower teeth and, in front, the portrait's own teeth."""

from __future__ import annotations

import cv2
import numpy as np
from contours import MIDDLE_X, PLACES, TILT, Contours
from scipy.interpolate import PchipInterpolator
from visemes import Shape

MIDDLE = 1 + len(PLACES) // 2
"""Index of the middle point of a lip's contour, its corners included."""
TEETH_EDGE_Y = 148.9
"""Where the upper front teeth of the portrait end."""
OVERBITE_PX = 1.2
"""By which the upper teeth cover the lower ones when the jaw is closed."""
CAVITY_BGR = np.array([24.0, 20.0, 46.0])
TONGUE_BGR = np.array([92.0, 88.0, 165.0])


def paint_inner_mouth(
    portrait: np.ndarray,
    measured: Contours,
    contours: Contours,
    shape: Shape,
    window: tuple[int, int, int, int],
    scale: int,
) -> np.ndarray:
    """The window of the portrait filled with the inside of the mouth; only its part between the lips is to be used."""
    x0, y0, _, _ = window
    ys, xs = np.mgrid[0 : portrait.shape[0], 0 : portrait.shape[1]].astype(np.float32)
    xs, ys = (xs + 0.5) / scale - 0.5 + x0, (ys + 0.5) / scale - 0.5 + y0
    ys = ys - TILT * (xs - MIDDLE_X)
    floor_y = float(contours.lower_inner[MIDDLE, 1])
    depth = np.clip((ys - 143.0) / max(floor_y - 143.0, 4.0), 0, 1)
    picture = CAVITY_BGR * (0.35 + 0.75 * depth[..., None])
    across = (xs - MIDDLE_X) / 13.0

    tongue_top = floor_y + 1.5 - 0.36 * shape.gap_px - shape.tongue * max(floor_y - TEETH_EDGE_Y + 1.0, 0.0)
    bulge = ys - tongue_top - 4.0 * across**2
    lit = np.clip(0.75 - 0.04 * bulge - 0.25 * across**2, 0.2, 1)[..., None]
    picture = _over(picture, TONGUE_BGR * lit * (0.62 + 0.38 * shape.tongue), _edge(bulge, 0.9))

    lower_top = TEETH_EDGE_Y - OVERBITE_PX + shape.jaw_px
    teeth_x = (MIDDLE_X + (xs - MIDDLE_X) / 0.82).astype(np.float32)
    teeth_y = (TEETH_EDGE_Y - 0.6 - (ys - lower_top) / 0.8 + TILT * (teeth_x - MIDDLE_X)).astype(np.float32)
    lower_teeth = _portrait_at(portrait, teeth_x, np.clip(teeth_y, 144.0, None), window, scale) * 0.66
    arch = 1.6 * ((xs - MIDDLE_X) / 10.0) ** 2
    cover = _edge(ys - lower_top - arch, 0.35) * _edge(11.0 - np.abs(xs - MIDDLE_X), 1.2)
    picture = _over(picture, lower_teeth, cover)

    # Rounded lips stand before the teeth and leave them in the dark, unless they are wide apart.
    dimmed = 0.9 * shape.rounding * np.clip(1.2 - shape.gap_px / 7, 0, 1)
    upper = _portrait_at(portrait, xs, np.maximum(ys, 144.2) + TILT * (xs - MIDDLE_X), window, scale)
    lip_shade = np.clip(0.62 + 0.1 * (ys - contours.upper_inner[MIDDLE, 1]), 0.55, 0.92) * (1 - dimmed)
    lower_edge = PchipInterpolator(measured.lower_inner[:, 0], measured.lower_inner[:, 1])
    edge_y = lower_edge(np.clip(xs, measured.lower_inner[0, 0], measured.lower_inner[-1, 0])) - 0.7
    edge_y = edge_y - TILT * (xs - MIDDLE_X)
    side = _edge(xs - 207.5, 1.2) * _edge(236.0 - xs, 1.2)
    return _over(picture, upper * lip_shade[..., None], _edge(edge_y - ys, 0.35) * side)


def _over(below: np.ndarray, above: np.ndarray, cover: np.ndarray) -> np.ndarray:
    return below * (1 - cover[..., None]) + above * cover[..., None]


def _edge(inside_px: np.ndarray, softness_px: float) -> np.ndarray:
    """0 outside, 1 inside, given the distance inwards."""
    return np.clip(0.5 + inside_px / (2 * softness_px), 0, 1)


def _portrait_at(
    portrait: np.ndarray, xs: np.ndarray, ys: np.ndarray, window: tuple[int, int, int, int], scale: int
) -> np.ndarray:
    """The window's picture at places in pixels of the portrait."""
    columns = ((xs - window[0] + 0.5) * scale - 0.5).astype(np.float32)
    rows = ((ys - window[1] + 0.5) * scale - 0.5).astype(np.float32)
    return cv2.remap(portrait, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)

"""Draws the portrait with its mouth in a given shape: skin and lips are warped, what an open mouth shows is painted.

The picture above the mouth and the one below it are two thin-plate warps of the portrait (Bookstein, 1989), since the
lips part where the portrait is whole. The lower face is laid over the portrait, so that a falling chin covers the neck.
"""

from __future__ import annotations

import cv2
import numpy as np
from contours import JAW, Contours, measured_contours, shaped_contours
from inner_mouth import paint_inner_mouth
from scipy.interpolate import PchipInterpolator
from visemes import Shape

SCALE = 4
"""Drawn in so many pixels for each of the portrait: every edge lies between pixels of the clip."""
VIEW = (96, 0, 352, 240)
"""The part of the portrait that is enlarged, x0, y0, x1, y1."""
WINDOW = (160, 84, 290, 214)
"""The part of it that is drawn anew for each shape."""
NECK = np.array([(187, 166), (200, 170), (223, 176), (245, 170), (256, 166), (253, 184), (230, 189), (196, 184)])
NECK_SHADOW = 0.35
"""What an open jaw takes of the light on the neck."""
EDGE_SIGMA = 0.55 * SCALE
"""The portrait's own sharpness, which painted edges are given as well."""
GRID_STEP = 8
FRACTION_BITS = 4
WINDOW_HEIGHT, WINDOW_WIDTH = (WINDOW[3] - WINDOW[1]) * SCALE, (WINDOW[2] - WINDOW[0]) * SCALE


class Face:
    """The part ``VIEW`` of the portrait, enlarged, and its mouth."""

    def __init__(self, portrait_bgr: np.ndarray) -> None:
        x0, y0, x1, y1 = VIEW
        part = portrait_bgr[y0:y1, x0:x1].astype(np.float32)
        self._enlarged = cv2.resize(part, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_CUBIC)
        self._measured = measured_contours()
        self._mask = self._face_mask()
        self._neck = _soften(_fill_window(NECK))[..., None] * NECK_SHADOW
        self._rows = slice((WINDOW[1] - y0) * SCALE, (WINDOW[3] - y0) * SCALE)
        self._columns = slice((WINDOW[0] - x0) * SCALE, (WINDOW[2] - x0) * SCALE)

    def draw(self, shape: Shape) -> np.ndarray:
        """The view with this mouth, float32 BGR, ``SCALE`` times its size."""
        contours = shaped_contours(shape)
        behind = self._enlarged[self._rows, self._columns]
        from_above = _warp(contours.above(), self._measured.above())
        from_below = _warp(contours.below(), self._measured.below())
        below = _soften(_below_the_line(contours))[..., None]
        sources = (1 - below) * from_above + below * from_below
        # On the line itself the two warps differ by the height of the teeth: there each is sampled for itself.
        near = _near_the_mouth(contours)
        apart = (1 - below) * _sample(self._enlarged, from_above) + below * _sample(self._enlarged, from_below)
        skin = (1 - near) * _sample(self._enlarged, sources) + near * apart
        skin *= 1 - _shade_between_lips(contours, shape)[..., None]
        opening = _soften(_opening(contours))[..., None]
        inner = paint_inner_mouth(behind, self._measured, contours, shape, WINDOW, SCALE)
        skin = (1 - opening) * skin + opening * inner
        mask = _sample(self._mask, sources)
        shadow = cv2.GaussianBlur(mask, (0, 0), 2.5 * SCALE)[..., None] * self._neck * min(shape.jaw_px / 8, 1)
        drawn = self._enlarged.copy()
        drawn[self._rows, self._columns] = mask[..., None] * skin + (1 - mask[..., None]) * behind * (1 - shadow)
        return drawn

    def _face_mask(self) -> np.ndarray:
        """1 where the face is, in the enlarged view; everything above the jaw counts as face."""
        left, top, right, _ = VIEW
        above = [(left, JAW[0, 1] - 1), (left, top), (right, top), (right, JAW[-1, 1] - 1)]
        height, width = self._enlarged.shape[:2]
        return _soften(_fill(height, width, np.concatenate((above, JAW[::-1])), VIEW[:2]))


def _warp(targets: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """Where in the enlarged portrait each pixel of the window comes from, (h, w, 2) float32 x, y."""
    x0, y0, x1, y1 = WINDOW
    columns = np.arange(x0, x1 + 1e-6, GRID_STEP / SCALE)
    rows = np.arange(y0, y1 + 1e-6, GRID_STEP / SCALE)
    grid = np.stack(np.meshgrid(columns, rows), axis=-1)
    points = grid.reshape(-1, 2)
    system = np.zeros((len(targets) + 3,) * 2)
    system[:-3, :-3] = _thin_plate(targets, targets)
    system[:-3, -3] = system[-3, :-3] = 1
    system[:-3, -2:] = targets
    system[-2:, :-3] = targets.T
    moves = np.linalg.solve(system, np.concatenate((sources - targets, np.zeros((3, 2)))))
    moved = points + _thin_plate(points, targets) @ moves[:-3] + moves[-3] + points @ moves[-2:]
    coarse = moved.reshape(grid.shape).astype(np.float32)
    ys, xs = np.mgrid[0:WINDOW_HEIGHT, 0:WINDOW_WIDTH].astype(np.float32)
    step = np.float32(GRID_STEP)
    # Pixel centres: the enlarged pixel i lies at (i + 0.5) / SCALE - 0.5 of the portrait.
    offset = np.float32(0.5 * SCALE - 0.5)
    return cv2.remap(
        coarse, (xs - offset) / step, (ys - offset) / step, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )


def _thin_plate(points: np.ndarray, centres: np.ndarray) -> np.ndarray:
    squared = ((points[:, None] - centres[None]) ** 2).sum(-1)
    return 0.5 * squared * np.log(squared + 1e-12)


def _sample(enlarged: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """The enlarged view at places given in pixels of the portrait."""
    places = ((moved - np.float32(VIEW[:2]) + 0.5) * SCALE - 0.5).astype(np.float32)
    return cv2.remap(enlarged, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _fill(height: int, width: int, outline: np.ndarray, origin: tuple[int, int] = (0, 0)) -> np.ndarray:
    """A mask, 1 inside the outline, which is given in pixels of the portrait."""
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [_fixed_point(outline, origin)], 255, cv2.LINE_AA, FRACTION_BITS)
    return mask.astype(np.float32) / 255


def _fill_window(outline: np.ndarray) -> np.ndarray:
    return _fill(WINDOW_HEIGHT, WINDOW_WIDTH, outline, WINDOW[:2])


def _fixed_point(points: np.ndarray, origin: tuple[int, int]) -> np.ndarray:
    """Places in the enlarged picture as OpenCV draws them, between pixels."""
    places = (points - origin + 0.5) * SCALE - 0.5
    return np.round(places * 2**FRACTION_BITS).astype(np.int32)


def _soften(mask: np.ndarray) -> np.ndarray:
    return cv2.GaussianBlur(mask, (0, 0), EDGE_SIGMA)


def _smooth_line(contour: np.ndarray) -> np.ndarray:
    """The contour with points between its own, so that it bends smoothly."""
    along = np.arange(len(contour))
    fine = np.linspace(0, len(contour) - 1, 8 * len(contour))
    return PchipInterpolator(along, contour)(fine)


def _below_the_line(contours: Contours) -> np.ndarray:
    """1 below the middle of the mouth's opening, and below a level line on either side of it."""
    x0, _, x1, y1 = WINDOW
    line = _smooth_line((contours.upper_inner + contours.lower_inner) / 2)
    outline = np.concatenate(
        ([(x0 - 2, line[0, 1])], line, [(x1 + 2, line[-1, 1]), (x1 + 2, y1 + 2), (x0 - 2, y1 + 2)])
    )
    return _fill_window(outline)


def _opening(contours: Contours) -> np.ndarray:
    outline = np.concatenate((_smooth_line(contours.upper_inner), _smooth_line(contours.lower_inner)[::-1]))
    return _fill_window(outline)


def _near_the_mouth(contours: Contours) -> np.ndarray:
    """1 between the corners of the mouth, fading out over some pixels beyond them, (1, w, 1)."""
    x0, _, x1, _ = WINDOW
    xs = np.arange((x1 - x0) * SCALE) / SCALE + x0
    left, right = contours.upper_inner[0, 0], contours.upper_inner[-1, 0]
    inside = np.clip(np.minimum(xs - left, right - xs) / 3.0 + 1.0, 0, 1)
    return inside.astype(np.float32)[None, :, None]


def _shade_between_lips(contours: Contours, shape: Shape) -> np.ndarray:
    """The dark seam where the lips meet, and the shade at the corners."""
    mask = np.zeros((WINDOW_HEIGHT, WINDOW_WIDTH), np.uint8)
    for contour in (contours.upper_inner, contours.lower_inner):
        line = _fixed_point(_smooth_line(contour), WINDOW[:2])
        cv2.polylines(mask, [line], False, 255, round(0.9 * SCALE), cv2.LINE_AA, FRACTION_BITS)
    return cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), 0.6 * SCALE) * (0.62 - 0.1 * shape.press)

"""Films the drawn face: the head sways a little, its eyes blink, the camera blurs what moves and adds its noise."""

from __future__ import annotations

import cv2
import numpy as np
from face import SCALE, VIEW

CLIP_SIZE_PX = 448
CLIP_SCALE = 2
"""Pixels of the clip for each of the portrait."""
FRAME_ORIGIN = (110.0, 2.0)
"""The portrait's pixel in the upper left corner of the clip."""

NECK = (223.0, 195.0)
"""About this point of the portrait the head turns."""
HEAD_CENTRE, HEAD_RADII = (223.0, 108.0), (88.0, 108.0)
"""Ellipse around the head: what lies well inside moves with it, what lies well outside stays."""
SWAYS = (
    # degrees, pixels to the right, pixels down; periods in seconds, phases in turns
    ((0.9, 0.6, 0.3), 4.7, 0.10),
    ((0.4, 0.9, 0.2), 2.9, 0.55),
    ((0.2, 0.2, 0.7), 1.7, 0.80),
)
EYES = ((203.0, 100.8), (247.0, 103.0))
EYE_HALF_WIDTH, LID_ABOVE, LID_BELOW, BROW_ABOVE = 11.0, 4.6, 3.4, 9.0
"""Size of an open eye and distance of the brow from its middle, in pixels of the portrait."""
BLINK_SECONDS = 0.3
EXPOSURE_SECONDS, LOOKS = 1 / 50, 3
"""A frame gathers light for half of its time, as film cameras do, from its time stamp on; drawn as so many looks."""
NOISE_LEVELS = 1.6
"""Standard deviation of the camera's noise, of 255."""


def exposure_times(frame_times: np.ndarray) -> np.ndarray:
    """When each frame is looked at, (frames, looks), in seconds."""
    return frame_times[:, None] + (np.arange(LOOKS) + 0.5) / LOOKS * EXPOSURE_SECONDS


def look(view: np.ndarray, time: float, blinks: tuple[float, ...]) -> np.ndarray:
    """What the camera sees at ``time``, (448, 448, 3) float BGR, of the enlarged view that ``Face.draw`` gives."""
    rows, columns = np.mgrid[0:CLIP_SIZE_PX, 0:CLIP_SIZE_PX].astype(np.float64)
    xs = (columns + 0.5) / CLIP_SCALE - 0.5 + FRAME_ORIGIN[0]
    ys = (rows + 0.5) / CLIP_SCALE - 0.5 + FRAME_ORIGIN[1]
    xs, ys = _sway_back(xs, ys, time)
    for eye in EYES:
        ys = _lift_lid(xs, ys, eye, _lid_closed(time, blinks))
    # Half a pixel of the clip: what a lens leaves of a picture drawn twice as large.
    sharp = cv2.GaussianBlur(view, (0, 0), 0.35 * SCALE / CLIP_SCALE)
    places = [
        ((where - origin + 0.5) * SCALE - 0.5).astype(np.float32) for where, origin in ((xs, VIEW[0]), (ys, VIEW[1]))
    ]
    return cv2.remap(sharp, *places, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def develop(light: np.ndarray, noise: np.random.Generator) -> np.ndarray:
    """The frame of this light, (448, 448, 3) uint8 BGR, with the camera's noise."""
    noisy = light + noise.normal(0, NOISE_LEVELS, light.shape[:2])[..., None]
    return np.clip(np.round(noisy), 0, 255).astype(np.uint8)


def _sway_back(xs: np.ndarray, ys: np.ndarray, time: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the head's pixels came from before it moved."""
    waves = [(np.array(sizes), np.sin(2 * np.pi * (time / period + phase))) for sizes, period, phase in SWAYS]
    degrees, right, down = sum(sizes * wave for sizes, wave in waves)
    x, y = xs - NECK[0] - right, ys - NECK[1] - down
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    back_x, back_y = x * cosine + y * sine + NECK[0], y * cosine - x * sine + NECK[1]
    distance = np.hypot((xs - HEAD_CENTRE[0]) / HEAD_RADII[0], (ys - HEAD_CENTRE[1]) / HEAD_RADII[1])
    held = np.clip((1.35 - distance) / 0.4, 0, 1)
    held = held * held * (3 - 2 * held)
    return xs + held * (back_x - xs), ys + held * (back_y - ys)


def _lid_closed(time: float, blinks: tuple[float, ...]) -> float:
    """0 for open eyes, 1 for closed ones."""
    return max(0.0, *(1 - (abs(time - blink) / (BLINK_SECONDS / 2)) ** 2 for blink in blinks))


def _lift_lid(xs: np.ndarray, ys: np.ndarray, eye: tuple[float, float], closed: float) -> np.ndarray:
    """Heights that the skin above the eye came from, when its lid has fallen over the eye."""
    arch = np.clip(1 - ((xs - eye[0]) / EYE_HALF_WIDTH) ** 2, 0, None)
    brow = eye[1] - BROW_ABOVE
    lid = eye[1] - LID_ABOVE * arch
    fallen = lid + closed * (LID_ABOVE + LID_BELOW) * arch
    covered = (arch > 0) & (ys > brow) & (ys < fallen)
    return np.where(covered, brow + (ys - brow) * (lid - brow) / (fallen - brow), ys)

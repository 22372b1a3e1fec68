"""Mouth pictures as cameras, codecs and editors leave them: seen from the side, recompressed, smoothed, far away."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np

from syncnet.models.features import MOUTH_SIZE_PX
from training.corpus import MARGIN

_MIDDLE = MARGIN + MOUTH_SIZE_PX / 2 - 0.5
_HALF = MOUTH_SIZE_PX / 2 - 0.5
_SIZE = (MOUTH_SIZE_PX, MOUTH_SIZE_PX)


def disturb_mouths(mouths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same random view, light, lens and codec for all frames, with a slow wander of the box.

    mouths: (n, 100, 100), any kind of number in 0..255. Returns (n, 64, 64) uint8.
    """
    cut = _far_away(_cut(mouths, rng), rng)
    if rng.random() < 0.25:
        cut = _retouched(cut, rng)
    cut = _lit(cut, rng)
    if rng.random() < 0.4:
        noise = rng.standard_normal(cut.shape, dtype=np.float32) * rng.uniform(0, 8)
        cut = np.clip(cut + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        cut[(slice(None), *_hole(rng))] = 128
    if rng.random() < 0.35:
        # Rate factors of social sites and calls: 60 to 300 kbit/s for a whole face of 240 to 480 lines.
        cut = recompress(cut, int(rng.integers(24, 40)))
    return cut


def _cut(mouths: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random shift, zoom, turn and mirror, and a perspective as of a head that is turned or nods."""
    zoom_x = np.exp(rng.uniform(-0.2, 0.2))
    zoom_y = zoom_x * np.exp(rng.uniform(-0.1, 0.1))
    lean = np.zeros(2)
    if rng.random() < 0.35:
        # A turned head: narrower, and nearer on one side. The cut reaches further across the picture.
        lean = rng.uniform(-0.004, 0.004, 2)
        zoom_x *= rng.uniform(1.0, 1.35)
    angle = np.deg2rad(rng.uniform(-12, 12))
    mirror = -1.0 if rng.random() < 0.5 else 1.0
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.diag([mirror * zoom_x, zoom_y])
    shift = rng.uniform(-9, 9, 2)
    wander = _wander(rng, len(mouths)) * (rng.random() < 0.5)
    if rng.random() < 0.25:
        wander += rng.standard_normal(wander.shape) * rng.uniform(0, 1.5)
    out = np.empty((len(mouths), *_SIZE), np.uint8)
    for index, mouth in enumerate(mouths):
        centre = _MIDDLE + shift + wander[index]
        view = np.eye(3)
        view[:2] = np.hstack([matrix, (centre - matrix @ np.array([_HALF, _HALF]))[:, None]])
        view[2] = [lean[0], lean[1], 1 - lean.sum() * _HALF]
        view[:2] += np.outer(centre, view[2] - np.array([0, 0, 1]))
        out[index] = cv2.warpPerspective(
            mouth.astype(np.uint8),
            view,
            _SIZE,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
    return out


def _far_away(cut: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """As if it had been filmed with few pixels: down to 14 across the square, which a face of 24 px gives."""
    if rng.random() >= 0.35:
        return cut
    side = int(rng.integers(14, 56))
    back = int(rng.choice([cv2.INTER_LINEAR, cv2.INTER_CUBIC, cv2.INTER_AREA]))
    small = (cv2.resize(mouth, (side, side), interpolation=cv2.INTER_AREA) for mouth in cut)
    return np.stack([cv2.resize(mouth, _SIZE, interpolation=back) for mouth in small])


def _retouched(cut: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Smoothed as by a beauty filter, blurred, or sharpened."""
    kind = rng.integers(3)
    width = rng.uniform(0.4, 1.6)
    if kind == 0:
        return np.stack([cv2.bilateralFilter(mouth, 5, 10 + 20 * width, 2.0) for mouth in cut])
    blurred = np.stack([cv2.GaussianBlur(mouth, (0, 0), width) for mouth in cut])
    if kind == 1:
        return blurred
    return np.clip(cut + rng.uniform(0.4, 1.5) * (cut.astype(np.float32) - blurred), 0, 255).astype(np.uint8)


def _lit(cut: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another gamma, gain and black level; a lamp on one side."""
    gamma = np.exp(rng.uniform(-0.5, 0.5))
    curve = 255 * (np.arange(256) / 255) ** gamma * rng.uniform(0.6, 1.25) + rng.uniform(-25, 25)
    cut = np.clip(curve, 0, 255).astype(np.uint8)[cut]
    if rng.random() < 0.3:
        ramp = np.linspace(-1, 1, MOUTH_SIZE_PX, dtype=np.float32)
        slope = rng.uniform(-0.4, 0.4, 2).astype(np.float32)
        cut = np.clip(cut * (1 + slope[0] * ramp[:, None] + slope[1] * ramp[None, :]), 0, 255).astype(np.uint8)
    return cut


def recompress(pictures: np.ndarray, rate_factor: int) -> np.ndarray:
    """(n, h, w) uint8 grey through H.264 and back, the same shape. ``rate_factor`` as x264's crf: more is coarser."""
    count, height, width = pictures.shape
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = width, height, "yuv420p", Fraction(1, 25)
    encoder.options = {"preset": "superfast", "crf": str(rate_factor), "x264-params": "threads=1"}
    encoder.thread_count = 1
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    planes = np.full((height * 3 // 2, width), 128, np.uint8)
    packets = []
    for index in range(count):
        planes[:height] = pictures[index]
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = index
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    decoded = [frame for packet in [*packets, None] for frame in decoder.decode(packet)]
    return np.stack([frame.to_ndarray()[:height] for frame in decoded])


def _wander(rng: np.random.Generator, frame_count: int) -> np.ndarray:
    """A detector's slow drift, shape (n, 2), up to about 3 px."""
    knots = rng.standard_normal((frame_count // 8 + 2, 2)) * rng.uniform(0, 1.8)
    at = np.linspace(0, len(knots) - 1, frame_count)
    return np.stack([np.interp(at, np.arange(len(knots)), knots[:, axis]) for axis in (0, 1)], axis=1)


def _hole(rng: np.random.Generator) -> tuple[slice, slice]:
    top, left = rng.integers(0, MOUTH_SIZE_PX - 12, 2)
    height, width = rng.integers(8, 24, 2)
    return slice(top, top + height), slice(left, left + width)

"""What is no face but has something of one: drawn faces, discs, stripes, lattices, hair and hands without a face."""

from __future__ import annotations

import cv2
import numpy as np

from training.face.sources import Picture


def distract(canvas: np.ndarray, heads: list[Picture], rng: np.random.Generator) -> None:
    """Some such things drawn on a canvas."""
    for _ in range(int(rng.integers(1, 5))):
        kind = rng.random()
        if kind < 0.3:
            _drawn_face(canvas, rng)
        elif kind < 0.5:
            _discs(canvas, rng)
        elif kind < 0.7:
            _lattice(canvas, rng)
        else:
            _faceless(canvas, heads[int(rng.integers(len(heads)))], rng)


def _colour(rng: np.random.Generator) -> tuple[int, ...]:
    return tuple(int(value) for value in rng.integers(0, 256, 3))


def _place(canvas: np.ndarray, rng: np.random.Generator) -> tuple[tuple[int, int], int]:
    """A middle and a radius."""
    radius = int(np.exp(rng.uniform(np.log(5), np.log(110))))
    return (int(rng.integers(canvas.shape[1])), int(rng.integers(canvas.shape[0]))), radius


def _drawn_face(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """A disc with two dots and a stroke."""
    (x, y), radius = _place(canvas, rng)
    ink = _colour(rng)
    thickness = -1 if rng.random() < 0.7 else max(1, radius // 12)
    axes = radius, int(radius * rng.uniform(0.9, 1.3))
    cv2.ellipse(canvas, (x, y), axes, rng.normal(0, 10), 0, 360, _colour(rng), thickness, cv2.LINE_AA)
    apart, up = radius * rng.uniform(0.25, 0.5), radius * rng.uniform(0.1, 0.4)
    for side in (-1, 1):
        eye = int(x + side * apart), int(y - up)
        cv2.circle(canvas, eye, max(1, int(radius * rng.uniform(0.06, 0.2))), ink, -1, cv2.LINE_AA)
    mouth = int(radius * rng.uniform(0.3, 0.6)), int(radius * rng.uniform(0.05, 0.4))
    start = int(rng.integers(0, 2)) * 180
    centre = x, int(y + radius * rng.uniform(0.2, 0.5))
    cv2.ellipse(canvas, centre, mouth, 0, start, start + 180, ink, max(1, radius // 12), cv2.LINE_AA)


def _discs(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """Wheels, balls, buttons."""
    (x, y), radius = _place(canvas, rng)
    for share in np.sort(rng.uniform(0.2, 1, int(rng.integers(1, 5))))[::-1]:
        cv2.circle(canvas, (x, y), max(1, int(radius * share)), _colour(rng), -1, cv2.LINE_AA)


def _lattice(canvas: np.ndarray, rng: np.random.Generator) -> None:
    """Stripes or squares, as on shirts, walls and keyboards."""
    (x, y), radius = _place(canvas, rng)
    step = max(2, int(radius * rng.uniform(0.1, 0.5)))
    rows, columns = np.mgrid[: 2 * radius, : 2 * radius]
    pattern = (columns // step) % 2
    if rng.random() < 0.5:
        pattern ^= (rows // step) % 2
    left, top = max(0, x - radius), max(0, y - radius)
    part = canvas[top : y + radius, left : x + radius]
    pattern = pattern[: part.shape[0], : part.shape[1]]
    part[pattern == 1] = _colour(rng)
    part[pattern == 0] = _colour(rng)


def _faceless(canvas: np.ndarray, head: Picture, rng: np.random.Generator) -> None:
    """A piece of a head's picture beside the face: hair, neck, shoulders, microphones."""
    height, width = head.pixels.shape[:2]
    left, top, right, bottom = head.faces.boxes[0].astype(int)
    strips = [
        head.pixels[: max(0, top)],
        head.pixels[min(height, bottom) :],
        head.pixels[:, : max(0, left)],
        head.pixels[:, min(width, right) :],
    ]
    strip = strips[int(rng.integers(4))]
    if min(strip.shape[:2]) < 8:
        return
    factor = float(np.exp(rng.uniform(np.log(0.2), np.log(1.2))))
    size = max(4, int(strip.shape[1] * factor)), max(4, int(strip.shape[0] * factor))
    strip = cv2.resize(strip, size, interpolation=cv2.INTER_AREA)
    strip = np.rot90(strip, int(rng.integers(4)))[: canvas.shape[0], : canvas.shape[1]]
    top, left = (int(rng.integers(0, canvas.shape[axis] - strip.shape[axis] + 1)) for axis in (0, 1))
    canvas[top : top + strip.shape[0], left : left + strip.shape[1]] = strip

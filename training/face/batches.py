"""Batches out of the files of training pictures, each time cut, resized and mirrored anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch

from training.face.labels import LANDMARKS, MIRRORED_LANDMARKS
from training.face.pictures import FACE, IGNORED, NOTHING, labels_of
from training.face.synthesis import SIDE_PX

CUT_PX = 256
_SMALLEST_PX = 8


def batches(files: list[Path], size: int, rng: np.random.Generator) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """One pass over all pictures: (size, 256, 256, 3) uint8 and (size, M, 17), in random order."""
    pictures = [np.load(path, mmap_mode="r") for path in files]
    labels = [np.load(labels_of(path)) for path in files]
    places = [(file, place) for file in range(len(files)) for place in range(len(pictures[file]))]
    order = rng.permutation(len(places))
    for start in range(0, len(order) - size + 1, size):
        chosen = [places[number] for number in order[start : start + size]]
        examples = [change(pictures[file][place], labels[file][place], rng) for file, place in chosen]
        yield (
            torch.from_numpy(np.stack([picture for picture, _ in examples])),
            torch.from_numpy(_without_empty_columns(np.stack([rows for _, rows in examples]))),
        )


def _without_empty_columns(rows: np.ndarray) -> np.ndarray:
    """(B, 16, 17) -> (B, M, 17) for the M faces of the picture that has the most, at least 1."""
    return rows[:, : max(1, int((rows[:, :, 15] != NOTHING).sum(axis=1).max()))]


def change(picture: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture (320, 320, 3) and its rows (16, 17) -> (256, 256, 3) and rows: resized now and then, cut, mirrored."""
    rows = rows.copy()
    factor = float(rng.uniform(0.55, 1.3)) if rng.random() < 0.35 else 1.0
    if factor != 1.0:
        side = round(SIDE_PX * factor)
        interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
        picture = cv2.resize(picture, (side, side), interpolation=interpolation)
        rows[:, :14] *= side / SIDE_PX
        rows[(rows[:, 3] - rows[:, 1] < _SMALLEST_PX) & (rows[:, 15] == FACE), 15] = IGNORED
    canvas = np.zeros((CUT_PX, CUT_PX, 3), np.uint8)
    spare = CUT_PX - picture.shape[0]
    left, top = (int(rng.integers(min(0, spare), max(0, spare) + 1)) for _ in range(2))
    part = picture[max(0, -top) : max(0, -top) + CUT_PX, max(0, -left) : max(0, -left) + CUT_PX]
    canvas[max(0, top) : max(0, top) + part.shape[0], max(0, left) : max(0, left) + part.shape[1]] = part
    rows[:, :14] += np.tile([left, top], 2 + LANDMARKS)
    _ignore_what_is_cut(rows)
    if rng.random() < 0.5:
        canvas, rows = np.ascontiguousarray(canvas[:, ::-1]), _mirrored(rows)
    return canvas, rows


def _ignore_what_is_cut(rows: np.ndarray) -> None:
    inside = np.clip(rows[:, :4], 0, CUT_PX)
    shown = (inside[:, 2:] - inside[:, :2]).prod(axis=1)
    whole = (rows[:, 2:4] - rows[:, :2]).prod(axis=1)
    rows[(shown < 0.4 * whole) & (rows[:, 15] == FACE), 15] = IGNORED


def _mirrored(rows: np.ndarray) -> np.ndarray:
    mirrored = rows.copy()
    mirrored[:, [0, 2]] = CUT_PX - rows[:, [2, 0]]
    points = rows[:, 4:14].reshape(-1, LANDMARKS, 2)[:, MIRRORED_LANDMARKS].copy()
    points[..., 0] = CUT_PX - points[..., 0]
    mirrored[:, 4:14] = points.reshape(-1, 2 * LANDMARKS)
    return mirrored

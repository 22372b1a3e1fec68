"""Training pictures and their labels in files of a thousand, made once and read by every training."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from detectors.protocol import box_overlaps
from training.face.degrade import degrade
from training.face.labels import LANDMARKS, Faces
from training.face.synthesis import SIDE_PX, Composed, Material, make_picture
from training.face.teacher import Teacher

PICTURES_A_FILE = 1000
MAX_FACES = 16
COLUMNS = 4 + 2 * LANDMARKS + 3
"""Box, landmarks, score, kind, and whether box and landmarks are to be learnt."""
NOTHING, FACE, IGNORED = 0, 1, 2
_SURE_SCORE = 0.7
_KNOWN_SCORE = 0.8
"""Of a face that is known to be there, though the teacher does not see it."""
_SMALLEST_PX = 8
_SMALL_PX = 20
_SAME_OVERLAP = 0.4
_SEEN_WITHOUT_TEACHER_PX = 28


def make_file(path: Path, number: int, material: Material, teacher: Teacher, seed: int) -> None:
    """One file of pictures (1000, 320, 320, 3) and beside it their labels (1000, 16, 17); a picture depends on seed and
    number alone."""
    pictures = np.zeros((PICTURES_A_FILE, SIDE_PX, SIDE_PX, 3), np.uint8)
    labels = np.zeros((PICTURES_A_FILE, MAX_FACES, COLUMNS), np.float32)
    for place in range(PICTURES_A_FILE):
        rng = np.random.default_rng([seed, number, place])
        pictures[place], rows = make_example(material, teacher, rng)
        labels[place, : len(rows)] = rows
    np.save(labels_of(path), labels)
    # The pictures come last, and under their name only when they are whole: a training looks for this file.
    unfinished = path.with_suffix(".part.npy")
    np.save(unfinished, pictures)
    unfinished.rename(path)


def labels_of(path: Path) -> Path:
    return path.with_name(path.stem + "_labels.npy")


def make_example(material: Material, teacher: Teacher, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A picture and the rows (N, 17) of its faces, N at most 16."""
    composed = make_picture(material, rng)
    seen = teacher.label(composed.pixels)
    picture = degrade(composed.pixels, rng)
    return picture, label_rows(composed, seen, teacher.look(picture))[:MAX_FACES]


def label_rows(composed: Composed, seen: Faces, seen_degraded: Faces) -> np.ndarray:
    """What is learnt of a picture: rows (N, 17), the highest faces first.

    A face is one that is known or of which the teacher is sure; the teacher's box goes before the known one, which may
    have been turned. What is too small, nearly outside, small and lost in the degraded picture, or unsure is ignored.
    What the teacher sees on a background without faces is ignored where it is sure, else it is none.
    """
    known = composed.known
    seen = seen[~_overlapping(seen, composed.wrong)]
    if composed.has_no_others:
        small = seen.heights < _SMALL_PX
        seen = seen[_overlapping(seen, known) | (seen.scores >= _SURE_SCORE) | small]
    rows = []
    for place in range(len(known)):
        overlaps = box_overlaps(known.boxes[place : place + 1], seen.boxes)[0]
        if len(seen) and overlaps.max() > _SAME_OVERLAP:
            match = int(overlaps.argmax())
            rows.append(_row(seen, match, max(float(seen.scores[match]), _KNOWN_SCORE), seen_degraded, learn_box=True))
        else:
            rows.append(_row(known, place, _KNOWN_SCORE, seen_degraded, learn_box=False))
    for place in np.flatnonzero(~_overlapping(seen, known)):
        score = float(seen.scores[place])
        row = _row(seen, int(place), score, seen_degraded, learn_box=True)
        if score < _SURE_SCORE or composed.has_no_others:
            row[-2] = IGNORED
        rows.append(row)
    return np.array(sorted(rows, key=lambda row: row[1] - row[3]), np.float32).reshape(-1, COLUMNS)


def _overlapping(faces: Faces, others: Faces) -> np.ndarray:
    """Which faces (N,) overlap one of the others."""
    if not len(others):
        return np.zeros(len(faces), bool)
    overlapping: np.ndarray = (box_overlaps(faces.boxes, others.boxes) > _SAME_OVERLAP).any(axis=1)
    return overlapping


def _row(faces: Faces, place: int, score: float, seen_degraded: Faces, *, learn_box: bool) -> np.ndarray:
    box = faces.boxes[place]
    shown = float(faces[np.array([place])].shown(SIDE_PX, SIDE_PX)[0])
    height = float(box[3] - box[1])
    still_seen = len(seen_degraded) and box_overlaps(box[None], seen_degraded.boxes).max() > _SAME_OVERLAP
    clear = still_seen or height >= _SEEN_WITHOUT_TEACHER_PX
    kind = FACE if shown > 0.4 and height >= _SMALLEST_PX and clear else IGNORED
    return np.concatenate([box, faces.landmarks[place].ravel(), [score, kind, float(learn_box)]])


def show(path: Path, out: Path, count: int = 24) -> None:
    """A sheet of pictures with their boxes: green learnt, yellow without its box, red ignored."""
    pictures, labels = np.load(path, mmap_mode="r")[:count], np.load(labels_of(path))[:count]
    tiles = []
    for picture, rows in zip(pictures, labels, strict=True):
        tile = picture.copy()
        for row in rows[rows[:, -2] != NOTHING]:
            left, top, right, bottom = (int(value) for value in row[:4])
            colour = (0, 0, 255) if row[-2] == IGNORED else (0, 255, 0) if row[-1] else (0, 255, 255)
            cv2.rectangle(tile, (left, top), (right, bottom), colour, 1)
            for x, y in row[4:14].reshape(-1, 2):
                cv2.circle(tile, (int(x), int(y)), 1, (255, 255, 0), -1)
        tiles.append(tile)
    across = [np.hstack(tiles[start : start + 6]) for start in range(0, len(tiles) - 5, 6)]
    cv2.imwrite(str(out), np.vstack(across))

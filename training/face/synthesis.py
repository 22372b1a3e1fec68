"""Training pictures: cut out of frames, or faces put on backgrounds, with what is known of their faces."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from training.face.drawn import distract
from training.face.labels import Faces
from training.face.sources import Picture

SIDE_PX = 320
_SMALLEST_PX, _LARGEST_PX = 9.0, 330.0
_MAX_TURN_DEGREES = 40.0


@dataclass(frozen=True)
class Material:
    """Pictures to make pictures of."""

    with_faces: list[Picture]
    without_faces: list[Picture]
    """The teacher saw nothing at all in them."""
    unsure: list[Picture]
    """It was not sure of anything in them."""
    mistaken: list[Picture]
    """In them it was sure of something that is no face."""
    heads: list[Picture]

    @classmethod
    def of(cls, frames: list[Picture], heads: list[Picture]) -> Material:
        sure = [picture for picture in frames if len(picture.sure)]
        rest = [picture for picture in frames if not len(picture.sure) and not len(picture.wrong)]
        return cls(
            sure,
            [picture for picture in rest if not len(picture.faces)],
            [picture for picture in rest if len(picture.faces)],
            [picture for picture in frames if len(picture.wrong)],
            heads,
        )


@dataclass(frozen=True)
class Composed:
    """A training picture before it is degraded."""

    pixels: np.ndarray
    """(320, 320, 3), uint8 BGR."""
    known: Faces
    """Faces that are there."""
    wrong: Faces
    """What the teacher will take for faces and is none."""
    has_no_others: bool
    """Whether the background is of a frame in which the teacher saw nothing at all."""


def make_picture(material: Material, rng: np.random.Generator) -> Composed:
    kind = rng.random()
    if kind < 0.42:
        return _around_a_face(material, _one_of(material.with_faces, rng), rng)
    if kind < 0.46 and material.mistaken:
        return _around_a_face(material, _one_of(material.mistaken, rng), rng, mistaken=True)
    canvas, clean = _background(material, rng)
    known = Faces.none()
    if kind < 0.86:
        for _ in range(int(rng.choice((1, 2, 3, 5), p=(0.5, 0.25, 0.15, 0.1)))):
            known = _put(canvas, known, _one_of(material.heads, rng), rng)
    elif rng.random() < 0.5:
        distract(canvas, [_one_of(material.heads, rng) for _ in range(3)], rng)
        clean = False
    return Composed(canvas, known, Faces.none(), clean)


def _one_of(pictures: list[Picture], rng: np.random.Generator) -> Picture:
    return pictures[int(rng.integers(len(pictures)))]


def _height(rng: np.random.Generator, largest: float = _LARGEST_PX) -> float:
    """A face height; as many from 10 to 20 pixels as from 100 to 200."""
    return float(np.exp(rng.uniform(np.log(_SMALLEST_PX), np.log(largest))))


def _turn(rng: np.random.Generator) -> float:
    return float(rng.uniform(-_MAX_TURN_DEGREES, _MAX_TURN_DEGREES) if rng.random() < 0.35 else rng.normal(0, 5))


def _warped(pixels: np.ndarray, affine: np.ndarray, border: int) -> np.ndarray:
    """The picture after a change (2, 3) that turns and resizes, on a canvas of (320, 320)."""
    factor = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
    if factor < 0.8:
        # Reduced by areas first: warpAffine alone would leave out pixels.
        size = max(1, round(pixels.shape[1] * factor)), max(1, round(pixels.shape[0] * factor))
        back = np.array([pixels.shape[1] / size[0], pixels.shape[0] / size[1]])
        affine = np.concatenate([affine[:, :2] * back, affine[:, 2:] + affine[:, :2] @ (back[:, None] - 1) / 2], axis=1)
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return cv2.warpAffine(pixels, affine, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR, borderMode=border)


def _affine(box: np.ndarray, height: float, turn: float, place: np.ndarray) -> np.ndarray:
    """Brings the middle of a box to a place, and the box to a height."""
    middle = (box[:2] + box[2:]) / 2
    affine = cv2.getRotationMatrix2D((float(middle[0]), float(middle[1])), turn, height / float(box[3] - box[1]))
    affine[:, 2] += place - middle
    return np.asarray(affine)


def _around_a_face(
    material: Material, picture: Picture, rng: np.random.Generator, *, mistaken: bool = False
) -> Composed:
    """A cut-out of a frame in which one of its faces, or of what was mistaken for one, has a height of choice.
    Where the frame ends, another one without faces goes on."""
    pixels, faces, wrong = picture.pixels, picture.sure, picture.wrong
    if rng.random() < 0.5:
        width = pixels.shape[1]
        pixels, faces, wrong = cv2.flip(pixels, 1), faces.mirrored(width), wrong.mirrored(width)
    anchors = wrong if mistaken else faces
    chosen = int(rng.integers(len(anchors)))
    # No more than twice as large as it was: there is nothing more to be seen.
    height = min(_height(rng), 2.0 * float(anchors.heights[chosen]))
    inset = min(height / 3, SIDE_PX / 3)
    place = rng.uniform(inset, SIDE_PX - inset, 2)
    turn = _turn(rng) if rng.random() < 0.5 else 0.0
    affine = _affine(anchors.boxes[chosen], height, turn, place)
    cut = _warped(pixels, affine, cv2.BORDER_REPLICATE)
    if rng.random() < 0.8:
        outside = _warped(np.full(pixels.shape[:2], 255, np.uint8), affine, cv2.BORDER_CONSTANT) < 128
        cut[outside] = _background(material, rng)[0][outside]
    return Composed(cut, faces.moved(affine), wrong.moved(affine), has_no_others=False)


def _background(material: Material, rng: np.random.Generator) -> tuple[np.ndarray, bool]:
    """A cut-out of a frame without a sure face, and whether the frame has nothing unsure either."""
    unsure = rng.random() < 0.3
    pixels = _one_of(material.unsure if unsure else material.without_faces, rng).pixels
    side = min(pixels.shape[:2])
    cut = int(np.clip(side * np.exp(rng.uniform(np.log(0.4), np.log(1.6))), 64, max(pixels.shape[:2])))
    if cut > side:
        pixels = cv2.copyMakeBorder(pixels, 0, max(0, cut - pixels.shape[0]), 0, max(0, cut - pixels.shape[1]), 0)
    top, left = (int(rng.integers(0, extent - cut + 1)) for extent in pixels.shape[:2])
    pixels = pixels[top : top + cut, left : left + cut]
    if rng.random() < 0.5:
        pixels = cv2.flip(pixels, 1)
    interpolation = cv2.INTER_AREA if cut > SIDE_PX else cv2.INTER_LINEAR
    return cv2.resize(pixels, (SIDE_PX, SIDE_PX), interpolation=interpolation), not unsure


def _put(canvas: np.ndarray, known: Faces, head: Picture, rng: np.random.Generator) -> Faces:
    """One head more on the canvas where it covers no other; the faces that are known then."""
    pixels, faces = head.pixels, head.faces
    if rng.random() < 0.5:
        pixels, faces = cv2.flip(pixels, 1), faces.mirrored(pixels.shape[1])
    height = _height(rng, 280.0 if not len(known) else 120.0)
    inset = min(height / 2, SIDE_PX / 2.5)
    affine = _affine(faces.boxes[0], height, _turn(rng), rng.uniform(inset, SIDE_PX - inset, 2))
    put = faces.moved(affine)
    spread = 1.6 * (put.boxes[0, 2:] - put.boxes[0, :2])
    middle = (put.boxes[0, :2] + put.boxes[0, 2:]) / 2
    if len(known) and _touches(known.boxes, np.concatenate([middle - spread / 2, middle + spread / 2])):
        return known
    mask = _warped(_mask(pixels.shape[:2], faces.boxes[0], rng), affine, cv2.BORDER_CONSTANT)[:, :, None] / 255.0
    canvas[:] = (canvas * (1 - mask) + _warped(pixels, affine, cv2.BORDER_REPLICATE) * mask).astype(np.uint8)
    if rng.random() < 0.25:
        _cover(canvas, put.boxes[0], rng)
    return known.joined(put)


def _touches(boxes: np.ndarray, box: np.ndarray) -> bool:
    return bool(((boxes[:, :2] < box[2:]) & (boxes[:, 2:] > box[:2])).all(axis=1).any())


def _mask(shape: tuple[int, ...], box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What of a head's picture is put: all of it, a rectangle, or a soft ellipse around the head."""
    mask = np.zeros(shape, np.uint8)
    middle, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    kind = rng.random()
    if kind < 0.35:
        mask[:] = 255
    elif kind < 0.5:
        low, high = middle - size * rng.uniform(0.6, 1.1, 2), middle + size * rng.uniform(0.6, 1.1, 2)
        cv2.rectangle(mask, tuple(map(int, low)), tuple(map(int, high)), 255, -1)
    else:
        axes = size * rng.uniform((0.62, 0.66), (1.0, 0.95))
        cv2.ellipse(mask, tuple(map(int, middle - (0, 0.08 * size[1]))), tuple(map(int, axes)), 0, 0, 360, 255, -1)
        if rng.random() < 0.5:  # shoulders
            cv2.rectangle(
                mask,
                (int(middle[0] - size[0]), int(middle[1] + 0.55 * size[1])),
                (int(middle[0] + size[0]), shape[0]),
                255,
                -1,
            )
        mask = cv2.GaussianBlur(mask, (0, 0), float(rng.uniform(1, 6)))
    return mask


def _cover(canvas: np.ndarray, box: np.ndarray, rng: np.random.Generator) -> None:
    """Up to half of a face behind something: a piece of the canvas, or one colour (a mask, a microphone, a hand)."""
    size = box[2:] - box[:2]
    side = int(rng.integers(4))
    share = rng.uniform(0.15, 0.5)
    low, high = box[:2].copy(), box[2:].copy()
    axis = side % 2
    if side < 2:
        high[axis] = low[axis] + share * size[axis]
    else:
        low[axis] = high[axis] - share * size[axis]
    left, top, right, bottom = np.clip([*low, *high], 0, SIDE_PX).astype(int)
    if right - left < 2 or bottom - top < 2:
        return
    colour = tuple(int(value) for value in rng.integers(0, 256, 3))
    if rng.random() < 0.5:
        centre, axes = ((left + right) // 2, (top + bottom) // 2), ((right - left) // 2 + 1, (bottom - top) // 2 + 1)
        cv2.ellipse(canvas, centre, axes, 0, 0, 360, colour, -1)
    else:
        from_top, from_left = (int(rng.integers(0, SIDE_PX - extent + 1)) for extent in (bottom - top, right - left))
        piece = canvas[from_top : from_top + bottom - top, from_left : from_left + right - left].copy()
        canvas[top:bottom, left:right] = piece

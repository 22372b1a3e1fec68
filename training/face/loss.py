"""Which cells have to tell of which face, and how far they are from it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from detectors.lite_network import FACE_PX, STRIDES, cell_centres, decode
from training.face.pictures import FACE, IGNORED

SIZES_PX = ((0.0, 42.0), (28.0, 116.0), (78.0, 1e9))
"""Faces that each level has to tell of, by the root of their area; those near the limits belong to two levels."""
_NEAR = 1.4
"""Up to this factor beyond its limits a level may tell of a face, or not."""
_SCORE_WEIGHT, _BOX_WEIGHT, _SIDE_WEIGHT, _LANDMARK_WEIGHT = 1.0, 1.5, 1.0, 0.5
_FOCUS = 2.0


@dataclass(frozen=True)
class Targets:
    """For the cells of one level."""

    scores: Tensor
    """(B, cells): the teacher's score; 0 where there is no face, -1 where nothing is learnt."""
    faces: Tensor
    """(B, cells): which of the picture's faces it is."""


def assign(labels: Tensor, centres: Tensor, stride: int, sizes: tuple[float, float]) -> Targets:
    """Cells near the middle of a face of the level's size tell of it, cells around those may; labels (B, M, 17)."""
    boxes, kinds = labels[:, None, :, :4], labels[:, None, :, 15]
    size = ((boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])).clamp(min=1e-6).sqrt()
    away = (centres[None, :, None] - (boxes[..., :2] + boxes[..., 2:]) / 2).abs().amax(dim=-1)  # (B, cells, M)
    radius = (0.22 * size).clamp(0.55 * stride, 1.5 * stride)
    in_box = ((centres[None, :, None] > boxes[..., :2]) & (centres[None, :, None] < boxes[..., 2:])).all(dim=-1)
    of_level = (size >= sizes[0]) & (size < sizes[1])
    near_level = (size >= sizes[0] / _NEAR) & (size < sizes[1] * _NEAR)
    is_face = kinds == FACE
    positive = is_face & of_level & (away <= radius)
    # The face with the nearest middle, where a cell could tell of several.
    distance = torch.where(positive, away / size, torch.full_like(away, torch.inf))
    nearest = distance.argmin(dim=2)
    found = positive.any(dim=2)
    unclear = (is_face & near_level & in_box & (away <= 2.0 * radius)) | ((kinds == IGNORED) & in_box)
    scores = labels[..., 14].gather(1, nearest) * found
    return Targets(torch.where(~found & unclear.any(dim=2), torch.full_like(scores, -1), scores), nearest)


def detection_loss(levels: list[Tensor], labels: Tensor) -> tuple[Tensor, dict[str, float]]:
    """Loss of a batch and its parts. labels: (B, M, 17) as training/face/pictures.py makes them."""
    parts: dict[str, Tensor] = {}
    faces = torch.zeros((), device=labels.device)
    for told, stride, face_px, sizes in zip(levels, STRIDES, FACE_PX, SIZES_PX, strict=True):
        centres = cell_centres(told.shape[1], told.shape[2], stride, told.device).flatten(0, 1)
        cells = told.flatten(1, 2).float()
        targets = assign(labels, centres, stride, sizes)
        _add(parts, "score", _score_loss(cells[..., 0], targets.scores))
        picture, cell = torch.nonzero(targets.scores > 0, as_tuple=True)
        faces = faces + len(picture)
        rows = labels[picture, targets.faces[picture, cell]]
        boxes, landmarks = decode(cells[picture, cell], centres[cell], stride, face_px)
        for name, value in _place_losses(boxes, landmarks, rows).items():
            _add(parts, name, value)
    weights = {"score": _SCORE_WEIGHT, "box": _BOX_WEIGHT, "side": _SIDE_WEIGHT, "landmark": _LANDMARK_WEIGHT}
    faces = faces.clamp(min=1)
    total = torch.stack([weights[name] * value / faces for name, value in parts.items()]).sum()
    return total, {name: float(value.detach() / faces) for name, value in parts.items()}


def _add(parts: dict[str, Tensor], name: str, value: Tensor) -> None:
    parts[name] = parts[name] + value if name in parts else value


def _score_loss(logits: Tensor, scores: Tensor) -> Tensor:
    """Cross-entropy with soft targets, weighted by the square of the error (quality focal loss, Li et al., 2020)."""
    targets = scores.clamp(min=0)
    entropy = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    error = (targets - logits.detach().sigmoid()).abs()
    return (entropy * error**_FOCUS * (scores >= 0)).sum()


def _place_losses(boxes: Tensor, landmarks: Tensor, rows: Tensor) -> dict[str, Tensor]:
    """1 - generalised IoU (Rezatofighi et al., 2019), and distances of sides and landmarks in sizes of the face."""
    known = rows[:, 16]
    wanted = rows[:, :4]
    size = ((wanted[:, 2] - wanted[:, 0]) * (wanted[:, 3] - wanted[:, 1])).clamp(min=1).sqrt()
    shared = (torch.minimum(boxes[:, 2:], wanted[:, 2:]) - torch.maximum(boxes[:, :2], wanted[:, :2])).clamp(min=0)
    hull = torch.maximum(boxes[:, 2:], wanted[:, 2:]) - torch.minimum(boxes[:, :2], wanted[:, :2])
    area = (boxes[:, 2:] - boxes[:, :2]).prod(dim=1) + (wanted[:, 2:] - wanted[:, :2]).prod(dim=1)
    union = area - shared.prod(dim=1)
    hull_area = hull.prod(dim=1).clamp(min=1e-6)
    overlap = shared.prod(dim=1) / union.clamp(min=1e-6) - (hull_area - union) / hull_area
    sides = functional.smooth_l1_loss(boxes / size[:, None], wanted / size[:, None], reduction="none", beta=0.05).sum(
        dim=1
    )
    points = functional.smooth_l1_loss(
        landmarks.flatten(1) / size[:, None], rows[:, 4:14] / size[:, None], reduction="none", beta=0.05
    ).sum(dim=1)
    # Landmarks turn with the picture, so that they are known even where the box is not.
    return {
        "box": ((1 - overlap) * known).sum(),
        "side": (sides * known).sum(),
        "landmark": points.sum(),
    }

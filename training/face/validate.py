"""How well a network finds what the teacher found on held-out training pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from detectors.lite_boxes import find_faces
from detectors.lite_network import LiteFaceNetwork
from detectors.protocol import box_overlaps
from training.face.pictures import FACE, NOTHING, labels_of

_BATCH = 25
_LEAST_SCORE = 0.1
_FALSE_A_THOUSAND = 5


@torch.inference_mode()
def validate(network: LiteFaceNetwork, files: list[Path], device: str) -> dict[str, float]:
    """Share of faces found and median overlap at the threshold that lets five false faces in a thousand pictures pass,
    for faces from 20 pixels on and for smaller ones; and that threshold."""
    network.eval()
    false: list[float] = []
    faces: list[tuple[float, float, float]] = []
    pictures = 0
    for path in files:
        images, labels = np.load(path, mmap_mode="r"), np.load(labels_of(path))
        pictures += len(images)
        for start in range(0, len(images), _BATCH):
            batch = torch.from_numpy(np.array(images[start : start + _BATCH])).to(device)
            for found, rows in zip(
                find_faces(network(batch), _LEAST_SCORE), labels[start : start + _BATCH], strict=True
            ):
                _compare(found[0], found[2], rows[rows[:, 15] != NOTHING], faces, false)
    allowed = _FALSE_A_THOUSAND * pictures // 1000
    threshold = float(np.sort(false)[-allowed - 1]) if len(false) > allowed else _LEAST_SCORE
    table = np.array(faces)
    quality = {"threshold": threshold}
    for name, chosen in (("", table[:, 0] >= 20), ("_small", table[:, 0] < 20)):
        scores, overlaps = table[chosen, 1], table[chosen, 2]
        quality |= {f"found{name}": float((scores > threshold).mean()), f"found6{name}": float((scores > 0.6).mean())}
        quality[f"overlap{name}"] = (
            float(np.median(overlaps[scores > threshold])) if (scores > threshold).any() else 0.0
        )
    quality["false6"] = float((np.array(false) > 0.6).sum() * 1000 / pictures)
    return {name: round(value, 4) for name, value in quality.items()}


def _compare(
    boxes: np.ndarray, scores: np.ndarray, rows: np.ndarray, faces: list[tuple[float, float, float]], false: list[float]
) -> None:
    overlaps = box_overlaps(rows[:, :4], boxes)
    for row, overlap in zip(rows, overlaps, strict=True):
        if row[15] == FACE:
            match = (overlap > 0.5) if row[16] else (overlap > 0.3)
            best = int(np.argmax(np.where(match, scores, -1))) if match.any() else None
            height = float(row[3] - row[1])
            faces.append((height, scores[best], overlap[best]) if best is not None else (height, 0.0, 0.0))
    alone = (overlaps < 0.2).all(axis=0) if len(rows) else np.ones(len(boxes), bool)
    false.extend(scores[alone])

"""Faces of one picture as numbers, and what a change of the picture does to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from detectors.protocol import box_overlaps

LANDMARKS = 5
MIRRORED_LANDMARKS = (1, 0, 2, 4, 3)
"""YuNet's order: eye, eye, nose, mouth corner, mouth corner, each pair from left to right in the picture."""


@dataclass(frozen=True)
class Faces:
    """Faces of one picture."""

    boxes: np.ndarray
    """(N, 4), float32, xyxy in pixels."""
    landmarks: np.ndarray
    """(N, 5, 2), float32, in pixels."""
    scores: np.ndarray
    """(N,), float32: how sure the teacher is, 0 to 1."""

    @classmethod
    def none(cls) -> Faces:
        return cls(np.zeros((0, 4), np.float32), np.zeros((0, LANDMARKS, 2), np.float32), np.zeros(0, np.float32))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, chosen: np.ndarray) -> Faces:
        return Faces(self.boxes[chosen], self.landmarks[chosen], self.scores[chosen])

    @property
    def heights(self) -> np.ndarray:
        heights: np.ndarray = self.boxes[:, 3] - self.boxes[:, 1]
        return heights

    def joined(self, other: Faces) -> Faces:
        return Faces(
            np.concatenate([self.boxes, other.boxes]),
            np.concatenate([self.landmarks, other.landmarks]),
            np.concatenate([self.scores, other.scores]),
        )

    def moved(self, affine: np.ndarray) -> Faces:
        """After a change (2, 3) of the picture that turns and resizes; boxes stay upright and keep their shape."""
        if not len(self):
            return self
        factor = float(np.sqrt(abs(np.linalg.det(affine[:, :2]))))
        centres = (self.boxes[:, :2] + self.boxes[:, 2:]) / 2 @ affine[:, :2].T + affine[:, 2]
        half = (self.boxes[:, 2:] - self.boxes[:, :2]) / 2 * factor
        boxes = np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)
        landmarks = (self.landmarks @ affine[:, :2].T + affine[:, 2]).astype(np.float32)
        return Faces(boxes, landmarks, self.scores)

    def mirrored(self, width: int) -> Faces:
        """As they lie in the picture mirrored left to right."""
        boxes = self.boxes[:, [2, 1, 0, 3]].copy()
        boxes[:, [0, 2]] = width - boxes[:, [0, 2]]
        landmarks = self.landmarks[:, MIRRORED_LANDMARKS].copy()
        landmarks[:, :, 0] = width - landmarks[:, :, 0]
        return Faces(boxes, landmarks, self.scores)

    def shown(self, width: int, height: int) -> np.ndarray:
        """Share of each box that lies inside a picture, (N,)."""
        inside = np.clip(self.boxes, 0, (width, height, width, height))
        area = np.clip(self.boxes[:, 2:] - self.boxes[:, :2], 1e-6, None).prod(axis=1)
        share: np.ndarray = np.clip(inside[:, 2:] - inside[:, :2], 0, None).prod(axis=1) / area
        return share


def merge(views: list[tuple[Faces, float]], overlap: float = 0.5) -> Faces:
    """Faces seen in several views of one picture, each once: boxes and landmarks averaged by score and the weight of
    the view, scores the mean of the two highest. Of a face seen in one view alone half of what is above 0.5 counts."""
    seen = Faces.none()
    for faces, _ in views:
        seen = seen.joined(faces)
    weights = np.concatenate([np.full(len(faces), weight) for faces, weight in views]) * seen.scores
    merged = Faces.none()
    left = np.argsort(-seen.scores, kind="stable")
    while len(left):
        same = box_overlaps(seen.boxes[left[:1]], seen.boxes[left])[0] > overlap
        group, left = left[same], left[~same]
        share = weights[group] / weights[group].sum()
        best = np.sort(seen.scores[group])[::-1]
        score = best[:2].mean() if len(best) > 1 else min(best[0], 0.5 + (best[0] - 0.5) / 2)
        merged = merged.joined(
            Faces(
                (seen.boxes[group] * share[:, None]).sum(axis=0, keepdims=True).astype(np.float32),
                (seen.landmarks[group] * share[:, None, None]).sum(axis=0, keepdims=True).astype(np.float32),
                np.array([score], np.float32),
            )
        )
    return merged

"""What the cells of the embedded face detector say -> faces, each once."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from detectors.lite_network import FACE_PX, LANDMARKS, OUTPUTS, STRIDES, cell_centres, decode
from detectors.protocol import box_overlaps

SAME_FACE_OVERLAP = 0.4
_AVERAGED_OVERLAP = 0.6
_MOST_CANDIDATES = 400


def find_faces(levels: list[Tensor], min_score: float) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """For each picture of a batch: boxes (N, 4) xyxy and landmarks (N, 5, 2) in its pixels, and scores (N,)."""
    least = math.log(min_score / (1 - min_score))
    found: list[list[np.ndarray]] = [[] for _ in range(len(levels[0]))]
    for told, stride, face_px in zip(levels, STRIDES, FACE_PX, strict=True):
        picture, row, column = torch.nonzero(told[..., 0] > least, as_tuple=True)
        if not len(picture):
            continue
        cells = told[picture, row, column].float()
        centres = cell_centres(told.shape[1], told.shape[2], stride, told.device)[row, column]
        boxes, landmarks = decode(cells, centres, stride, face_px)
        table = torch.cat([boxes, landmarks.flatten(1), cells[:, :1].sigmoid()], dim=1).cpu().numpy()
        owners = picture.cpu().numpy()
        for place in np.unique(owners):
            found[place].append(table[owners == place])
    return [_each_once(np.concatenate(tables) if tables else np.zeros((0, OUTPUTS), np.float32)) for tables in found]


def _each_once(table: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of cells that tell of one face the surest has the score; its place is averaged by score over those that agree."""
    table = table[np.isfinite(table).all(axis=1)].astype(np.float64)
    table = table[np.argsort(-table[:, -1], kind="stable")[:_MOST_CANDIDATES]]
    faces = []
    while len(table):
        overlaps = box_overlaps(table[:1, :4], table[:, :4])[0]
        overlaps[0] = 1.0
        agreeing = table[overlaps >= _AVERAGED_OVERLAP]
        face = np.average(agreeing, axis=0, weights=agreeing[:, -1])
        face[-1] = table[0, -1]
        faces.append(face)
        table = table[overlaps < SAME_FACE_OVERLAP]
    rows = np.array(faces).reshape(-1, OUTPUTS)
    return rows[:, :4], rows[:, 4:-1].reshape(-1, LANDMARKS, 2), rows[:, -1]

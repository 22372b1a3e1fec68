"""Pieces of one face between edits -> one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import FPS
from syncnet.models.protocol import SyncModel
from syncnet.scoring.score import SHIFT_COUNT, SyncScore, score_distances
from syncnet.scoring.turns import TrackTable


@dataclass(frozen=True, slots=True)
class PooledScore:
    """Several tracks of one face, scored as one."""

    tracks: tuple[int, ...]
    """Their positions among the video's tracks, in order of time."""
    score: SyncScore


Numbered = tuple[int, TrackTable]
"""A track's position among the video's tracks, and its distances."""


def pool_tracks(person: Sequence[Numbered], model: SyncModel, speech: np.ndarray) -> list[PooledScore]:
    """The tracks of a person, in order of time, scored as one; as several where the offset changes between them.

    ``speech``: whether somebody speaks, for each frame of the video, bool.
    """
    tables = [table for _, table in person]
    score = score_distances(_join(tables), tables[0].metric, model, speech, tables[0].first_lip)
    if score is None:
        return []
    groups = _by_offset(person, score)
    if len(groups) == 1:
        return [PooledScore(tuple(position for position, _ in person), score)]
    return [pooled for group in groups for pooled in pool_tracks(group, model, speech)]


def _join(tables: Sequence[TrackTable]) -> np.ndarray:
    """Distances (31, T) from the first lip of the first to the last of the last; NaN between them."""
    first_lip = tables[0].first_lip
    joined = np.full((SHIFT_COUNT, tables[-1].end_lip - first_lip), np.nan, np.float32)
    for table in tables:
        joined[:, table.first_lip - first_lip : table.end_lip - first_lip] = table.distances
    return joined


def _by_offset(person: Sequence[Numbered], score: SyncScore) -> list[list[Numbered]]:
    """The tracks, apart where the stretch of the offset that their middle lies in changes."""
    pieces = score.evidence.pieces if score.evidence else ()
    groups: list[list[Numbered]] = []
    last = None
    for position, table in person:
        middle_seconds = (table.first_lip + table.end_lip) / 2 / FPS
        nearest = min(
            pieces,
            key=lambda piece: max(piece.start_seconds - middle_seconds, middle_seconds - piece.end_seconds),
            default=None,
        )
        if groups and nearest is last:
            groups[-1].append((position, table))
        else:
            groups.append([(position, table)])
        last = nearest
    return groups

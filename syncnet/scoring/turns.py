"""Several faces at once that speak in turns: scored as one, each while it speaks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.models.protocol import Metric, SyncModel
from syncnet.scoring.lips import lip_medians
from syncnet.scoring.score import SHIFT_COUNT, SyncScore, score_distances

SMOOTHED_FRAMES = 2 * FPS + 1
"""A turn of speech is rarely shorter, and chance wins a shorter comparison too often."""
LEAST_TURN_FRAMES = FPS
LEAST_OVERLAP_FRAMES = 2 * FPS
"""For so long two faces must be seen together."""
LEAST_SPOKEN_FRAMES = 2 * FPS
LEAST_SPOKEN_SHARE = 0.2
"""Of the speech, that a second face must have."""
MOST_FACES = 6
"""Of a crowd, those with the highest confidence."""


@dataclass(frozen=True, eq=False)
class TrackTable:
    """The distances of one track on the video's clock."""

    first_lip: int
    """The video's frame of lip 0."""
    distances: np.ndarray
    """(31, W) float32: of lip i and sound i + k - 15, NaN where no such pair exists."""
    metric: Metric
    confidence: float

    @property
    def end_lip(self) -> int:
        return self.first_lip + int(self.distances.shape[1])


@dataclass(frozen=True, slots=True)
class Turn:
    """A stretch in which one of several faces speaks."""

    track: int
    """Its position among the video's tracks."""
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Conversation:
    """Faces that speak in turns, scored as if they were one."""

    score: SyncScore
    turns: tuple[Turn, ...]


def find_conversation(tables: Sequence[TrackTable | None], model: SyncModel, speech: np.ndarray) -> Conversation | None:
    """The conversation with the highest confidence, where there is one.

    ``tables``: of the video's tracks in their order, None for one without a score. ``speech``: whether somebody speaks,
    for each frame of the video, bool.
    """
    heard = [(number, table) for number, table in enumerate(tables) if table is not None]
    groups = _seen_together(heard)
    found = [_converse(group, model, speech) for group in groups]
    return max(
        (conversation for conversation in found if conversation),
        key=lambda conversation: conversation.score.confidence,
        default=None,
    )


Numbered = tuple[int, TrackTable]


def _seen_together(tables: Sequence[Numbered]) -> list[list[Numbered]]:
    """Groups of two and more that overlap in time, the surest first, at most MOST_FACES of them."""
    groups: list[list[Numbered]] = []
    end = 0
    for numbered in sorted(tables, key=lambda numbered: numbered[1].first_lip):
        table = numbered[1]
        if groups and end - table.first_lip >= LEAST_OVERLAP_FRAMES:
            groups[-1].append(numbered)
            end = max(end, table.end_lip)
        else:
            groups.append([numbered])
            end = table.end_lip
    surest = (sorted(group, key=lambda numbered: -numbered[1].confidence)[:MOST_FACES] for group in groups)
    return [group for group in surest if len(group) > 1]


def _converse(group: Sequence[Numbered], model: SyncModel, speech: np.ndarray) -> Conversation | None:
    first_lip = min(table.first_lip for _, table in group)
    end_lip = max(table.end_lip for _, table in group)
    tables = [table for _, table in group]
    metric = tables[0].metric
    joint, chosen = _join(tables, first_lip, end_lip)
    fair = score_distances(joint, metric, model, speech, first_lip)
    if fair is None or not fair.rests_on_evidence:
        return None
    speaker = chosen[MAX_SHIFT_FRAMES - fair.offset_frames]
    del joint, chosen
    score = score_distances(_follow(tables, speaker, first_lip), metric, model, speech, first_lip)
    if score is None or not score.rests_on_evidence:
        return None
    speaker = np.where(_beside(speech, first_lip, end_lip), speaker, -1)
    spoken = np.array([(speaker == place).sum() for place in range(len(group))])
    enough = max(LEAST_SPOKEN_FRAMES, LEAST_SPOKEN_SHARE * spoken.sum())
    if (spoken >= enough).sum() < 2:
        return None
    return Conversation(score, _turns(speaker, [number for number, _ in group], first_lip))


def _join(tables: Sequence[TrackTable], first_lip: int, end_lip: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances (31, T) of whichever face fits best around each lip, and which one that is, (31, T), -1 for none.

    The choice is made for each shift by itself, so that a wrong shift profits from it as much as the right one: what is
    found here is no work of the choosing.
    """
    length = end_lip - first_lip
    best = np.full((SHIFT_COUNT, length), np.inf, np.float32)
    joint = np.full((SHIFT_COUNT, length), np.nan, np.float32)
    chosen = np.full((SHIFT_COUNT, length), -1, np.int8)
    levels = []
    for place, table in enumerate(tables):
        lips = slice(table.first_lip - first_lip, table.end_lip - first_lip)
        medians = lip_medians(table.distances)
        levels.append(np.nanmean(medians))
        # Row by row: of faces that are seen for hours, all at once would be a hundred megabytes.
        for shift, distances in enumerate(table.distances):
            residual = distances - medians
            around = _smooth(residual)
            better = around < best[shift, lips]
            best[shift, lips][better] = around[better]
            joint[shift, lips][better] = residual[better]
            chosen[shift, lips][better] = place
    joint += float(np.mean(levels))
    return joint, chosen


def _follow(tables: Sequence[TrackTable], speaker: np.ndarray, first_lip: int) -> np.ndarray:
    """Distances (31, T) of the face that speaks at each lip."""
    followed = np.full((SHIFT_COUNT, len(speaker)), np.nan, np.float32)
    for place, table in enumerate(tables):
        lips = slice(table.first_lip - first_lip, table.end_lip - first_lip)
        speaks = speaker[lips] == place
        followed[:, lips][:, speaks] = table.distances[:, speaks]
    return followed


def _smooth(residual: np.ndarray) -> np.ndarray:
    """Mean of (W,) over about two seconds; infinite where the lip itself has no distance."""
    # Slow to load, and of no use to who only reads what was found.
    from scipy.ndimage import uniform_filter1d

    exists = np.isfinite(residual)
    sums = uniform_filter1d(np.where(exists, residual, 0.0), SMOOTHED_FRAMES, mode="constant")
    counts = uniform_filter1d(exists.astype(np.float32), SMOOTHED_FRAMES, mode="constant")
    means = sums / np.maximum(counts, 1e-6)
    return np.where(exists, means, np.inf)


def _beside(speech: np.ndarray, first_lip: int, end_lip: int) -> np.ndarray:
    inside = speech[first_lip:end_lip]
    return np.pad(inside, (0, end_lip - first_lip - len(inside)))


def _turns(speaker: np.ndarray, numbers: Sequence[int], first_lip: int) -> tuple[Turn, ...]:
    """Who speaks when: pauses end no turn, and a turn of less than a second is none."""
    turns: list[Turn] = []
    lips = np.flatnonzero(speaker >= 0)
    for place, run in itertools.groupby(lips, key=lambda lip: int(speaker[lip])):
        frames = list(run)
        if frames[-1] - frames[0] + 1 < LEAST_TURN_FRAMES:
            continue
        start, end = float(first_lip + frames[0]) / FPS, float(first_lip + frames[-1] + 1) / FPS
        if turns and turns[-1].track == numbers[place]:
            start = turns.pop().start_seconds
        turns.append(Turn(numbers[place], start, end))
    return tuple(turns)

"""Tracks -> people: which successive tracks show one face, so that an edit does not take it apart."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from syncnet.conventions import FPS
from syncnet.faces.tracks import Track

MOST_BETWEEN_FRAMES = 2 * FPS
"""Between the end of a track and the next one of the same face: a slide, a look at something else."""
_MOST_TIMES_LARGER = 2.5
"""From a wide picture to a close one."""
_FARTHEST = 2.0
"""Distance of the boxes' middles, in sizes of the larger face."""
LOOK_PX = 24
_COLOUR_CELLS = 8
_CELL_PX = LOOK_PX // _COLOUR_CELLS
_FIRST_EVERY_FRAMES = 2
"""As of the mouths that are kept (syncnet/keepsake/making.py), so that the same crops are made in colour."""
_MOST_LOOKS = 16
LEAST_LIKENESS = 0.7
"""Correlation of two faces' brightness. With the colour below 94 % of halves of one clip are alike, and 1 % of pairs of
clips, most of which show one person twice (154 clips of the corpus)."""
MOST_COLOUR_CHANGE = 12.0
"""Mean difference of lightness and colour, of 255."""


class FaceLook:
    """What a track's face looks like: up to 16 of its crops, evenly spread, as pictures of 24 x 24."""

    def __init__(self) -> None:
        self._looks: list[np.ndarray] = []
        self._kept: tuple[np.ndarray, np.ndarray] | None = None
        self._every_frames = _FIRST_EVERY_FRAMES
        self._seen = 0

    @property
    def takes_next(self) -> bool:
        """Whether the next crop is one of those that are taken."""
        return self._seen % self._every_frames == 0

    def see(self, crops: Sequence[np.ndarray | None]) -> None:
        """The track's next crops, each (224, 224, 3) uint8 BGR, or None where it is not taken."""
        for crop in crops:
            if crop is not None and self.takes_next:
                small = cv2.resize(crop, (LOOK_PX, LOOK_PX), interpolation=cv2.INTER_AREA)
                self._looks.append(cv2.cvtColor(small, cv2.COLOR_BGR2LAB))
                if len(self._looks) > _MOST_LOOKS:
                    self._looks = self._looks[::2]
                    self._every_frames *= 2
            self._seen += 1

    def finish(self) -> None:
        """No more crops come: of the pictures only what is compared is kept, since hours of video have thousands."""
        self._kept = self._compared()
        self._looks.clear()

    def _compared(self) -> tuple[np.ndarray, np.ndarray]:
        """Brightness (n, 24, 24) uint8, and sums of lightness and colour over cells of nine pixels, (n, 192) uint16."""
        if self._kept is not None:
            return self._kept
        lab = np.reshape(self._looks, (-1, LOOK_PX, LOOK_PX, 3)).astype(np.uint8)
        cells = lab.reshape(len(lab), _COLOUR_CELLS, _CELL_PX, _COLOUR_CELLS, _CELL_PX, 3)
        return lab[..., 0].copy(), cells.sum(axis=(2, 4), dtype=np.uint16).reshape(len(lab), 3 * _COLOUR_CELLS**2)

    def likeness(self, other: FaceLook) -> float:
        """Highest correlation of a picture of one with a picture of the other; 0 where all differ in colour."""
        (own, cells), (others, other_cells) = self._compared(), other._compared()
        if not len(own) or not len(others):
            return 0.0
        correlation = _standardised(own) @ _standardised(others).T
        change = np.abs(_means(cells)[:, None] - _means(other_cells)[None]).mean(axis=2)
        return float(np.where(change <= MOST_COLOUR_CHANGE, correlation, 0.0).max())


def _standardised(brightness: np.ndarray) -> np.ndarray:
    light = brightness.reshape(len(brightness), -1).astype(np.float32)
    light = light - light.mean(axis=1, keepdims=True)
    return np.asarray(light / np.maximum(np.linalg.norm(light, axis=1, keepdims=True), 1e-6))


def _means(cells: np.ndarray) -> np.ndarray:
    return np.asarray(cells.astype(np.float32) / np.float32(_CELL_PX**2))


def find_people(tracks: Sequence[Track], looks: Sequence[FaceLook]) -> list[list[int]]:
    """Positions of the tracks of each person, in order of time; every track belongs to one."""
    people: list[list[int]] = []
    for position in sorted(range(len(tracks)), key=lambda position: tracks[position].first_frame):
        likest, highest = None, LEAST_LIKENESS
        for person in people:
            if not may_follow(tracks[person[-1]], tracks[position]):
                continue
            likeness = max(looks[position].likeness(looks[piece]) for piece in person[-3:])
            if likeness > highest:
                likest, highest = person, likeness
        if likest is None:
            people.append([position])
        else:
            likest.append(position)
    return people


def may_follow(before: Track, after: Track) -> bool:
    """Whether an edit may have made the one face out of the other, by time, place and size."""
    gap_frames = after.first_frame - (before.first_frame + before.frame_count)
    if not 0 <= gap_frames <= MOST_BETWEEN_FRAMES:
        return False
    smaller, larger = sorted((before.face_px, after.face_px))
    one, other = (np.reshape(track.mean_box, (2, 2)).mean(axis=0) for track in (before, after))
    return larger <= _MOST_TIMES_LARGER * smaller and float(np.linalg.norm(one - other)) <= _FARTHEST * larger


def long_enough_together(tracks: Sequence[Track], least_frames: int) -> list[bool]:
    """Whether each track is so long, by itself or with those that may come before and after it by ``may_follow``."""
    starts = np.array([track.first_frame for track in tracks], dtype=np.int64)
    group = list(range(len(tracks)))

    def root(position: int) -> int:
        while group[position] != position:
            position = group[position]
        return position

    for earlier, track in enumerate(tracks):
        end = track.first_frame + track.frame_count
        for later in np.flatnonzero((starts >= end) & (starts <= end + MOST_BETWEEN_FRAMES)).tolist():
            if may_follow(track, tracks[later]):
                group[root(later)] = root(earlier)
    roots = [root(position) for position in range(len(tracks))]
    frames = dict.fromkeys(roots, 0)
    for position, track in zip(roots, tracks, strict=True):
        frames[position] += track.frame_count
    return [frames[position] >= least_frames for position in roots]

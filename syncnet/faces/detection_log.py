"""Detections of all frames that were looked at, held in few pieces.

Each look would otherwise leave some small arrays between the pictures that come and go, and hold the memory page that
they lie in: some 100 MB for 20 minutes of four faces.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping

import numpy as np

from detectors.protocol import Detections

_NUMBERS = 5
"""Of a face: its box and its score."""


class DetectionLog(Mapping[int, Detections]):
    """Detections by frame number, in order."""

    def __init__(self) -> None:
        self._frames = array("q")
        self._ends = array("q")
        """How many faces there are up to the end of each of these frames."""
        self._numbers = array("f")
        self._changing: dict[int, Detections] = {}

    def __setitem__(self, frame: int, detections: Detections) -> None:
        """Of a frame behind those that are settled."""
        self._changing[frame] = detections

    def settle(self, end: int) -> None:
        """Frames before that one do not change any more."""
        for frame in sorted(frame for frame in self._changing if frame < end):
            detections = self._changing.pop(frame)
            self._frames.append(frame)
            self._numbers.frombytes(np.column_stack([detections.boxes, detections.scores]).astype("f").tobytes())
            self._ends.append(len(self._numbers) // _NUMBERS)

    def __getitem__(self, frame: int) -> Detections:
        place = bisect_left(self._frames, frame)
        if place == len(self._frames) or self._frames[place] != frame:
            return self._changing[frame]
        first = self._ends[place - 1] if place else 0
        numbers = self._numbers[_NUMBERS * first : _NUMBERS * self._ends[place]]
        faces = np.array(numbers, np.float32).reshape(-1, _NUMBERS)
        return Detections(faces[:, :4], faces[:, 4])

    def __iter__(self) -> Iterator[int]:
        yield from self._frames
        yield from sorted(self._changing)

    def __len__(self) -> int:
        return len(self._frames) + len(self._changing)

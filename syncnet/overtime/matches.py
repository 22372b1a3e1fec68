"""One face track -> the ranges of it whose lips fit the sound, as far as what is known of the file lets them count."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.models.protocol import SyncModel
from syncnet.overtime.path import match_path, matched_runs
from syncnet.overtime.points import SURE_ODDS, Found
from syncnet.overtime.timeline import Level, Segment
from syncnet.scoring.evidence import AGREEMENT_FRAMES, window_curves
from syncnet.scoring.score import Counted, SyncScore, count_lips, distance_unit, score_distances
from syncnet.scoring.speech import speech_beside
from syncnet.scoring.stretches import told_by_shift
from syncnet.scoring.turns import TrackTable

SURE_FRAMES = 65
"""As long as the windows are together that evidence rests on at least."""
LENT_ODDS = 7.0
"""Log odds of all lips of a range, that do at an offset that the rest of the file has."""
_EDGE_FRAMES = FPS // 2
"""A pause so short between a segment and the end of its track belongs to it; so do frames beyond the first lip."""


@dataclass(frozen=True, eq=False)
class SeenFace:
    """One face track."""

    first_frame: int
    boxes: np.ndarray
    """(L, 4) xyxy in pixels of the original frame, one a frame."""
    table: TrackTable | None
    """None where no sound stands beside it."""

    @property
    def end_frame(self) -> int:
        return self.first_frame + len(self.boxes)

    def mean_box(self, start: int, end: int) -> tuple[float, float, float, float]:
        """Between two frames of the video, rounded to tenths."""
        mean = self.boxes[max(0, start - self.first_frame) : max(1, end - self.first_frame)].mean(axis=0)
        left, top, right, bottom = (round(float(edge), 1) for edge in mean)
        return left, top, right, bottom


@dataclass(frozen=True)
class Matcher:
    """What every track of a file is matched with."""

    model: SyncModel
    speech: np.ndarray
    """(F,): whether somebody speaks in each frame of the video, bool."""
    counted: Counted = "speech"

    def find(self, number: int, face: SeenFace, expected: Collection[int] = ()) -> Iterator[Found]:
        """Segments of one track whose lips fit the sound, with evidence.

        ``expected``: the offsets in frames that the rest of the file has around the track. A range at one of them
        needs less evidence of its own, and one at another offset more.
        """
        table = face.table
        if table is None:
            return
        beside, distances = self._counting(table)
        lips, told = _told(distances, beside)
        rows = {MAX_SHIFT_FRAMES - offset for offset in expected}
        path = match_path(told, rows)
        # What a track is sure of counts where it is less so.
        if (longest := _longest_row(path, lips)) is not None and longest not in rows:
            path = match_path(told, {*rows, longest})
        for start, end in matched_runs(path, lips):
            first, last = int(lips[start]), int(lips[end - 1]) + 1
            score = self._score(table, first, last)
            offset = MAX_SHIFT_FRAMES - int(np.median(path[start:end]))
            odds = float(told[path[start:end], np.arange(start, end)].sum())
            level = _believed(score, offset, odds, expected)
            if score is None or level == "none":
                continue
            from_frame = table.first_lip + first if start else _reach_back(table.first_lip + first, face)
            to_frame = table.first_lip + last if end < len(lips) else _reach_on(table.first_lip + last, face)
            own = distances[:, first:last]
            segment = self._segment(number, face, (from_frame, to_frame), score, distance_unit(own, table.metric))
            broken_off = end < len(lips) and lips[end] - lips[end - 1] <= _EDGE_FRAMES
            starts, curves = window_curves(own, beside[first:last])
            window_starts = np.array(starts, int) + table.first_lip + first
            yield Found(replace(segment, evidence=level), window_starts, curves.astype(np.float32), odds, broken_off)

    def told(self, table: TrackTable) -> tuple[np.ndarray, np.ndarray]:
        """The frames of the lips that count, (n,) int, and the log odds (31, n) that each fits at each shift."""
        beside, distances = self._counting(table)
        lips, told = _told(distances, beside)
        return table.first_lip + lips, told

    def _counting(self, table: TrackTable) -> tuple[np.ndarray, np.ndarray]:
        """Whether somebody speaks at each lip, and the distances (31, W) with NaN for lips that do not count."""
        beside = speech_beside(self.speech, table.first_lip, table.distances.shape[1])
        return beside, count_lips(table.distances, beside) if self.counted == "speech" else table.distances

    def _score(self, table: TrackTable, first: int, last: int) -> SyncScore | None:
        """Of some lips by themselves."""
        own = table.distances[:, first:last]
        return score_distances(own, table.metric, self.model, self.speech, table.first_lip + first, self.counted)

    def _segment(self, number: int, face: SeenFace, frames: tuple[int, int], score: SyncScore, unit: float) -> Segment:
        start, end = frames
        evidence = score.evidence
        return Segment(
            "speech",
            start / FPS,
            end / FPS,
            int(self.speech[start:end].sum()) / FPS,
            number,
            face.mean_box(start, end),
            score.offset_frames,
            score.timing,
            round(score.confidence, 4),
            windows=evidence.windows if evidence else 0,
            agreeing=evidence.agreeing if evidence else 0,
            unit=unit,
        )


def _told(distances: np.ndarray, beside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The lips (n,) that have distances (31, W), and the log odds (31, n) that each fits at each shift."""
    lips = np.flatnonzero(np.isfinite(distances).any(axis=0))
    return lips, told_by_shift(distances, beside)[:, lips]


def _believed(score: SyncScore | None, offset: int, odds: float, expected: Collection[int]) -> Level:
    """How much evidence a range has by its own score and by what is expected of it."""
    if score is None or score.evidence is None or abs(score.offset_frames - offset) > AGREEMENT_FRAMES:
        # Where its own curve says otherwise nothing is sure.
        return "none"
    if any(abs(offset - known) <= 1 for known in expected):
        return score.evidence.level if score.evidence.level != "none" else "weak" if odds >= LENT_ODDS else "none"
    return "none" if expected and odds < SURE_ODDS else score.evidence.level


def _longest_row(path: np.ndarray, lips: np.ndarray) -> int | None:
    """The row of the longest run; None where none is so long that chance would not make it."""
    start, end = max(matched_runs(path, lips), key=lambda run: run[1] - run[0], default=(0, 0))
    return int(np.median(path[start:end])) if end - start >= SURE_FRAMES else None


def _reach_back(frame: int, face: SeenFace) -> int:
    return face.first_frame if frame - face.first_frame <= _EDGE_FRAMES else frame


def _reach_on(frame: int, face: SeenFace) -> int:
    return face.end_frame if face.end_frame - frame <= _EDGE_FRAMES else frame

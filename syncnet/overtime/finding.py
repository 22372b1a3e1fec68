"""Face tracks, their distances and the speech of a file -> its segments, before any threshold is applied."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from syncnet.conventions import FPS
from syncnet.models.protocol import SyncModel
from syncnet.overtime.along import offset_along
from syncnet.overtime.path import match_path, matched_runs
from syncnet.overtime.points import Found
from syncnet.overtime.timeline import Kind, OverTime, Segment
from syncnet.scoring.evidence import AGREEMENT_FRAMES, window_curves
from syncnet.scoring.score import Counted, count_lips, distance_unit, score_distances
from syncnet.scoring.speech import speech_beside
from syncnet.scoring.stretches import told_by_shift
from syncnet.scoring.turns import TrackTable

LEAST_FRAMES = FPS // 2
"""Shorter ranges without a match are told in the sums only."""
SURE_FRAMES = 65
"""As long as the windows are together that evidence rests on at least."""
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


def find_over_time(
    faces: Sequence[SeenFace], model: SyncModel, speech: np.ndarray, counted: Counted = "speech"
) -> OverTime:
    """The time line of a file.

    ``faces``: the video's tracks in their order. ``speech`` (F,): whether somebody speaks in each frame, bool.
    """
    found = [one for number, face in enumerate(faces) for one in _find_matches(number, face, model, speech, counted)]
    matched = np.zeros(len(speech), bool)
    for one in found:
        matched[_frame(one.segment.start_seconds) : _frame(one.segment.end_seconds)] = True
    largest = _largest_face(faces, len(speech))
    seen = largest >= 0
    rest = [
        *_ranges("no_match", speech & seen & ~matched, largest, faces),
        *_ranges("off_screen", speech & ~seen, largest, faces),
    ]
    segments = sorted([*(one.segment for one in found), *rest], key=lambda one: (one.start_seconds, one.track or 0))
    return OverTime(
        tuple(segments), _seconds(speech), _face_seconds(faces), _seconds(speech & seen), offset_along(found)
    )


def _find_matches(
    number: int, face: SeenFace, model: SyncModel, speech: np.ndarray, counted: Counted
) -> Iterator[Found]:
    """Segments of one track whose lips fit the sound, with evidence."""
    table = face.table
    if table is None:
        return
    beside = speech_beside(speech, table.first_lip, table.distances.shape[1])
    distances = count_lips(table.distances, beside) if counted == "speech" else table.distances
    lips = np.flatnonzero(np.isfinite(distances).any(axis=0))
    told = told_by_shift(distances, beside)[:, lips]
    path = match_path(told)
    # What a track is sure of counts where it is less so.
    path = match_path(told, _longest_row(path, lips))
    for start, end in matched_runs(path, lips):
        first, last = int(lips[start]), int(lips[end - 1]) + 1
        own = table.distances[:, first:last]
        score = score_distances(own, table.metric, model, speech, table.first_lip + first, counted)
        row_offset = (len(distances) // 2) - int(np.median(path[start:end]))
        if score is None or not score.evidence or not score.rests_on_evidence:
            continue
        if abs(score.offset_frames - row_offset) > AGREEMENT_FRAMES:
            # Its own curve says otherwise, so nothing is sure.
            continue
        from_frame = table.first_lip + first if start else _reach_back(table.first_lip + first, face)
        to_frame = table.first_lip + last if end < len(lips) else _reach_on(table.first_lip + last, face)
        segment = Segment(
            "speech",
            from_frame / FPS,
            to_frame / FPS,
            _seconds(speech[from_frame:to_frame]),
            number,
            face.mean_box(from_frame, to_frame),
            score.offset_frames,
            score.timing,
            round(score.confidence, 4),
            score.evidence.level,
            score.evidence.windows,
            score.evidence.agreeing,
            distance_unit(distances[:, first:last], table.metric),
        )
        broken_off = end < len(lips) and lips[end] - lips[end - 1] <= _EDGE_FRAMES
        starts, curves = window_curves(distances[:, first:last], beside[first:last])
        window_starts = np.array(starts, int) + table.first_lip + first
        yield Found(segment, window_starts, curves.astype(np.float32), broken_off)


def _longest_row(path: np.ndarray, lips: np.ndarray) -> int | None:
    """The row of the longest run; None where none is so long that chance would not make it."""
    start, end = max(matched_runs(path, lips), key=lambda run: run[1] - run[0], default=(0, 0))
    return int(np.median(path[start:end])) if end - start >= SURE_FRAMES else None


def _reach_back(frame: int, face: SeenFace) -> int:
    return face.first_frame if frame - face.first_frame <= _EDGE_FRAMES else frame


def _reach_on(frame: int, face: SeenFace) -> int:
    return face.end_frame if face.end_frame - frame <= _EDGE_FRAMES else frame


def _largest_face(faces: Sequence[SeenFace], count: int) -> np.ndarray:
    """Position of the largest face in each of ``count`` frames, int, -1 where none is seen."""
    largest, area = np.full(count, -1), np.full(count, -1.0)
    for number, face in enumerate(faces):
        inside = slice(face.first_frame, min(face.end_frame, count))
        sides = face.boxes[:, 2:] - face.boxes[:, :2]
        own = (sides[:, 0] * sides[:, 1])[: max(0, inside.stop - inside.start)]
        larger = own > area[inside]
        largest[inside][larger] = number
        area[inside][larger] = own[larger]
    return largest


def _ranges(kind: Kind, frames: np.ndarray, largest: np.ndarray, faces: Sequence[SeenFace]) -> Iterator[Segment]:
    """Ranges of such frames with pauses of up to a second in them, each of one face or of none throughout."""
    places = np.flatnonzero(frames).tolist()
    start, spoken = None, 0
    for frame, after in itertools.zip_longest(places, places[1:]):
        start, spoken = (frame if start is None else start), spoken + 1
        if after is not None and after - frame <= FPS and (largest[frame : after + 1] == largest[frame]).all():
            continue
        if frame + 1 - start >= LEAST_FRAMES:
            number = int(largest[frame])
            face = (number, faces[number].mean_box(start, frame + 1)) if number >= 0 else (None, None)
            yield Segment(kind, start / FPS, (frame + 1) / FPS, spoken / FPS, *face)
        start, spoken = None, 0


def _face_seconds(faces: Sequence[SeenFace]) -> float:
    seen = np.zeros(max((face.end_frame for face in faces), default=0), bool)
    for face in faces:
        seen[face.first_frame : face.end_frame] = True
    return _seconds(seen)


def _seconds(frames: np.ndarray) -> float:
    return int(frames.sum()) / FPS


def _frame(seconds: float) -> int:
    return round(seconds * FPS)

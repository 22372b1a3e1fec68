"""Face tracks, their distances and the speech of a file -> its segments, before any threshold is applied."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from syncnet.conventions import FPS
from syncnet.models.protocol import SyncModel
from syncnet.overtime.along import offset_along
from syncnet.overtime.matches import Matcher, SeenFace
from syncnet.overtime.placing import place_jumps
from syncnet.overtime.points import Found
from syncnet.overtime.timeline import Kind, OffsetAlong, OverTime, Segment
from syncnet.scoring.score import Counted
from syncnet.scoring.timing import MS_PER_FRAME

LEAST_FRAMES = FPS // 2
"""Shorter ranges without a match are told in the sums only."""


def find_over_time(
    faces: Sequence[SeenFace], model: SyncModel, speech: np.ndarray, counted: Counted = "speech"
) -> OverTime:
    """The time line of a file.

    ``faces``: the video's tracks in their order. ``speech`` (F,): whether somebody speaks in each frame, bool.
    """
    matcher = Matcher(model, speech, counted)
    by_face = [list(matcher.find(number, face)) for number, face in enumerate(faces)]
    along = offset_along([one for own in by_face for one in own])
    found: list[Found] = []
    for number, (face, own) in enumerate(zip(faces, by_face, strict=True)):
        # What the file is sure of counts where a track is less so, and against what only chance has made fit.
        expected = _expected(along, face)
        found += own if _as_expected(own, face, expected) else matcher.find(number, face, expected)
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
    along = place_jumps(offset_along(found), faces, matcher.told)
    return OverTime(tuple(segments), _seconds(speech), _face_seconds(faces), _seconds(speech & seen), along)


def _as_expected(found: Sequence[Found], face: SeenFace, expected: Collection[int]) -> bool:
    """Whether a track fits from its start to its end where it should."""
    if len(found) != 1:
        return False
    segment = found[0].segment
    whole = (segment.start_seconds, segment.end_seconds) == (face.first_frame / FPS, face.end_frame / FPS)
    return whole and segment.evidence == "strong" and segment.offset_frames in expected


def _expected(along: OffsetAlong, face: SeenFace) -> set[int]:
    """The offsets in frames that the file has around a track."""
    offsets: set[int] = set()
    for first_ms, last_ms in along.offsets_between(face.first_frame / FPS, face.end_frame / FPS):
        first, last = sorted((round(first_ms / MS_PER_FRAME), round(last_ms / MS_PER_FRAME)))
        offsets.update(range(first, last + 1))
    return offsets


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

"""The whole file below the picture: its shots and faces, where somebody speaks, its segments, the offset along it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.keepsake.file import Keepsake
from syncnet.looks.drawing import GREY, WHITE, Colour, text_width, write
from syncnet.overtime.judging import JudgedSegment
from syncnet.results import VideoResult

LANE_PX, LANE_STEP_PX, OFFSETS_PX = 6, 9, 30
HEIGHT_PX = 3 * LANE_STEP_PX + OFFSETS_PX + 7
"""Even, as pictures of H.264 are."""
_SMALL = 0.33
_FACE: Colour = (150, 140, 132)
_SPEECH: Colour = (196, 170, 110)
_PASSES: Colour = (80, 200, 60)
_FAILS: Colour = (60, 60, 235)
_NO_MATCH: Colour = (40, 150, 225)
_OFF_SCREEN: Colour = (110, 104, 100)
_AXIS: Colour = (110, 104, 100)

Range = tuple[float, float]
"""From when to when, in seconds."""


@dataclass(frozen=True)
class WholeFile:
    """What is drawn; all times in seconds."""

    cuts: Sequence[float] = ()
    faces: Sequence[Range] = ()
    speech: Sequence[Range] = ()
    segments: Sequence[tuple[Range, Colour]] = ()
    offsets: Sequence[tuple[float, int]] = field(default=())
    """Of windows within segments that have strong evidence: their middles, and offsets in frames."""


def whole_file(result: VideoResult, keepsake: Keepsake | None) -> WholeFile | None:
    """None where the score has no time line."""
    if result.over_time is None:
        return None
    faces = [(t.first_frame / FPS, (t.first_frame + t.frame_count) / FPS) for t in result.tracks]
    judged = result.over_time.segments
    segments = [((one.segment.start_seconds, one.segment.end_seconds), colour_of_segment(one)) for one in judged]
    if keepsake is None:
        return WholeFile(faces=faces, segments=segments)
    borders = np.flatnonzero(np.diff(keepsake.speech.astype(np.int8), prepend=0, append=0)) / FPS
    speech = [(float(start), float(end)) for start, end in borders.reshape(-1, 2)]
    cuts = [float(frame) / FPS for frame in keepsake.shot_starts[1:]]
    return WholeFile(cuts, faces, speech, segments, list(strong_offsets(judged, keepsake)))


def colour_of_segment(judged: JudgedSegment) -> Colour:
    """Green where it passes, red where its lips fit and it does not."""
    if judged.passes:
        return _PASSES
    return {"speech": _FAILS, "no_match": _NO_MATCH, "off_screen": _OFF_SCREEN}[judged.segment.kind]


def strong_offsets(judged: Sequence[JudgedSegment], keepsake: Keepsake) -> list[tuple[float, int]]:
    """Middles in seconds and offsets of the windows within segments that have strong evidence."""
    points = []
    for one in judged:
        segment = one.segment
        if segment.evidence == "strong" and segment.track is not None and segment.track < len(keepsake.tracks):
            windows = keepsake.tracks[segment.track].windows
            middles = windows[:, 0] / FPS + 0.5
            inside = (middles >= segment.start_seconds) & (middles < segment.end_seconds)
            points += [(float(at), int(offset)) for at, offset in zip(middles[inside], windows[inside, 1], strict=True)]
    return points


def draw_whole(picture: np.ndarray, whole: WholeFile, left: int, right: int, top: int, seconds: float) -> None:
    """Draws lanes and offsets from ``top`` on, between two columns that are the ends of the file."""

    def column(at: float) -> int:
        return round(left + min(max(at / seconds, 0.0), 1.0) * (right - left))

    segments = whole.segments
    lanes: list[tuple[str, list[tuple[Range, Colour]]]] = [
        ("faces", [(one, _FACE) for one in whole.faces]),
        ("speech", [(one, _SPEECH) for one in whole.speech]),
        ("segments", list(segments)),
    ]
    for number, (name, ranges) in enumerate(lanes):
        y = top + number * LANE_STEP_PX
        write(picture, name, (left - 5 - text_width(name, _SMALL), y + LANE_PX), GREY, _SMALL)
        for (start, end), colour in ranges:
            cv2.rectangle(picture, (column(start), y), (max(column(start), column(end) - 1), y + LANE_PX), colour, -1)
    for cut in whole.cuts:
        cv2.line(picture, (column(cut), top - 1), (column(cut), top + LANE_PX + 1), WHITE, 1)
    middle = top + 3 * LANE_STEP_PX + OFFSETS_PX // 2
    write(picture, "offset", (left - 5 - text_width("offset", _SMALL), middle + 3), GREY, _SMALL)
    cv2.line(picture, (left, middle), (right, middle), _AXIS, 1)
    for at, offset in whole.offsets:
        # Early above the line, late below it.
        y = middle - round(offset / MAX_SHIFT_FRAMES * OFFSETS_PX / 2)
        cv2.circle(picture, (column(at), y), 1, WHITE, cv2.FILLED)

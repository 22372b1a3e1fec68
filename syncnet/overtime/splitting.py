"""A segment that is too long -> parts, by the curves of its windows and the speech that were kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from syncnet.conventions import FPS, MAX_SHIFT_FRAMES
from syncnet.keepsake.file import Keepsake
from syncnet.overtime.timeline import Segment
from syncnet.scoring.evidence import AGREEMENT_FRAMES, FEWEST_WINDOWS, LEAST_AGREEMENT, WINDOW_LENGTH_FRAMES
from syncnet.scoring.timing import mean_curve, time_offset

Scale = Callable[[float, int], float]
"""From a raw confidence, and the number of lips that it is from, to the familiar scale."""


def split_segment(segment: Segment, most_seconds: float, keepsake: Keepsake | None, scale: Scale) -> list[Segment]:
    """The segment in parts of at most so many seconds, cut at the longest pause near the middle.

    Whole where nothing was kept of it, and where nobody spoke in sync.
    """
    if segment.seconds <= most_seconds or segment.track is None or keepsake is None:
        return [segment]
    if segment.track >= len(keepsake.tracks) or not len(keepsake.speech):
        return [segment]
    start, end = round(segment.start_seconds * FPS), round(segment.end_seconds * FPS)
    cut = _cut(keepsake.speech, start, end)
    parts = (_part(segment, first, last, keepsake, scale) for first, last in itertools.pairwise((start, cut, end)))
    return [smaller for part in parts for smaller in split_segment(part, most_seconds, keepsake, scale)]


def _cut(speech: np.ndarray, start: int, end: int) -> int:
    """The middle of the longest pause in the inner half of a range of frames; without one, the middle of the range."""
    quarter, middle = (end - start) // 4, (start + end) // 2
    first, last = start + quarter, end - quarter
    silent = np.concatenate([[False], ~speech[first:last], [False]])
    borders = np.flatnonzero(np.diff(silent)).reshape(-1, 2)
    if not len(borders):
        return middle
    lengths = borders[:, 1] - borders[:, 0]
    middles = first + borders.sum(axis=1) // 2
    longest = np.flatnonzero(lengths == lengths.max())
    return int(middles[longest[np.abs(middles[longest] - middle).argmin()]])


def _part(segment: Segment, start: int, end: int, keepsake: Keepsake, scale: Scale) -> Segment:
    """What a part comes to by the windows whose middles lie in it."""
    kept = keepsake.tracks[segment.track or 0]
    boxes = kept.boxes[max(0, start - kept.first_frame) : max(1, end - kept.first_frame)]
    left, top, right, bottom = (round(float(edge), 1) for edge in boxes.mean(axis=0))
    spoken = int(keepsake.speech[start:end].sum())
    part = replace(
        segment,
        start_seconds=start / FPS,
        end_seconds=end / FPS,
        speech_seconds=spoken / FPS,
        box=(left, top, right, bottom),
    )
    middles = kept.windows[:, 0] + WINDOW_LENGTH_FRAMES / 2
    inside = (middles >= start) & (middles < end) if len(kept.curves) else np.zeros(len(middles), bool)
    if segment.kind != "speech" or segment.offset_frames is None:
        return part
    if not inside.any():
        return replace(part, evidence="none", windows=0, agreeing=0, timing=None)
    curves = kept.curves[inside]
    curve = mean_curve(curves)
    raw = float(np.nanmedian(curve) - curve[MAX_SHIFT_FRAMES - segment.offset_frames]) / segment.unit
    agreeing = int((np.abs(kept.windows[inside, 1] - segment.offset_frames) <= AGREEMENT_FRAMES).sum())
    enough = agreeing >= LEAST_AGREEMENT * len(curves)
    level = segment.evidence if len(curves) >= FEWEST_WINDOWS else "weak"
    return replace(
        part,
        timing=time_offset(curve, curves),
        confidence=round(scale(raw, spoken), 4),
        evidence=level if enough else "none",
        windows=len(curves),
        agreeing=agreeing,
    )

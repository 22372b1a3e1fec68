"""What was found of a made file against what is known of it, for benchmarks/over_time.py."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.over_time_files import Plan, late_ms_at
from syncnet.conventions import FPS
from syncnet.overtime.judging import JudgedOverTime
from syncnet.overtime.timeline import Jump

SURE_MS, ALLOWED_MS = 2.5 * 40, 4 * 40
"""The default limit is three frames. Within the first a range has to pass, and beyond the second one it must not: the
offsets of clips are known to half a frame."""
LEAST_JUMP_MS = 118.0
NEAR_SECONDS = 1.0
SIZE_MS = 60.0
PAUSE_FRAMES = FPS
LEAST_RANGE_FRAMES = 2 * FPS


@dataclass
class Figures:
    """Sums over files."""

    true_seconds: float = 0.0
    """In sync and spoken, with pauses of up to a second."""
    found_seconds: float = 0.0
    """Of these, in passing segments."""
    passing_seconds: float = 0.0
    right_seconds: float = 0.0
    """Of the passing ones, within parts in sync."""
    missed: list[str] = field(default_factory=list)
    """What of a second and more was not found, in words."""
    ends: list[float] = field(default_factory=list)
    """By how many seconds the ends of ranges in sync are off."""
    true_jumps: int = 0
    found_jumps: int = 0
    false_jumps: int = 0
    files_without: int = 0
    """Files without any jump or drift."""
    false_files: int = 0
    """Of these, those of which one is told."""
    drifts: list[tuple[float, float]] = field(default_factory=list)
    """True and found, in milliseconds a minute; not found: NaN."""

    def add(self, plan: Plan, judged: JudgedOverTime, speech: np.ndarray) -> None:
        """One file. ``speech`` (F,): whether somebody speaks in each frame, bool."""
        late = late_ms_at(plan, np.arange(len(speech)) / FPS)
        in_sync = np.isfinite(late) & (np.abs(np.nan_to_num(late)) <= SURE_MS)
        right = np.isfinite(late) & (np.abs(np.nan_to_num(late)) <= ALLOWED_MS)
        passing = np.zeros(len(speech), bool)
        for one in judged.segments:
            if one.passes:
                passing[round(one.segment.start_seconds * FPS) : round(one.segment.end_seconds * FPS)] = True
        for start, end in _spoken_ranges(plan, in_sync, speech):
            self.true_seconds += (end - start) / FPS
            self.found_seconds += passing[start:end].sum() / FPS
            self.missed += _missed(plan, passing, start, end)
            self.ends += _end_errors(passing, start, end)
        self.passing_seconds += passing.sum() / FPS
        self.right_seconds += (passing & right).sum() / FPS
        self._add_changes(plan, judged)

    def _add_changes(self, plan: Plan, judged: JudgedOverTime) -> None:
        along = judged.over_time.along
        true_jumps = list(_true_jumps(plan))
        unmatched = list(along.jumps)
        for window, size in true_jumps:
            hit = next((jump for jump in unmatched if _is(jump, window, size)), None)
            self.found_jumps += hit is not None
            if hit:
                unmatched.remove(hit)
        self.true_jumps += len(true_jumps)
        self.false_jumps += len(unmatched)
        if plan.drift:
            rate = -60_000 * plan.drift
            self.drifts.append((rate, along.drift.ms_per_minute if along.drift else math.nan))
        elif not true_jumps:
            self.files_without += 1
            self.false_files += bool(along.jumps or along.drift)


def _spoken_ranges(plan: Plan, in_sync: np.ndarray, speech: np.ndarray) -> list[tuple[int, int]]:
    """Ranges in sync of each part, from its first spoken frame to its last, cut at pauses of more than a second."""
    ranges: list[tuple[int, int]] = []
    for first, end, _ in plan.starts():
        frames = np.arange(round(first * FPS), min(len(speech), round(end * FPS)))
        places = frames[(in_sync & speech)[frames]]
        runs = np.split(places, np.flatnonzero(np.diff(places) > PAUSE_FRAMES) + 1)
        ranges += [(int(run[0]), int(run[-1]) + 1) for run in runs if len(run)]
    return [(first, last) for first, last in ranges if last - first >= LEAST_RANGE_FRAMES]


def _missed(plan: Plan, passing: np.ndarray, start: int, end: int) -> list[str]:
    places = start + np.flatnonzero(~passing[start:end])
    runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1)
    part = next(part for first, last, part in plan.starts() if first <= start / FPS + 0.04 < last)
    name = part.clip.name if part.clip else part.kind
    return [f"{run[0] / FPS:.1f} - {run[-1] / FPS:.1f} s: {name}" for run in runs if len(run) >= FPS]


def _end_errors(passing: np.ndarray, start: int, end: int) -> list[float]:
    """How far the nearest change of ``passing`` is from each end of a range, where it was found at all."""
    if not passing[start:end].any():
        return []
    before = np.flatnonzero(np.diff(passing.astype(np.int8), prepend=0) == 1)
    behind = np.flatnonzero(np.diff(passing.astype(np.int8), append=0) == -1) + 1
    inside_start = 0.0 if start and passing[start - 1] and passing[start] else np.abs(before - start).min() / FPS
    inside_end = 0.0 if passing[min(end, len(passing) - 1)] and passing[end - 1] else np.abs(behind - end).min() / FPS
    return [float(inside_start), float(inside_end)]


def _true_jumps(plan: Plan) -> Sequence[tuple[tuple[float, float], float]]:
    """From when to when each may be told, and by how many milliseconds the sound comes earlier."""
    pieces = []
    for start, end, part in plan.starts():
        if part.kind not in ("own", "pair"):
            continue
        borders = [start, *(at for at, _ in plan.jumps if start < at < end), end]
        for first, last in itertools.pairwise(borders):
            jumped = next((ms for at, ms in reversed(plan.jumps) if first >= at), 0.0)
            pieces.append((first, last, part.late_ms + jumped))
    return [
        ((before[1], after[0]), before[2] - after[2])
        for before, after in itertools.pairwise(pieces)
        if abs(before[2] - after[2]) >= LEAST_JUMP_MS
    ]


def _is(jump: Jump, window: tuple[float, float], size_ms: float) -> bool:
    near = window[0] - NEAR_SECONDS <= jump.at_seconds <= window[1] + NEAR_SECONDS
    return near and abs(jump.after_ms - jump.before_ms - size_ms) <= SIZE_MS

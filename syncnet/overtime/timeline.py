"""What is known of a file along its time, before any threshold is applied. All times are seconds from its start."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from syncnet.scoring.timing import Timing

Kind = Literal["speech", "no_match", "off_screen"]
"""``speech``: a face whose lips agree with the sound at one offset. ``no_match``: somebody speaks and a face is seen,
but no face agrees. ``off_screen``: somebody speaks and no face is seen."""
AlongKind = Literal["none", "constant", "jumps", "drift", "mixed"]
"""``none``: no segment has strong evidence. ``mixed``: jumps and a drift."""
Level = Literal["strong", "weak", "none"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A range of the file in which somebody speaks. All but kind and times are of ``speech`` only, but for the face."""

    kind: Kind
    start_seconds: float
    end_seconds: float
    speech_seconds: float
    """Frames in which somebody speaks."""
    track: int | None = None
    """Position of the face among the video's tracks; None where no face is seen."""
    box: tuple[float, float, float, float] | None = None
    """Mean box of the face within the segment, xyxy in pixels of the original frame."""
    offset_frames: int | None = None
    """Positive: the sound comes early."""
    timing: Timing | None = None
    confidence: float | None = None
    """Of the segment's own frames, calibrated for as much speech as it has."""
    evidence: Level = "none"
    windows: int = 0
    agreeing: int = 0
    """Of the windows of a second, those within two frames of the offset."""
    unit: float = 1.0
    """What the depth of its curve was measured in (``syncnet.scoring.score.distance_unit``)."""

    @property
    def seconds(self) -> float:
        return self.end_seconds - self.start_seconds


@dataclass(frozen=True, slots=True)
class Jump:
    """A place at which the offset changes at once."""

    at_seconds: float
    """Where the lips of the old offset end to fit, or else where the new one is first seen; between two neighbouring
    segments, the middle."""
    earliest_seconds: float
    """End of the last segment of the old offset."""
    before_ms: float
    after_ms: float
    """Offsets; positive: the sound comes early."""


@dataclass(frozen=True, slots=True)
class Drift:
    """An offset that grows with time."""

    ms_per_minute: float
    """Negative: the sound falls behind."""
    interval_ms_per_minute: tuple[float, float]
    """95 %."""
    start_seconds: float
    start_ms: float
    """The offset of the fitted line at the first segment with strong evidence, and at the end of the last one."""
    end_seconds: float
    end_ms: float
    ratio: str = ""
    """The known ratio of two rates that it has, such as ``1000/1001``; empty where it has none."""


@dataclass(frozen=True, slots=True)
class OffsetAlong:
    """How the offset goes along the file, by the segments with strong evidence of all tracks."""

    kind: AlongKind
    offset_ms: float | None = None
    """Where it is constant."""
    jumps: tuple[Jump, ...] = ()
    drift: Drift | None = None

    def offsets_between(self, start_seconds: float, end_seconds: float) -> Iterator[tuple[float, float]]:
        """Offsets in milliseconds at the start and at the end of a range: two for each level that may hold in it."""
        if self.kind == "none":
            return
        slope = self.drift.ms_per_minute / 60 if self.drift else 0.0
        if self.jumps:
            first, last = self.jumps[0], self.jumps[-1]
            levels = [(-math.inf, first.at_seconds, first.earliest_seconds, first.before_ms)]
            levels += [(a.earliest_seconds, b.at_seconds, a.at_seconds, a.after_ms) for a, b in pairwise(self.jumps)]
            levels += [(last.earliest_seconds, math.inf, last.at_seconds, last.after_ms)]
        elif self.drift:
            levels = [(-math.inf, math.inf, self.drift.start_seconds, self.drift.start_ms)]
        else:
            levels = [(-math.inf, math.inf, 0.0, self.offset_ms or 0.0)]
        for begins, ends, at_seconds, offset_ms in levels:
            start, end = max(begins, start_seconds), min(ends, end_seconds)
            if start < end:
                yield offset_ms + slope * (start - at_seconds), offset_ms + slope * (end - at_seconds)


@dataclass(frozen=True, slots=True)
class OverTime:
    """One file."""

    segments: tuple[Segment, ...]
    """In order of time, of any length."""
    speech_seconds: float
    """In which somebody speaks, with or without a face."""
    face_seconds: float
    """In which at least one face track is seen."""
    seen_speech_seconds: float
    """In which somebody speaks and a face is seen."""
    along: OffsetAlong

    @property
    def off_screen_seconds(self) -> float:
        """In which somebody speaks and no face is seen."""
        return self.speech_seconds - self.seen_speech_seconds

"""What people said of one file: of the whole of it, and of ranges."""

from __future__ import annotations

from dataclasses import dataclass

from syncnet.overtime.timeline import Segment
from syncnet.verdict import Decision

SLACK_SECONDS = 0.02
"""Files and pages tell times to a hundredth."""


@dataclass(frozen=True, slots=True)
class DecidedRange:
    """What a person said of the segments between two times."""

    start_seconds: float
    end_seconds: float
    decision: Decision
    track: int | None = None
    """Of this face alone; None for whichever."""

    def holds(self, segment: Segment) -> bool:
        """Whether the segment lies within it. That of a part of one that was decided as a whole does."""
        within = self.start_seconds - SLACK_SECONDS <= segment.start_seconds
        within = within and segment.end_seconds <= self.end_seconds + SLACK_SECONDS
        return within and self.track in (None, segment.track)


@dataclass(frozen=True, slots=True)
class Decided:
    """All that people said of one file."""

    video: Decision | None = None
    ranges: tuple[DecidedRange, ...] = ()

    def of_segment(self, segment: Segment) -> Decision | None:
        """The shortest range that holds it counts. Nothing of a rejected video passes."""
        if self.video and not self.video.accepted:
            return self.video
        holding = (one for one in self.ranges if one.holds(segment))
        shortest = min(holding, key=lambda one: one.end_seconds - one.start_seconds, default=None)
        return shortest.decision if shortest else None

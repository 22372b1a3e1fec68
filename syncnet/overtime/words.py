"""Times, offsets and changes along a file in the words of people who edit it."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from syncnet.overtime.timeline import Drift, OffsetAlong
from syncnet.scoring.timing import MS_PER_FRAME
from syncnet.verdict import describe_offset

Allowed = Callable[[int], bool]
"""Whether an offset in frames is within the thresholds."""


def clock(seconds: float) -> str:
    """``1:30``, ``1:02:05``."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


def describe_ms(offset_ms: float) -> str:
    """``sound 240 ms late``, or ``in sync``, to the frame of 40 ms."""
    return describe_offset(_frames(offset_ms))


def changes_of(along: OffsetAlong) -> list[tuple[tuple[int, ...], str]]:
    """Sentences on the changes along a file, each with the offsets in frames that have to be within the limits."""
    changes: list[tuple[tuple[int, ...], str]] = []
    jumps = along.jumps
    if along.drift:
        changes.append(((_frames(along.drift.start_ms), _frames(along.drift.end_ms)), describe_drift(along.drift)))
    if along.drift and jumps:
        offsets = tuple(_frames(ms) for jump in jumps for ms in (jump.before_ms, jump.after_ms))
        changes.append((offsets, f"the sound jumps at {', '.join(clock(jump.at_seconds) for jump in jumps)}"))
    elif jumps:
        changes += [((_frames(ms),), f"{describe_ms(ms)} {when}") for ms, when in _levels(along)]
    return changes


def describe_changes(along: OffsetAlong, allowed: Allowed) -> list[str]:
    """What of the changes along a file is beyond the limits: ``sound 240 ms late from 1:30 on``; empty where none is.

    ``allowed`` tells which offsets are within.
    """
    return [words for offsets, words in changes_of(along) if not all(map(allowed, offsets))]


def describe_drift(drift: Drift) -> str:
    """``sound drifts: 40 ms late at 0:05, 360 ms late at 2:58 (119 ms a minute, 0.20 % too slow)``."""
    start, end = (describe_ms(ms).removeprefix("sound ") for ms in (drift.start_ms, drift.end_ms))
    rate = abs(drift.ms_per_minute)
    pace = "slow" if drift.ms_per_minute < 0 else "fast"
    ratio = f", {drift.ratio}" if drift.ratio else ""
    return (
        f"sound drifts: {start} at {clock(drift.start_seconds)}, {end} at {clock(drift.end_seconds)} "
        f"({rate:.0f} ms a minute, {rate / 600:.2f} % too {pace}{ratio})"
    )


def describe_along(along: OffsetAlong) -> str:
    """The same whatever the limits are: for people who look at the file. Empty where nothing is known."""
    if along.drift or along.jumps:
        return ", ".join(words for _, words in changes_of(along))
    return "" if along.offset_ms is None else describe_ms(along.offset_ms)


def describe_share(in_sync_seconds: float, duration_seconds: float) -> str:
    """``in sync for 11 of 73 s``."""
    if duration_seconds < 10:
        return f"in sync for {in_sync_seconds:.1f} of {duration_seconds:.1f} s"
    return f"in sync for {in_sync_seconds:.0f} of {duration_seconds:.0f} s"


def _levels(along: OffsetAlong) -> list[tuple[float, str]]:
    """Each offset between jumps, and when it holds."""
    jumps = along.jumps
    first = (jumps[0].before_ms, f"until {clock(jumps[0].earliest_seconds)}")
    last = (jumps[-1].after_ms, f"from {clock(jumps[-1].at_seconds)} on")
    inner = [
        (jump.after_ms, f"from {clock(jump.at_seconds)} to {clock(after.earliest_seconds)}")
        for jump, after in itertools.pairwise(jumps)
    ]
    return [first, *inner, last]


def _frames(offset_ms: float) -> int:
    return round(offset_ms / MS_PER_FRAME)

"""Which frames FFmpeg's command line writes, and when, where the frame rate changes: its habits, not a better way.

Source: ``video_sync_process`` in FFmpeg's fftools, the same from 3.x to 8.x.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

Item = TypeVar("Item")

PacedItem = tuple[float, float, Item]
"""Time and duration, in frames of the output's rate, and the item."""


def pace_variable(timed: Iterable[PacedItem[Item]]) -> Iterator[tuple[int, Item]]:
    """The frames that go into an AVI file, each with its number there; numbers may be left out.

    A frame that comes 0.6 frames or more too late for its number is dropped, and one that comes ahead moves the count.
    """
    upcoming = 0
    for time, duration, item in timed:
        start, end = _clipped(time, duration, upcoming)
        if end - upcoming <= -0.6:
            continue
        if end - upcoming > 0.6:
            upcoming = round(start)
        yield upcoming, item
        upcoming += 1


def pace_constant(timed: Iterable[PacedItem[Item]]) -> Iterator[Item]:
    """The frames that become numbered pictures, one for each number: neighbours stand in for a missing one."""
    pace: _ConstantPace[Item] = _ConstantPace()
    for time, duration, item in timed:
        yield from pace.show(time, duration, item)
    yield from pace.finish()


class _ConstantPace(Generic[Item]):
    def __init__(self) -> None:
        self._upcoming = 0
        self._last: Item | None = None
        self._repeats = [0, 0, 0]
        """How often the frame before stood in, of the last three frames."""

    def show(self, time: float, duration: float, item: Item) -> Iterator[Item]:
        start, end = _clipped(time, duration, self._upcoming)
        ahead, reach = start - self._upcoming, end - self._upcoming
        count, repeats = 1, 0
        if reach < -1.1:
            count = 0
        elif reach > 1.1:
            count = round(reach)
            repeats = min(round(ahead - 0.6), count) if ahead > 1.1 else 0
        self._repeats = [repeats, *self._repeats[:2]]
        for number in range(count):
            yield self._last if number < repeats and self._last is not None else item
        self._upcoming += count
        self._last = item

    def finish(self) -> Iterator[Item]:
        """After the last frame, as many repetitions as were usual lately."""
        for _ in range(sorted(self._repeats)[1]):
            if self._last is not None:
                yield self._last


def _clipped(time: float, duration: float, upcoming: int) -> tuple[float, float]:
    """Start and end of a frame; one that has begun already begins now."""
    end = time + duration
    return (float(upcoming), end) if time < upcoming < end else (time, end)

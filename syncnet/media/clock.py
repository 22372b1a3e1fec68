"""Time: straightening a file's time stamps, and choosing the frame for each tick of the 25 fps clock."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, TypeVar, cast

import numpy as np

from syncnet.conventions import FPS, SAMPLE_RATE

if TYPE_CHECKING:
    from av.packet import Packet
    from av.stream import Stream

Item = TypeVar("Item")

MAX_STEP_BACK_SECONDS = 1
MAX_SUDDEN_STEP_SECONDS = 10
"""Where a longer one is suspect, it is not believed."""
MAX_STEP_SECONDS = 600
"""A still picture, or a silence, of ten minutes is believed; a longer one is a broken time stamp, and would fill the
memory."""


class ContinuousStamps:
    """Closes jumps of a file's clock: joined transport streams start again at zero, a DVD's do at each cell.

    The correction is found on the decoding times of any stream and applied to all, which keeps picture and sound
    together (FFmpeg's command line does likewise: ts_discontinuity_process in ffmpeg_demux.c).
    """

    def __init__(self, may_restart: bool, stated_end: Fraction | None = None, *, may_step_back: bool = False) -> None:
        """``may_restart``: the format is one whose clock may jump ahead, so that a long step is no gap.

        ``may_step_back``: decoding times go back where an edit list has pictures decoded that are not shown, or shown
        again. That is no restart.

        ``stated_end``: when the file ends by its own word, in seconds of its clock, where it has one. A long step that
        leads far beyond it is no gap either, but a broken stamp.
        """
        self._max_step = MAX_SUDDEN_STEP_SECONDS if may_restart else MAX_STEP_SECONDS
        self._latest = None if stated_end is None else stated_end + MAX_SUDDEN_STEP_SECONDS
        self._may_step_back = may_step_back
        self._correction = Fraction(0)
        self._streams: dict[int, _StreamClock] = {}

    def straighten(self, packet: Packet[Stream]) -> None:
        """Correct the packet's stamps in place. Packets must come in file order."""
        if packet.dts is not None:
            stream = self._streams.get(packet.stream_index)
            if stream is None:
                stream = self._streams[packet.stream_index] = _StreamClock(packet, self._correction)
            if not stream.goes_on(packet.dts, self._correction):
                self._close_jump(stream, packet.dts)
            stream.expected_ticks, stream.correction = packet.dts + (packet.duration or 0), self._correction
        if self._correction:
            ticks = round(self._correction / packet.time_base)
            packet.dts = None if packet.dts is None else packet.dts + ticks
            packet.pts = None if packet.pts is None else packet.pts + ticks

    def _close_jump(self, stream: _StreamClock, ticks: int) -> None:
        time = ticks * stream.unit + self._correction
        expected = stream.expected_ticks * stream.unit + stream.correction
        step = time - expected
        too_long = step > self._max_step or (
            self._latest is not None and step > MAX_SUDDEN_STEP_SECONDS and time > self._latest
        )
        if too_long or (step < -MAX_STEP_BACK_SECONDS and not self._may_step_back):
            self._correction += expected - time


class _StreamClock:
    """Where a stream is expected to go on. In whole ticks: there are a hundred packets in a second."""

    def __init__(self, packet: Packet[Stream], correction: Fraction) -> None:
        self.unit = Fraction(packet.time_base)
        self.expected_ticks = cast("int", packet.dts)
        """As the file has it."""
        self.correction = correction
        """Of the file's clock, when this was expected."""
        self._farthest_back = math.ceil(-MAX_STEP_BACK_SECONDS / self.unit)
        self._farthest_on = math.floor(MAX_SUDDEN_STEP_SECONDS / self.unit)

    def goes_on(self, ticks: int, correction: Fraction) -> bool:
        """Whether it is plain that there is no jump."""
        return correction is self.correction and (
            self._farthest_back <= ticks - self.expected_ticks <= self._farthest_on
        )


Timed = tuple[Fraction | None, Fraction, Item]
"""Time in seconds, or None for "right after the one before"; how long it is shown; the item itself."""


MAX_PHASE_SECONDS = Fraction(1, 2 * FPS)
LEAST_PHASE_SECONDS = 0.002
"""Less is left alone: what the choice of the nearest leaves at the usual rates, and rounded stamps."""
CHANCE_ERRORS = 3
"""At a variable rate the mean is not zero either; what is within so many standard errors is chance."""
MOST_STEP_OF_MOTION_SECONDS = 0.1
"""A picture that lies further from its tick stands still, and says nothing about the clock."""


def grid_phase(times: np.ndarray) -> Fraction:
    """How much after the first item the ticks should begin, in seconds, for the items not to lie to one side of them.

    ``times``: (N,) rising seconds since the first item. Zero at the usual rates. At 12.5 a second every second tick
    would lie amid two items, and always take the earlier one; a first item out of step with all others would put every
    tick between two.
    """
    phase, (at_first, error) = 0.0, _mean_lead(times, 0.0)
    lead = at_first
    for _ in range(3):
        if abs(lead) < max(LEAST_PHASE_SECONDS, CHANCE_ERRORS * error):
            break
        phase = min(max(phase + lead, -float(MAX_PHASE_SECONDS)), float(MAX_PHASE_SECONDS))
        lead, error = _mean_lead(times, phase)
    return Fraction(round(phase * SAMPLE_RATE), SAMPLE_RATE) if abs(lead) < abs(at_first) else Fraction(0)


def _mean_lead(times: np.ndarray, phase: float) -> tuple[float, float]:
    """Mean seconds by which the nearest items come after their ticks, and its standard error."""
    if len(times) < 2:
        return 0.0, 0.0
    ticks = np.arange(int(times[-1] * FPS) + 1) / FPS + phase
    after = np.searchsorted(times, ticks).clip(1, len(times) - 1)
    # Of two that are equally near the earlier one, also where rounding says otherwise.
    nearest = np.where(ticks - times[after - 1] <= times[after] - ticks + 1e-6, after - 1, after)
    leads = times[nearest] - ticks
    leads = leads[np.abs(leads) < MOST_STEP_OF_MOTION_SECONDS]
    return (float(leads.mean()), float(leads.std()) / len(leads) ** 0.5) if len(leads) else (0.0, 0.0)


def nearest_items(timed: Iterable[Timed[Item]], phase: Fraction = Fraction(0)) -> Iterator[Item]:
    """For each tick n / 25 s the item whose time is nearest; the earlier one where two are equally near.

    The clock starts at the first item, or ``phase`` seconds after it. The last tick is the last one of which at least
    half lies before the end of the last item, so a video of 2.00 s has 50 ticks whatever its frame rate. At most three
    items are held.
    """
    held: Item | None = None
    held_time = shown_for = Fraction(0)
    tick, twice_due, two_ticks = 0, 2 * phase, Fraction(2, FPS)
    for time, duration, item in forward_only(timed):
        if held is not None:
            twice_middle = held_time + time
            while twice_due <= twice_middle:
                yield held
                tick, twice_due = tick + 1, twice_due + two_ticks
        held, held_time, shown_for = item, time, duration
    if held is None:
        return
    end = held_time + min(shown_for, Fraction(MAX_STEP_SECONDS)) - phase
    for _ in range(tick, max(int(end * FPS + Fraction(1, 2)), 1)):
        yield held


def forward_only(timed: Iterable[Timed[Item]]) -> Iterator[tuple[Fraction, Fraction, Item]]:
    """The items with times that start at zero and only rise: what breaks the order is left out.

    An item is passed on when the next has come, since one whose time is too high shows only by its follower.
    """
    start = Fraction(0)
    passed: Fraction | None = None
    last: tuple[Fraction, Fraction, Item] | None = None
    for stamp, duration, item in timed:
        if last is None:
            start = stamp or Fraction(0)
            last = Fraction(0), duration, item
            continue
        time = last[0] + last[1] if stamp is None else stamp - start
        step = time - last[0]
        if step > MAX_STEP_SECONDS:
            continue
        if step > 0:
            yield last
            passed = last[0]
        elif passed is None or time <= passed:
            continue
        last = time, duration, item
    if last is not None:
        yield last

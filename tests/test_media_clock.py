"""Ticks and time stamps, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pytest

from syncnet.media.clock import ContinuousStamps, nearest_items

MS = Fraction(1, 1000)


def pick(times_ms: Sequence[int | None], last_shown_for_ms: int = 40) -> list[int]:
    """Index of the item that ``nearest_items`` gives for each tick."""
    timed = [(None if time is None else time * MS, last_shown_for_ms * MS, k) for k, time in enumerate(times_ms)]
    return list(nearest_items(timed))


def test_25_frames_a_second_come_one_for_one() -> None:
    assert pick([0, 40, 80, 120]) == [0, 1, 2, 3]


def test_the_clock_starts_at_the_first_item() -> None:
    assert pick([1400, 1440, 1480]) == [0, 1, 2]


def test_slower_sources_repeat_and_faster_ones_skip() -> None:
    # 10 a second; 40 ms is nearer to 0, 80 to 100, 120 to 100, 160 to 200; the last lasts until 300 ms.
    assert pick([0, 100, 200], last_shown_for_ms=100) == [0, 0, 1, 1, 2, 2, 2, 2]
    # 100 a second: each tick falls on every fourth.
    assert pick(range(0, 120, 10), last_shown_for_ms=10) == [0, 4, 8]


def test_of_two_equally_near_the_earlier_one_is_taken() -> None:
    # The tick at 40 ms lies amid 0 and 80.
    assert pick([0, 80], last_shown_for_ms=40) == [0, 0, 1]


@pytest.mark.parametrize(("shown_for_ms", "ticks"), [(1, 1), (59, 1), (60, 2), (99, 2), (100, 3)])
def test_a_tick_counts_where_half_of_it_is_shown(shown_for_ms: int, ticks: int) -> None:
    assert pick([0], last_shown_for_ms=shown_for_ms) == [0] * ticks


def test_nothing_gives_nothing() -> None:
    assert pick([]) == []


def test_an_item_without_a_time_follows_the_one_before() -> None:
    assert pick([None, None, None]) == [0, 1, 2]
    assert pick([200, None, 280]) == [0, 1, 2]


def test_a_single_stamp_too_high_costs_its_item_only() -> None:
    # Item 2 claims 5 s; item 3, at 120 ms, shows that it is wrong.
    assert pick([0, 40, 5000, 120, 160]) == [0, 1, 1, 3, 4]


def test_stamps_that_run_back_are_left_out() -> None:
    assert pick([0, 40, 80, 20, 120]) == [0, 1, 2, 4]


def test_a_step_of_hours_is_not_believed() -> None:
    assert pick([0, 40, 36_000_000, 80]) == [0, 1, 3]
    assert len(pick([0], last_shown_for_ms=36_000_000)) == 600 * 25


@dataclass
class FakePacket:
    """What ``ContinuousStamps`` looks at. Times are in milliseconds."""

    dts: int | None
    pts: int | None
    stream_index: int = 0
    duration: int = 40
    time_base: Fraction = MS


def straighten(stamps: ContinuousStamps, *packets: FakePacket) -> list[tuple[int | None, int | None]]:
    for packet in packets:
        stamps.straighten(packet)  # type: ignore[arg-type]
    return [(packet.dts, packet.pts) for packet in packets]


def test_a_clock_that_starts_again_is_carried_on_for_all_streams() -> None:
    stamps = ContinuousStamps(may_restart=True)
    assert straighten(
        stamps,
        FakePacket(5000, 5080),
        FakePacket(5040, 5040),
        # The restart shows in stream 0: it should have come at 5080, and comes at 1000.
        FakePacket(1000, 1080),
        # Stream 1 is corrected by as much, though nothing of it came before.
        FakePacket(990, 990, stream_index=1),
        FakePacket(1040, None),
        FakePacket(None, 1080),
    ) == [(5000, 5080), (5040, 5040), (5080, 5160), (5070, 5070), (5120, None), (None, 5160)]


@pytest.mark.parametrize(("may_restart", "expected_ms"), [(True, 40), (False, 20_000)])
def test_a_step_ahead_is_a_restart_only_where_clocks_restart(may_restart: bool, expected_ms: int) -> None:
    stamps = ContinuousStamps(may_restart)
    packets = straighten(stamps, FakePacket(0, 0), FakePacket(20_000, 20_000))
    assert packets[1] == (expected_ms, expected_ms)


@pytest.mark.parametrize(
    ("dts", "expected_ms"),
    [
        # A picture that stands for 24 s, in a file that says that it lasts 25.
        (24_000, 24_000),
        # Within ten seconds of the end that is stated, or of the packet before: a careless length, a gap.
        (34_000, 34_000),
        (10_040, 10_040),
        (36_000, 40),
        (590_000, 40),
    ],
)
def test_a_long_step_beyond_the_stated_end_is_a_broken_stamp(dts: int, expected_ms: int) -> None:
    stamps = ContinuousStamps(may_restart=False, stated_end=Fraction(25))
    assert straighten(stamps, FakePacket(0, 0), FakePacket(dts, dts))[1] == (expected_ms, expected_ms)


def test_what_follows_a_broken_stamp_stands_where_it_stood() -> None:
    stamps = ContinuousStamps(may_restart=False, stated_end=Fraction(25))
    packets = [FakePacket(0, 0), FakePacket(500_000, 500_000), FakePacket(80, 80), FakePacket(80, 80, stream_index=1)]
    assert straighten(stamps, *packets) == [(0, 0), (40, 40), (80, 80), (80, 80)]


def test_short_steps_may_lead_beyond_the_stated_end() -> None:
    # A recorder that was killed before it wrote the length anew.
    stamps = ContinuousStamps(may_restart=False, stated_end=Fraction(1))
    packets = straighten(stamps, *(FakePacket(9_000 * n, 9_000 * n) for n in range(5)))
    assert packets[-1] == (36_000, 36_000)


@pytest.mark.parametrize("dts", [900, 1000, 4000])
def test_small_steps_stay_as_they_are(dts: int) -> None:
    # Back by less than a second: frames out of order. Ahead by a few: a gap.
    stamps = ContinuousStamps(may_restart=True)
    assert straighten(stamps, FakePacket(1000, 1000), FakePacket(dts, dts))[1] == (dts, dts)

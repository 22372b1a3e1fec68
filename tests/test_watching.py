"""Beside the pictures of a long pass: stops are heard, and freed memory goes back."""

from __future__ import annotations

import pytest

from syncnet.system.interruption import Interrupted, StopFlag
from syncnet.system.memory import FreedMemory
from syncnet.system.watching import watched


def test_freed_memory_goes_back_every_250_items(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    given: list[int] = []
    memory = FreedMemory(lambda: given.append(len(seen)), every_seconds=0)
    monkeypatch.setattr("syncnet.system.watching.FREED_BY_PROCESS", memory)
    seen.extend(watched(range(600), StopFlag()))
    assert seen == list(range(600))
    assert len(given) == 2


def test_a_stop_is_heard_at_the_next_item() -> None:
    stop = StopFlag()
    items = watched(range(3), stop)
    assert next(items) == 0
    stop.stop()
    with pytest.raises(Interrupted):
        next(items)

"""Work that may never come back, such as a read from a stalled disk: it is waited for only as long as it may take."""

from __future__ import annotations

import math
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from syncnet.errors import TimeLimitError
from syncnet.system.interruption import LOOK_SECONDS, StopFlag

T = TypeVar("T")


class _Progress(StopFlag):
    """Handed to the work: knows when it was last looked at."""

    def __init__(self, stop: StopFlag) -> None:
        super().__init__()
        self._outer = stop
        self.seen = time.monotonic()

    def check(self) -> None:
        self.look()
        self._outer.check()

    def look(self) -> None:
        self.seen = time.monotonic()
        super().look()

    def enter(self, stage: str, frames_expected: int = 0) -> None:
        self._outer.enter(stage, frames_expected)


class _Companion:
    """A thread that works for another one, task by task: libraries keep connections for each thread."""

    def __init__(self) -> None:
        self._tasks: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=_serve, args=(self._tasks,), daemon=True, name="companion").start()

    def take(self, task: Callable[[], None]) -> None:
        self._tasks.put(task)

    def __del__(self) -> None:
        # Also of one that is left behind: it ends when it comes back.
        self._tasks.put(None)


def _serve(tasks: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while task := tasks.get():
        task()


_own = threading.local()


def run_within(stop: StopFlag, work: Callable[[StopFlag], T], *, idle_seconds: float = math.inf) -> T:
    """What the work comes to. It runs in another thread, which is left behind once ``stop`` says so.

    ``idle_seconds``: the longest time between two looks of the work at the flag that it is given. Raises what the work
    raises, what ``stop`` raises, and TimeLimitError for work that stands still.
    """
    progress = _Progress(stop)
    outcome: queue.SimpleQueue[tuple[bool, Any]] = queue.SimpleQueue()

    def run() -> None:
        try:
            outcome.put((True, work(progress)))
        except BaseException as error:  # noqa: BLE001 (raised again by who waits for it)
            outcome.put((False, error))

    companion: _Companion = getattr(_own, "companion", None) or _Companion()
    # Taken again by nobody unless it comes back.
    _own.companion = None
    companion.take(run)
    while True:
        try:
            done, value = outcome.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            try:
                stop.look()
                if time.monotonic() - progress.seen > idle_seconds:
                    raise _stands_still(idle_seconds)
            except BaseException:
                progress.stop()
                raise
        else:
            _own.companion = companion
            if done:
                return value  # type: ignore[no-any-return]
            raise value


def _stands_still(seconds: float) -> TimeLimitError:
    error = TimeLimitError(
        f"nothing could be read or written for {seconds:g} s", cure="check its disk and the network, then run again"
    )
    # It is not the fault of the video.
    error.__cause__ = TimeoutError()
    return error

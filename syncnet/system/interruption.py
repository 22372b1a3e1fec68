"""SIGINT and SIGTERM as a flag that the work under way looks at, so that nothing is left half done."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from syncnet.errors import TimeLimitError

EXIT_SOME_FAILED = 1
"""Of a run that came to its end: something of it could not be done."""
EXIT_INTERRUPTED = 130
"""By SIGINT; another signal gives 128 and its number, so that SIGTERM is 143."""
LOOK_SECONDS = 0.2
"""Whoever waits for something else looks so often whether the run is being stopped."""


class Interrupted(Exception):  # noqa: N818 (a stop is no error)
    """The run is being stopped: the video under way is abandoned. It is neither scored nor failed."""


class StopFlag:
    """Set once, read from every thread.

    A plain attribute and not a ``threading.Event``: the event's lock could be held by the very code that the
    signal handler interrupts.
    """

    def __init__(self) -> None:
        self._stopped = False
        self.exit_code = EXIT_INTERRUPTED
        """For the process, once it is stopped."""

    @property
    def stopped(self) -> bool:
        return self._stopped

    def stop(self, exit_code: int = EXIT_INTERRUPTED) -> None:
        self.exit_code = exit_code
        self._stopped = True

    def check(self) -> None:
        """Raises Interrupted once the flag is set."""
        self.look()

    def look(self) -> None:
        """As ``check``, amid what makes no frame: a packet of sound, a piece of a file."""
        self.check_stopped()

    def check_stopped(self) -> None:
        """As ``check``, amid what belongs to no video: no limit of time holds, only the flag."""
        if self.stopped:
            raise Interrupted

    def enter(self, stage: str, frames_expected: int = 0) -> None:
        """A stage begins; each check from here on is a frame of it. For whoever shows how far the work is."""

    def follow(self, stage: str, frames_done: int, frames_expected: int) -> None:
        """Another process is so far with it."""


class Deadline(StopFlag):
    """Another flag, with a limit of time for what is under way."""

    def __init__(self, flag: StopFlag, limit_seconds: float) -> None:
        super().__init__()
        self._flag = flag
        self._limit_seconds = limit_seconds
        self.stage = ""
        self.frames_done = self.frames_expected = 0
        self.restart()

    def restart(self) -> None:
        """Begins to count anew."""
        self._ends = time.monotonic() + self._limit_seconds

    @property
    def stopped(self) -> bool:
        return self._flag.stopped

    def check(self) -> None:
        """Raises Interrupted once the flag is set, and TimeLimitError once the time is over."""
        self.look()
        self.frames_done += 1

    def look(self) -> None:
        self._flag.look()
        if time.monotonic() > self._ends:
            raise TimeLimitError(
                f"it took longer than {self._limit_seconds:g} s", cure="give a longer --timeout with --retry_failed"
            )

    def enter(self, stage: str, frames_expected: int = 0) -> None:
        self.follow(stage, 0, frames_expected)

    def follow(self, stage: str, frames_done: int, frames_expected: int) -> None:
        self.stage, self.frames_done, self.frames_expected = stage, frames_done, frames_expected


@contextmanager
def end_on_sigterm() -> Iterator[None]:
    """SIGTERM ends the process by SystemExit(143), as Python does of itself with SIGINT by KeyboardInterrupt.

    For the time in which there is nothing to stop yet, while libraries and models load. Where the parent chose to
    ignore the signal, it stays ignored. Main thread only.
    """

    def on_signal(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    previous = signal.getsignal(signal.SIGTERM)
    if previous != signal.SIG_IGN:
        signal.signal(signal.SIGTERM, on_signal)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def ignore_signals() -> None:
    """For a process whose work is done and whose exit code stands: leaving takes a while when torch is loaded."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def stop_on_signals() -> Iterator[StopFlag]:
    """A flag that the first SIGINT or SIGTERM sets; the second one ends the process at once.

    A signal that the parent chose to ignore (a shell's background job) stays ignored. Main thread only.
    """
    flag = StopFlag()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if flag.stopped:
            os._exit(128 + number)
        flag.stop(128 + number)

    signals = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) != signal.SIG_IGN]
    previous = {number: signal.signal(number, on_signal) for number in signals}
    try:
        yield flag
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)

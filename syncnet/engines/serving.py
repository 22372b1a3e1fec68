"""The side of a child process that scores: hears paths, answers with scores, and ends with its parent."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol

from syncnet.engines.failures import explain
from syncnet.results import VideoScore
from syncnet.system.interruption import LOOK_SECONDS, StopFlag


class Score(Protocol):
    """What scores a video; ``sound_file`` takes the place of its own sound."""

    def __call__(self, path: Path, stop: StopFlag, sound_file: Path | None = None, /) -> VideoScore: ...


LOADING = 0
"""The number that stands for the loading of the models; those of the videos come after it."""
HANDLED = (signal.SIGINT, signal.SIGTERM)
"""Signals that are for the parent."""
_MOST_THREADS = 1000
"""More than are ever asked for at once, with those that hang; threads are only made as they are needed."""


class _Told(StopFlag):
    """Tells the parent every now and then how far the work is."""

    def __init__(self, tell: Callable[[str, int, int], None]) -> None:
        super().__init__()
        self._tell = tell
        self._stage, self._done, self._expected = "", 0, 0
        self._told_at = 0.0

    def check(self) -> None:
        super().check()
        self._done += 1
        if (now := time.monotonic()) > self._told_at + LOOK_SECONDS:
            self._told_at = now
            self._tell(self._stage, self._done, self._expected)

    def enter(self, stage: str, frames_expected: int = 0) -> None:
        self._stage, self._done, self._expected = stage, 0, frames_expected
        self._tell(stage, 0, frames_expected)


def serve(connection: Connection, load: Callable[[], Score]) -> None:
    """Never returns, but where the models cannot be loaded."""
    # A signal to the whole group is for the parent, which then says what becomes of its children.
    for number in HANDLED:
        signal.signal(number, signal.SIG_IGN)
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HANDLED)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    turn = threading.Lock()

    def send(*answer: Any) -> None:
        with turn, contextlib.suppress(OSError):
            connection.send(answer)

    try:
        score = load()
    except Exception as error:
        send(LOADING, "failed", *explain(error))
        return
    send(LOADING, "ready", None)
    flags: dict[int, StopFlag] = {}

    def answer(number: int, path: Path, sound_file: Path | None) -> None:
        try:
            send(number, "score", score(path, flags[number], sound_file))
        except Exception as error:
            send(number, "failed", *explain(error))
        finally:
            del flags[number]

    threads = ThreadPoolExecutor(_MOST_THREADS, thread_name_prefix="video")
    with contextlib.suppress(EOFError, OSError):
        while True:
            number, path, sound_file = connection.recv()
            if path is None:
                if flag := flags.get(number):
                    flag.stop()
                continue
            flags[number] = _Told(partial(send, number, "at"))
            threads.submit(answer, number, path, sound_file)
    os._exit(0)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

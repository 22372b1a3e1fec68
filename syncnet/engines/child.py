"""A child process that scores, several videos at once if it is asked to, and what is heard of it from here."""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import queue
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from syncnet.engines.failures import ExplainedError
from syncnet.engines.serving import HANDLED, LOADING, Score, serve
from syncnet.errors import TimeLimitError
from syncnet.results import VideoScore
from syncnet.system.interruption import LOOK_SECONDS, Deadline, StopFlag

_Answers: TypeAlias = "queue.SimpleQueue[tuple[Any, ...]]"


class ChildDiedError(Exception):
    """The process is gone with all that was under way in it."""


class Child:
    """Scores as ``load()`` would in this process. Threads may share it: each waits for its own answer."""

    def __init__(self, load: Callable[[], Score], *, shared: bool = False) -> None:
        """``load`` is called in the child, so it must be something that pickle knows by its name. ``shared``: other
        videos are scored there, so that one that takes too long is waited for until it gives up. Raises OSError."""
        # A fork would copy the locks of libraries whose threads it does not copy.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=serve, args=(theirs, load), daemon=True)
        with _held_back():
            self._process.start()
        theirs.close()
        self._numbers = itertools.count(LOADING + 1)
        self._answers: dict[int, _Answers] = {LOADING: queue.SimpleQueue()}
        self._turn = threading.Lock()
        self._loading = threading.Lock()
        self._shared = shared
        self._ready = self._dead = False
        self.ended = False
        """Whether it was this process that ended it."""
        self._listener = threading.Thread(target=self._listen, daemon=True, name="child")
        self._listener.start()

    @property
    def alive(self) -> bool:
        return not self._dead and self._process.is_alive()

    def wait_ready(self, check: Callable[[], None]) -> None:
        """Returns when the models are loaded. Raises ExplainedError, ChildDiedError, and what ``check`` raises."""
        while not self._loading.acquire(timeout=LOOK_SECONDS):
            check()
        try:
            if not self._ready:
                _take(self._answers[LOADING], Path(), check)
                self._ready = True
        finally:
            self._loading.release()

    def score(self, path: Path, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
        """Raises what is told of a failed video as ExplainedError, ChildDiedError, and what ``stop`` raises; the child
        then gives the video up as soon as it can."""
        if not self._ready:
            self.wait_ready(stop.check_stopped)
            if isinstance(stop, Deadline):
                # Loading the models is not part of any video's time.
                stop.restart()
        number = next(self._numbers)
        answers: _Answers = queue.SimpleQueue()
        self._send((number, path, sound_file), answers)
        try:
            score: VideoScore = _take(answers, path, stop.look, stop.follow)
        except (ExplainedError, ChildDiedError):
            raise
        except BaseException as error:
            with contextlib.suppress(ChildDiedError):
                self._send((number, None, None))
            if self._shared and isinstance(error, TimeLimitError):
                # One that hangs must be seen to hang.
                with contextlib.suppress(ExplainedError):
                    _take(answers, path, stop.check_stopped)
            raise
        finally:
            self._answers.pop(number, None)
        return score

    def end(self) -> None:
        self.ended = True
        self._process.kill()
        self._process.join()
        # It closes the connection, which must not happen while it reads.
        self._listener.join()

    def death(self) -> tuple[int, str]:
        """Exit code, and in words. Only for one that died."""
        self._process.join()
        code = self._process.exitcode or 0
        return code, _signal_name(-code) if code < 0 else f"exit code {code}"

    def _send(self, request: tuple[int, Path | None, Path | None], answers: _Answers | None = None) -> None:
        with self._turn:
            if self._dead:
                raise ChildDiedError
            if answers is not None:
                self._answers[request[0]] = answers
            # One that died a moment ago: the listener will tell everybody.
            with contextlib.suppress(OSError):
                self._connection.send(request)

    def _listen(self) -> None:
        # A child that is killed while it writes leaves half an answer behind.
        with contextlib.suppress(Exception):
            while True:
                number, *answer = self._connection.recv()
                if answers := self._answers.get(number):
                    answers.put(tuple(answer))
        with self._turn:
            self._dead = True
            self._connection.close()
            for answers in self._answers.values():
                answers.put(("died",))


def _take(
    answers: _Answers,
    path: Path,
    check: Callable[[], None],
    follow: Callable[[str, int, int], None] | None = None,
) -> Any:
    while True:
        try:
            kind, *told = answers.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            check()
            continue
        if kind == "at" and follow:
            follow(*told)
            check()
        elif kind == "failed":
            failure, problem, cure = told
            raise ExplainedError(problem, path=path, cure=cure, failure=failure)
        elif kind == "died":
            # For whoever else waits for it.
            answers.put(("died",))
            raise ChildDiedError
        else:
            return told[0]


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


@contextlib.contextmanager
def _held_back() -> Iterator[None]:
    """A child begins with the signals of this thread held back: Ctrl-C is for the parent, from the first moment on."""
    if sys.platform == "win32":
        # There a child does not take over what its parent holds back.
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, HANDLED)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)

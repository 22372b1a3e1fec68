"""Scoring in a child process: what crashes or hangs there takes nothing else along."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

from syncnet.engines.failures import ExplainedError, explain
from syncnet.results import VideoScore
from syncnet.system.interruption import LOOK_SECONDS, Deadline, StopFlag

Score = Callable[[Path, StopFlag], VideoScore]


class ChildScorers:
    """Scores as ``load()`` would in this process, in one child process for each thread that asks.

    ``load`` is called in the child, so it must be something that pickle knows by its name.
    """

    def __init__(self, load: Callable[[], Score]) -> None:
        self._load = load
        self._own = threading.local()
        self._children: list[_Child] = []

    def __enter__(self) -> ChildScorers:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.end()

    def score(self, path: Path, stop: StopFlag) -> VideoScore:
        """Raises what is told of a failed video as ExplainedError, and Interrupted."""
        child: _Child | None = getattr(self._own, "child", None)
        if child is None or not child.alive:
            child = _Child(self._load)
            self._own.child = child
            self._children.append(child)
        return child.score(path, stop)


class _Child:
    def __init__(self, load: Callable[[], Score]) -> None:
        # A fork would copy the locks of libraries whose threads it does not copy.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process: SpawnProcess = context.Process(target=_serve, args=(theirs, load), daemon=True)
        self._process.start()
        theirs.close()
        self._ready = False

    @property
    def alive(self) -> bool:
        return self._process.is_alive()

    def score(self, path: Path, stop: StopFlag) -> VideoScore:
        try:
            if not self._ready:
                self._receive(path, stop.check_stopped)
                self._ready = True
                if isinstance(stop, Deadline):
                    # Loading the models is not part of any video's time.
                    stop.restart()
            self._connection.send(path)
            score: VideoScore = self._receive(path, stop.check)
        except (EOFError, ConnectionError) as error:
            raise self._death(path) from error
        return score

    def end(self) -> None:
        self._process.kill()
        self._process.join()
        self._connection.close()

    def _receive(self, path: Path, check: Callable[[], None]) -> Any:
        try:
            while not self._connection.poll(LOOK_SECONDS):
                check()
        except BaseException:
            # It may be inside a decoder for ever.
            self.end()
            raise
        kind, *answer = self._connection.recv()
        if kind == "failed":
            failure, problem, cure = answer
            raise ExplainedError(problem, path=path, cure=cure, failure=failure)
        return answer[0]

    def _death(self, path: Path) -> ExplainedError:
        self._process.join()
        code = self._process.exitcode or 0
        self._connection.close()
        if code == -signal.SIGKILL:
            return ExplainedError(
                "its process was killed, most likely by the system because memory ran out",
                path=path,
                cure="give fewer --max_workers",
                failure="killed",
            )
        how = _signal_name(-code) if code < 0 else f"exit code {code}"
        return ExplainedError(
            f"crashed the decoder ({how})", path=path, cure="convert it again, or leave it out", failure="crash"
        )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _serve(connection: Connection, load: Callable[[], Score]) -> None:
    """The child: hears paths, answers with scores, and ends with its parent."""
    # A signal to the whole group is for the parent, which then says what becomes of its children.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        score = load()
    except Exception as error:
        _, problem, cure = explain(error)
        connection.send(("failed", "environment", problem, cure))
        return
    connection.send(("ready", None))
    with contextlib.suppress(EOFError, OSError):
        while True:
            path = connection.recv()
            try:
                answer: tuple[Any, ...] = ("score", score(path, StopFlag()))
            except Exception as error:
                answer = ("failed", *explain(error))
            connection.send(answer)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)

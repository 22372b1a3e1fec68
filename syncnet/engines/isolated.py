"""Scoring in child processes: what crashes or hangs there takes nothing else along."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

from syncnet.engines.child import Child, ChildDiedError
from syncnet.engines.failures import ExplainedError
from syncnet.engines.serving import Score
from syncnet.errors import UsageError
from syncnet.results import VideoScore
from syncnet.system.interruption import Interrupted, StopFlag

MOST_FRUITLESS = 3
"""Children that may die one after the other before any of them has scored a video; then each is scored alone."""


class TakenAlongError(Exception):
    """The process died that scored the video and others: one of them did it, and it is not known which."""


class ChildScorers:
    """Scores as ``load()`` would in this process, in one child process for each thread that asks.

    ``load`` is called in the child, so it must be something that pickle knows by its name.
    """

    def __init__(self, load: Callable[[], Score]) -> None:
        self._load = load
        self._own = threading.local()
        self._children: list[Child] = []

    def __enter__(self) -> ChildScorers:
        return self

    def __exit__(self, *_: object) -> None:
        for child in self._children:
            child.end()

    def score(self, path: Path, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
        """Raises what is told of a failed video as ExplainedError, and Interrupted."""
        child: Child | None = getattr(self._own, "child", None)
        if child is None or not child.alive:
            child = Child(self._load)
            self._own.child = child
            self._children.append(child)
        try:
            return child.score(path, stop, sound_file)
        except ExplainedError:
            raise
        except ChildDiedError:
            if child.ended:
                raise Interrupted from None
            raise _death(path, *child.death()) from None
        except BaseException:
            # It may be inside a decoder for ever.
            child.end()
            raise


class SharedChild:
    """Scores as ``load()`` would in this process, in one child process for all threads, which share its models.

    Another child takes the place of one that died.
    """

    def __init__(self, load: Callable[[], Score], on_death: Callable[[str], object] = bool) -> None:
        """``on_death`` hears of each, in words."""
        self._load = load
        self._on_death = on_death
        self._turn = threading.Lock()
        self._child: Child | None = None
        self._fruitless = 0
        self._mourned: set[Child] = set()

    def __enter__(self) -> SharedChild:
        """Returns when the models are loaded. Raises UsageError."""
        self._child = child = self._new_child()
        try:
            child.wait_ready(lambda: None)
        except ExplainedError as error:
            child.end()
            raise UsageError(error.problem, cure=error.cure) from None
        except ChildDiedError:
            raise UsageError(
                f"the process that scores died while it loaded the models ({child.death()[1]})",
                cure="check with python -c 'import torch, cv2, av' that they fit this machine",
            ) from None
        except BaseException:
            child.end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with self._turn:
            if self._child:
                self._child.end()

    def score(self, path: Path, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
        """Raises what is told of a failed video as ExplainedError, TakenAlongError, and what ``stop`` raises."""
        child = self._living()
        try:
            score = child.score(path, stop, sound_file)
        except ChildDiedError:
            if child.ended:
                raise Interrupted from None
            self._mourn(child)
            raise TakenAlongError from None
        self._fruitless = 0
        return score

    def _living(self) -> Child:
        with self._turn:
            if self._child is None or not self._child.alive:
                if self._fruitless >= MOST_FRUITLESS:
                    raise TakenAlongError
                self._child = self._new_child()
            return self._child

    def _new_child(self) -> Child:
        try:
            return Child(self._load, shared=True)
        except OSError as error:
            raise UsageError(f"no process can be started: {error.strerror}", cure="free some memory") from error

    def _mourn(self, child: Child) -> None:
        """Once for all threads that it took along."""
        with self._turn:
            if child in self._mourned:
                return
            self._mourned.add(child)
            self._fruitless += 1
        self._on_death(child.death()[1])


def _death(path: Path, code: int, how: str) -> ExplainedError:
    if hasattr(signal, "SIGKILL") and code == -signal.SIGKILL:
        return ExplainedError(
            "its process was killed, most likely by the system because memory ran out",
            path=path,
            cure="give fewer --max_workers",
            failure="killed",
        )
    return ExplainedError(
        f"crashed the decoder ({how})", path=path, cure="convert it again, or leave it out", failure="crash"
    )

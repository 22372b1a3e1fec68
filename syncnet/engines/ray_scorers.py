"""Scoring on the machines of a Ray cluster. What dies there takes no video along: it is tried again elsewhere."""

from __future__ import annotations

import concurrent.futures
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import RayError

from syncnet.engines.failures import ExplainedError, explain
from syncnet.engines.ray_cluster import living_nodes
from syncnet.engines.serving import Score
from syncnet.inputs.remote import fetched
from syncnet.results import VideoScore
from syncnet.settings import RaySettings
from syncnet.system.interruption import LOOK_SECONDS, Deadline, StopFlag

MOST_TRIES = 3
"""So often a video may lose its worker. One that takes workers along must not go through the whole cluster."""


class RayWorker:
    """Runs as an actor: loads the scorer once, then answers paths with scores."""

    def __init__(self, load: Callable[[], Score]) -> None:
        self._load = load
        self._score: Score | None = None

    def prepare(self) -> tuple[Any, ...]:
        """The node that it is on, or why nothing can be scored there."""
        try:
            self._score = self._load()
        except Exception as error:
            return ("failed", *explain(error)[1:])
        return ("ready", ray.get_runtime_context().get_node_id())

    def ping(self) -> None:
        """Answers while the process lives."""

    def score(self, place: Path | str, sound_file: Path | None = None) -> tuple[Any, ...]:
        """The score, or what is told of a failed video; of a URI, the video is fetched here."""
        if self._score is None:
            raise RuntimeError("prepare() comes first")
        try:
            if isinstance(place, Path):
                return ("score", self._score(place, StopFlag(), sound_file))
            with fetched(place, StopFlag()) as copy:
                return ("score", self._score(copy, StopFlag(), sound_file))
        except Exception as error:
            return ("failed", *explain(error))


@dataclass(eq=False)
class _Actor:
    handle: Any
    prepared: concurrent.futures.Future[Any]
    node: str = ""
    """Known once it is ready."""


class RayScorers:
    """Scores as ``load()`` would in this process, in ``workers`` actors. Any thread takes the actor that is free.

    ``load`` is called on the nodes. Use within ``connected``.
    """

    def __init__(self, load: Callable[[], Score], settings: RaySettings, workers: int) -> None:
        options = {"num_cpus": settings.num_cpus_per_worker, "num_gpus": settings.num_gpus_per_worker}
        self._kind = ray.remote(max_restarts=0, max_task_retries=0, **options)(RayWorker)
        self._load = load
        self._workers = workers
        self._idle: queue.SimpleQueue[_Actor] = queue.SimpleQueue()
        self._hired: dict[int, _Actor] = {}
        self._starts_left = MOST_TRIES * workers
        """So often may starting fail: a node on which nothing works must not be tried for ever."""
        self._problem = (
            "no worker could be started",
            "check that the packages of requirements.txt are installed on the nodes",
        )
        self._turn = threading.Lock()

    def __enter__(self) -> RayScorers:
        return self

    def __exit__(self, *_: object) -> None:
        for actor in list(self._hired.values()):
            self._dismiss(actor)

    def score(self, path: Path, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
        """Raises what is told of a failed video as ExplainedError, and Interrupted."""
        return self._score(path, path, stop, sound_file)

    def score_uri(self, uri: str, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
        """The same for a video that the worker has to fetch."""
        return self._score(uri, Path(uri), stop, sound_file)

    def _score(self, place: Path | str, path: Path, stop: StopFlag, sound_file: Path | None) -> VideoScore:
        self._start()
        lost: list[tuple[_Actor, RayError]] = []
        while len(lost) < MOST_TRIES:
            actor = self._take(path, stop)
            if isinstance(stop, Deadline):
                # Waiting for a worker is not part of any video's time.
                stop.restart()
            try:
                answer = _wait_for(actor.handle.score.remote(place, sound_file), stop.check)
            except RayError as error:
                lost.append((actor, error))
                self._replace(actor)
                continue
            except BaseException:
                # It may be inside a decoder for ever.
                self._replace(actor)
                raise
            self._idle.put(actor)
            if answer[0] == "failed":
                failure, problem, cure = answer[1:]
                raise ExplainedError(problem, path=path, cure=cure, failure=failure)
            score: VideoScore = answer[1]
            return score
        raise _death(path, lost)

    def _start(self) -> None:
        """Not before there is something to score."""
        with self._turn:
            waiting, self._workers = self._workers, 0
            for _ in range(waiting):
                self._hire()

    def _take(self, path: Path, stop: StopFlag) -> _Actor:
        """Waits for a free actor that answers. A node that died has taken its idle actors along."""
        while True:
            try:
                actor = self._idle.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                stop.check_stopped()
                if not self._hired:
                    problem, cure = self._problem
                    raise ExplainedError(problem, path=path, cure=cure, failure="environment") from None
                continue
            try:
                if self._is_ready(actor):
                    _wait_for(actor.handle.ping.remote(), stop.check_stopped)
                    return actor
            except RayError:
                pass
            self._replace(actor)

    def _hire(self) -> None:
        handle = self._kind.remote(self._load)
        actor = _Actor(handle, handle.prepare.remote().future())
        self._hired[id(actor)] = actor
        # Ray's own thread calls this: whatever it asked Ray for would never be answered.
        actor.prepared.add_done_callback(lambda _: self._idle.put(actor))

    def _is_ready(self, actor: _Actor) -> bool:
        """Whether the actor could load its scorer, and lives."""
        if actor.node:
            return True
        error = actor.prepared.exception()
        answer = ("failed", _first_line(error), self._problem[1]) if error else actor.prepared.result()
        if answer[0] == "ready":
            actor.node = answer[1]
            return True
        self._problem = (f"a worker could not be started: {answer[1]}", answer[2])
        self._starts_left -= 1
        return False

    def _replace(self, actor: _Actor) -> None:
        if self._starts_left > 0:
            self._hire()
        self._dismiss(actor)

    def _dismiss(self, actor: _Actor) -> None:
        # One that is only out of reach must not go on with a video that another one has now.
        ray.kill(actor.handle)
        self._hired.pop(id(actor), None)


def _wait_for(answer: Any, check: Callable[[], None]) -> Any:
    future: concurrent.futures.Future[Any] = answer.future()
    while True:
        try:
            return future.result(timeout=LOOK_SECONDS)
        except concurrent.futures.TimeoutError:
            check()


def _death(path: Path, lost: list[tuple[_Actor, RayError]]) -> ExplainedError:
    living = living_nodes()
    last = _first_line(lost[-1][1])
    problem = f"its worker died {len(lost)} times, the last time: {last}"
    # Where the nodes went on, it was the video that ended the processes; unless Ray did so for want of memory.
    if all(actor.node in living and "low on memory" not in str(error) for actor, error in lost):
        return ExplainedError(problem, path=path, cure="convert it again, or leave it out", failure="crash")
    cure = "check that the nodes stay up and have enough memory, then run again"
    return ExplainedError(problem, path=path, cure=cure, failure="killed")


def _first_line(error: BaseException | None) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__

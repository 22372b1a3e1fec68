"""Several videos at once in one process: threads that share one copy of the models."""

from __future__ import annotations

import concurrent.futures.thread
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from syncnet.inputs.discovery import VideoFile
from syncnet.results import VideoResult
from syncnet.system.cores import count_cores
from syncnet.system.interruption import LOOK_SECONDS, Interrupted, StopFlag

GRACE_SECONDS = 8.0
"""With two more for the results, a stop takes no longer than 10 seconds."""


@dataclass(frozen=True)
class Batch:
    """What an engine got done."""

    results: list[VideoResult]
    """In the order of the videos. After a stop: those that were finished."""
    abandoned: int
    """Threads that did not come back, from a video that hangs or in the grace after a stop. Nobody waits for them."""


def share_cores(workers: int) -> int:
    """Gives each worker its share of the cores, for torch and OpenCV alike, and returns that share.

    The only place where thread counts are set. Both libraries hold them for the whole process, and torch passes
    its own on to threads that start later.
    """
    import cv2
    import torch

    share = max(1, count_cores() // workers)
    torch.set_num_threads(share)
    cv2.setNumThreads(share)
    return share


def run_in_threads(
    videos: Sequence[VideoFile],
    work: Callable[[VideoFile], VideoResult],
    *,
    workers: int,
    stop: StopFlag,
    on_result: Callable[[VideoResult], None],
    grace_seconds: float = GRACE_SECONDS,
    overdue: Callable[[], Iterable[VideoResult]] = tuple,
) -> Batch:
    """Works on ``workers`` videos at a time; ``on_result`` hears of each in this thread as soon as it is finished.

    Once ``stop`` is set no video is started, and those under way have ``grace_seconds`` to finish or to give up.
    ``overdue`` gives what is to be told of each video that hangs: another thread takes the place of its one.
    """
    if not videos:
        return Batch([], 0)
    crew = _Crew(videos, work, workers, stop)
    results: dict[int, VideoResult] = {}
    deadline: float | None = None
    try:
        while crew.at_work:
            if stop.stopped and deadline is None:
                deadline = time.monotonic() + grace_seconds
            for number, result in (*crew.give_up(overdue()), *crew.next_finished()):
                results[number] = result
                on_result(result)
            if deadline is not None and time.monotonic() > deadline:
                break
    finally:
        abandoned = crew.close()
    return Batch([results[number] for number in sorted(results)], abandoned)


@dataclass(eq=False)
class _Task:
    """A video that is under way."""

    number: int
    video: VideoFile
    thread: threading.Thread | None = None
    """Known once it has begun."""


class _Crew:
    """A pool of the standard library that is handed a video whenever it has room for one.

    So nothing waits in the pool: a stop has nothing to take back, and a pool in which a thread hangs is given up for
    a new one, while its other threads end with their videos.
    """

    def __init__(
        self, videos: Sequence[VideoFile], work: Callable[[VideoFile], VideoResult], workers: int, stop: StopFlag
    ) -> None:
        self._workers, self._work, self._stop = workers, work, stop
        self._unstarted = len(videos)
        self._room = threading.Semaphore(workers)
        self._under_way: set[_Task] = set()
        self._finished: queue.SimpleQueue[tuple[int, Future[VideoResult]]] = queue.SimpleQueue()
        self._hung: list[_Task] = []
        self._closed = False
        """Nothing more is started."""
        self._turn = threading.Lock()
        self._pool = self._new_pool()
        # A pool's threads are daemons where the one that hands it work is: the end of the process is not held up.
        threading.Thread(target=self._feed, args=(videos,), daemon=True, name="feeder").start()

    @property
    def at_work(self) -> bool:
        with self._turn:
            waiting = self._unstarted > 0 and not self._stop.stopped
            return waiting or bool(self._under_way) or not self._finished.empty()

    def next_finished(self) -> Iterator[tuple[int, VideoResult]]:
        """Waits a moment for the next finished video. Raises what its work raised, if that was not Interrupted."""
        with suppress(queue.Empty, Interrupted):
            number, future = self._finished.get(timeout=LOOK_SECONDS)
            yield number, future.result()

    def give_up(self, hung: Iterable[VideoResult]) -> Iterator[tuple[int, VideoResult]]:
        """Whoever works on these videos is not waited for any more; those that came back after all are left out."""
        for result in hung:
            with self._turn:
                task = next((task for task in self._under_way if task.video.path == result.path), None)
                if task is None:
                    continue
                self._under_way.remove(task)
                self._hung.append(task)
                self._pool.shutdown(wait=False)
                self._pool = self._new_pool()
            self._room.release()
            yield task.number, result

    def close(self) -> int:
        """Nothing more is started. Returns how many threads did not come back."""
        with self._turn:
            self._closed = True
            hung = [*self._hung, *self._under_way]
            self._pool.shutdown(wait=False)
        self._room.release()
        # At the end of the interpreter concurrent.futures joins all threads of all pools, daemons too, by a hook that
        # comes before every public one (threading._register_atexit). The list that it goes through is all there is to
        # keep it from waiting for ever.
        joined_at_exit = getattr(concurrent.futures.thread, "_threads_queues", {})
        for task in hung:
            if task.thread:
                joined_at_exit.pop(task.thread, None)
        return len(hung)

    def _new_pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self._workers, thread_name_prefix="video")

    def _feed(self, videos: Sequence[VideoFile]) -> None:
        for number, video in enumerate(videos):
            self._room.acquire()
            task = _Task(number, video)
            with self._turn:
                if self._closed or self._stop.stopped:
                    return
                self._unstarted -= 1
                self._under_way.add(task)
                try:
                    future = self._pool.submit(self._attend, task)
                except RuntimeError as error:
                    # The system has no thread more: for the run to tell.
                    future = Future()
                    future.set_exception(error)
            future.add_done_callback(partial(self._report, task))

    def _attend(self, task: _Task) -> VideoResult:
        task.thread = threading.current_thread()
        if self._closed:
            raise Interrupted
        try:
            return self._work(task.video)
        except Interrupted:
            raise
        except BaseException:
            with self._turn:
                # No video brings that about: it ends the run, unless nobody hears of the video any more.
                self._closed |= task in self._under_way
            raise

    def _report(self, task: _Task, future: Future[VideoResult]) -> None:
        with self._turn:
            if task not in self._under_way:
                # It was given up, and something was told of its video already.
                return
            self._under_way.remove(task)
            self._finished.put((task.number, future))
        self._room.release()

"""Several videos at once in one process: threads that share one copy of the models."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import torch

from syncnet.discovery import VideoFile
from syncnet.engines import VideoResult
from syncnet.engines.cores import count_cores
from syncnet.interruption import Interrupted, StopFlag

STOP_LOOK_SECONDS = 0.2
GRACE_SECONDS = 8.0
"""With two more for the results, a stop takes no longer than 10 seconds."""


@dataclass(frozen=True)
class Batch:
    """What an engine got done."""

    results: list[VideoResult]
    """In the order of the videos. After a stop: those that were finished."""
    abandoned: int
    """Threads still busy at the end of the grace after a stop; the process must end without waiting for them."""


def share_cores(workers: int) -> int:
    """Gives each worker its share of the cores, for torch and OpenCV alike, and returns that share.

    The only place where thread counts are set. Both libraries hold them for the whole process, and torch passes
    its own on to threads that start later.
    """
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
) -> Batch:
    """Works on ``workers`` videos at a time; ``on_result`` hears of each in this thread as soon as it is finished.

    Once ``stop`` is set no video is started, and those under way have ``grace_seconds`` to finish or to give up.
    """
    pool = ThreadPoolExecutor(workers, thread_name_prefix="video")
    finished: queue.SimpleQueue[Future[VideoResult]] = queue.SimpleQueue()
    results: dict[int, VideoResult] = {}
    try:
        numbers = {}
        for number, video in enumerate(videos):
            future = pool.submit(work, video)
            numbers[future] = number
            future.add_done_callback(finished.put)
        deadline: float | None = None
        while numbers:
            if stop.stopped and deadline is None:
                pool.shutdown(wait=False, cancel_futures=True)
                deadline = time.monotonic() + grace_seconds
            try:
                future = finished.get(timeout=STOP_LOOK_SECONDS)
            except queue.Empty:
                if deadline is not None and time.monotonic() > deadline:
                    break
                continue
            number = numbers.pop(future)
            result = _result_of(future)
            if result is not None:
                results[number] = result
                on_result(result)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return Batch([results[number] for number in sorted(results)], abandoned=len(numbers))


def _result_of(future: Future[VideoResult]) -> VideoResult | None:
    """None for a video that was not started or was given up because of a stop."""
    if future.cancelled():
        return None
    try:
        return future.result()
    except Interrupted:
        return None

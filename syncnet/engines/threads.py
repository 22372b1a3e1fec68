"""Several videos at once in one process: threads that share one copy of the models."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

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
    """Threads still busy at the end of the grace after a stop; the process must end without waiting for them."""


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
    overdue: Callable[[], Mapping[int, VideoResult]] = dict,
) -> Batch:
    """Works on ``workers`` videos at a time; ``on_result`` hears of each in this thread as soon as it is finished.

    Once ``stop`` is set no video is started, and those under way have ``grace_seconds`` to finish or to give up.
    ``overdue`` gives, by the identifier of its thread, what is to be told of each video that hangs: another thread
    takes the place of that one.
    """
    crew = _Crew(videos, work, stop)
    results: dict[int, VideoResult] = {}
    deadline: float | None = None
    try:
        for _ in range(min(workers, len(videos))):
            crew.hire()
        while crew.at_work:
            if stop.stopped and deadline is None:
                deadline = time.monotonic() + grace_seconds
            told: list[tuple[int | None, VideoResult | None]]
            told = [(crew.dismiss(thread, result.path), result) for thread, result in overdue().items()]
            told.append(crew.next_finished() or (None, None))
            for number, result in told:
                if number is not None and result is not None:
                    results[number] = result
                    on_result(result)
            if deadline is not None and time.monotonic() > deadline:
                break
    finally:
        crew.closed = True
    return Batch([results[number] for number in sorted(results)], abandoned=len(crew.at_work) + crew.dismissed)


@dataclass(eq=False)
class _Member:
    """One thread of the crew."""

    thread: threading.Thread | None = None
    number: int | None = None
    """Of the video that it works on."""
    path: Path | None = None
    """Of the same."""
    dismissed: bool = False


class _Crew:
    """Threads that take videos from one queue until it is empty or the run is stopped.

    No pool of the standard library: those wait for each thread at the end, and cannot replace one that hangs.
    """

    def __init__(self, videos: Sequence[VideoFile], work: Callable[[VideoFile], VideoResult], stop: StopFlag) -> None:
        self.at_work: list[_Member] = []
        self.dismissed = 0
        self.closed = False
        """Nothing more is started."""
        self._waiting: queue.SimpleQueue[tuple[int, VideoFile]] = queue.SimpleQueue()
        for numbered in enumerate(videos):
            self._waiting.put(numbered)
        self._reports: queue.SimpleQueue[_Report] = queue.SimpleQueue()
        self._work = work
        self._stop = stop

    def hire(self) -> None:
        member = _Member()
        member.thread = threading.Thread(target=self._serve, args=(member,), daemon=True, name="video")
        self.at_work.append(member)
        member.thread.start()

    def dismiss(self, thread: int, path: Path) -> int | None:
        """Gives up the thread that works on this video and hires another; the video's number, or None: it came back."""
        for member in self.at_work:
            if member.thread and member.thread.ident == thread and member.path == path:
                member.dismissed = True
                self.at_work.remove(member)
                self.dismissed += 1
                self.hire()
                return member.number
        return None

    def next_finished(self) -> tuple[int, VideoResult] | None:
        """Waits a moment for the next finished video. Raises what its work raised, if that was not Interrupted."""
        try:
            member, number, outcome = self._reports.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            return None
        if member.dismissed and number in (member.number, None):
            # It came back after all, but something was told of its video already. What it did before stands.
            return None
        if isinstance(outcome, BaseException):
            raise outcome
        if number is None or outcome is None:
            self.at_work.remove(member)
            return None
        return number, outcome

    def _serve(self, member: _Member) -> None:
        while not (self._stop.stopped or self.closed or member.dismissed):
            try:
                number, video = self._waiting.get_nowait()
            except queue.Empty:
                break
            member.number, member.path = number, video.path
            try:
                self._reports.put((member, number, self._work(video)))
            except Interrupted:
                break
            except BaseException as error:
                self._reports.put((member, number, error))
                break
        self._reports.put((member, None, None))


_Report = tuple[_Member, int | None, VideoResult | BaseException | None]
"""Who, which video (None: no more), and what came of it."""

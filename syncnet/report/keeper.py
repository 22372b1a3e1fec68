"""Keeps the results file, and the page, up to date while a run is under way."""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable

from syncnet.report.command_line import COMMAND_NAME, CommandLine, note_command
from syncnet.report.content import content_of_run
from syncnet.report.ownership import is_own
from syncnet.report.page import PAGE_NAME, write_page
from syncnet.report.results import build_results, write_results
from syncnet.report.run import Run
from syncnet.results import VideoResult

VIDEOS_BETWEEN_WRITES, SECONDS_BETWEEN_WRITES = 10, 30.0
"""Whichever comes first."""
MOST_SHARE_OF_TIME = 0.05
"""Of the run's time is spent on writing: the file of 100,000 videos takes seconds, and so does a page of thousands."""
SECONDS_A_VIDEO = 0.001
"""To write a page, before the first one was: that of a folder of thousands is not the first thing that a run does."""


class _Share:
    """Does something as often as its share of the time allows; a disk that is full in between is no reason to stop."""

    def __init__(self, do: Callable[[Run], None], seconds_a_video: float = 0.0) -> None:
        """``seconds_a_video``: what doing it is taken to cost, until that is known."""
        self._do = do
        self._seconds_a_video = seconds_a_video
        self._undone = 0
        self._times = 0
        self._earliest = self._done_at = 0.0

    def hear_of(self, run: Callable[[], Run], *, videos: int, finished: bool) -> None:
        """After each video: ``run`` as it is now, how many it knows, and whether it scored this one."""
        self._undone += finished
        now = time.monotonic()
        if finished and not self._earliest:
            self._earliest = now + videos * self._seconds_a_video / MOST_SHARE_OF_TIME
        # The first finished video is shown at once.
        is_due = self._undone >= VIDEOS_BETWEEN_WRITES or now - self._done_at >= SECONDS_BETWEEN_WRITES
        if not self._undone or now < self._earliest or (self._times and not is_due):
            return
        with contextlib.suppress(OSError):
            # The end of the run tells it, should it still be so then.
            self._do(run())
        self._done_at = time.monotonic()
        self._earliest = self._done_at + (self._done_at - now) / MOST_SHARE_OF_TIME
        self._undone, self._times = 0, self._times + 1


class ResultsKeeper:
    """Takes each result."""

    def __init__(self, run: Run, command: CommandLine, *, page: bool) -> None:
        self._run = run
        self._command = command
        self._results: list[VideoResult] = []
        self._writing = [_Share(self._write_results)]
        if page:
            self._writing.append(_Share(self._write_page, SECONDS_A_VIDEO))

    def add(self, result: VideoResult) -> None:
        if result.status != "pending":
            self._results.append(result)
        for share in self._writing:
            share.hear_of(self._now, videos=len(self._results) - 1, finished=result.source != "ledger")

    def _now(self) -> Run:
        results = sorted(self._results, key=lambda result: str(result.path))
        return dataclasses.replace(self._run, complete=False).with_results(results)

    def _write_results(self, run: Run) -> None:
        note_command(run.folders.state_dir / COMMAND_NAME, self._command)
        write_results(build_results(run), run.folders.results_path)

    def _write_page(self, run: Run) -> None:
        path = run.folders.output_dir / PAGE_NAME
        if is_own(path):
            write_page(content_of_run(run, self._command, round(time.time(), 3)), path)

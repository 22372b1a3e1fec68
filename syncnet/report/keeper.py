"""Keeps the results file up to date while a run is under way."""

from __future__ import annotations

import dataclasses
import time

from syncnet.report.results import build_results, write_results
from syncnet.report.run import Run
from syncnet.results import VideoResult

VIDEOS_BETWEEN_WRITES = 10
MOST_SHARE_OF_TIME = 0.05
"""Of the run's time is spent on writing: the file of 100,000 videos takes seconds."""


class ResultsKeeper:
    """Takes each result; a disk that is full in between is no reason to stop."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._results: list[VideoResult] = []
        self._unwritten = 0
        self._earliest = 0.0

    def add(self, result: VideoResult) -> None:
        if result.status != "pending":
            self._results.append(result)
        self._unwritten += result.source != "ledger"
        if self._unwritten >= VIDEOS_BETWEEN_WRITES and time.monotonic() >= self._earliest:
            self._write()

    def _write(self) -> None:
        started = time.monotonic()
        results = sorted(self._results, key=lambda result: str(result.path))
        run = dataclasses.replace(self._run, results=results, complete=False)
        try:
            write_results(build_results(run), run.folders.results_path)
        except OSError:
            # The end of the run tells it, should it still be so then.
            return
        finally:
            ended = time.monotonic()
            self._earliest = ended + (ended - started) / MOST_SHARE_OF_TIME
            self._unwritten = 0

"""Which video each worker is at, and how far, for whoever shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from syncnet.inputs.discovery import VideoFile
from syncnet.system.interruption import Deadline


@dataclass(frozen=True)
class Activity:
    """One video that is being scored."""

    video: VideoFile
    stage: str
    """Empty where the work is done out of sight, as in a child process."""
    frames_done: int
    """Of the stage."""
    frames_expected: int
    """0 where nobody knows."""
    seconds: float
    """Since the video was begun."""


class Activities:
    """Known by slots: a worker's next video takes the slot of its last one."""

    def __init__(self) -> None:
        self._slots: dict[int, tuple[VideoFile, Deadline, float]] = {}
        self._turn = threading.Lock()

    @contextmanager
    def at(self, video: VideoFile, deadline: Deadline) -> Iterator[None]:
        """Around the scoring of a video, which tells ``deadline`` of its stages and frames."""
        with self._turn:
            slot = next(number for number in range(len(self._slots) + 1) if number not in self._slots)
            self._slots[slot] = (video, deadline, time.monotonic())
        try:
            yield
        finally:
            with self._turn:
                del self._slots[slot]

    def now(self) -> dict[int, Activity]:
        """By slot, from 0 on; a slot whose worker is between two videos is left out."""
        with self._turn:
            slots = dict(self._slots)
        moment = time.monotonic()
        return {
            slot: Activity(video, deadline.stage, deadline.frames_done, deadline.frames_expected, moment - began)
            for slot, (video, deadline, began) in slots.items()
        }

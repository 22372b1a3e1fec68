"""A watch over videos that hang inside a decoder, where no flag and no deadline is ever looked at."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from syncnet.inputs.discovery import VideoFile

HANG_GRACE_SECONDS = 60.0
"""Beyond its time limit a video is given up by itself, between two frames. What has not done so by then, hangs."""


@dataclass(frozen=True)
class _Entry:
    video: VideoFile
    hangs_at: float


class Watch:
    """Knows which thread has been scoring which video, and until when that may take."""

    def __init__(self, limit_seconds: float, grace_seconds: float = HANG_GRACE_SECONDS) -> None:
        self._seconds = limit_seconds + grace_seconds
        self._entries: dict[int, _Entry] = {}
        self._turn = threading.Lock()

    @contextmanager
    def scoring(self, video: VideoFile) -> Iterator[None]:
        """Around the scoring of a video, in its thread."""
        thread = threading.get_ident()
        with self._turn:
            self._entries[thread] = _Entry(video, time.monotonic() + self._seconds)
        try:
            yield
        finally:
            with self._turn:
                self._entries.pop(thread, None)

    def take_hung(self) -> list[VideoFile]:
        """The videos that hang; each is given once."""
        now = time.monotonic()
        with self._turn:
            hung = [thread for thread, entry in self._entries.items() if now > entry.hangs_at]
            return [self._entries.pop(thread).video for thread in hung]

"""What decoding a video will take, and the refusal of one that would take too much."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import TooLargeError
from syncnet.system.memory import machine_memory_mb
from syncnet.system.text import format_duration

PICTURE_BYTES_A_PIXEL = 21
"""Pictures on their way, in three bytes a pixel: converted, turned upright, compared with the last two. 16 were
measured (benchmarks/memory.py)."""
DECODER_PICTURES = 17
"""A decoder may have to hold sixteen to build the next from."""
SOUND_BYTES_A_SECOND = 100_000
"""32,000 for the samples, of more than 20 minutes only where no disk takes them; some 60,000 for a face that is seen
all the time (benchmarks/memory.py, --unbroken)."""
_MB = 2**20

WorkBytes = Callable[[int, int], int]
"""Width and height of a video's pictures -> bytes that are taken by what is done with them, beside decoding."""


def no_work(_width_px: int, _height_px: int) -> int:
    return 0


def picture_mb(width_px: int, height_px: int, bits_a_pixel: int, threads: int) -> float:
    """An upper estimate for the pictures of a video, in MB of 2^20 bytes, the models not counted.

    ``bits_a_pixel``: as the decoder holds them, 12 in most videos. Each of its threads holds one picture more.
    """
    decoded = (DECODER_PICTURES + threads) * bits_a_pixel / 8
    return width_px * height_px * (PICTURE_BYTES_A_PIXEL + decoded) / _MB


def sound_mb(seconds: float) -> float:
    """The same for its sound."""
    return seconds * SOUND_BYTES_A_SECOND / _MB


@dataclass(frozen=True)
class MemoryBound:
    """What one video may take."""

    path: Path
    max_memory_mb: float | None
    """None: what the machine has."""
    work_bytes: WorkBytes = no_work

    def check_pictures(self, width_px: int, height_px: int, bits_a_pixel: int, threads: int) -> float:
        """What they may take, in MB; nothing where a header tells no size yet. Raises TooLargeError."""
        if not (width_px and height_px):
            return 0.0
        needed = picture_mb(width_px, height_px, bits_a_pixel, threads) + self.work_bytes(width_px, height_px) / _MB
        if needed > self._limit_mb:
            raise self._refusal(f"pictures of {width_px} x {height_px}", needed, "make the pictures smaller")
        return needed

    def spare_mb(self, picture_mb: float, sound_seconds: float) -> float:
        """What is left of a limit that was given; without one, as much as anybody asks for."""
        if self.max_memory_mb is None:
            return math.inf
        return max(0.0, self.max_memory_mb - picture_mb - sound_mb(sound_seconds))

    def check_sound(self, seconds: float) -> None:
        """Raises TooLargeError."""
        if sound_mb(seconds) > self._limit_mb:
            raise self._refusal(f"sound of {format_duration(seconds)}", sound_mb(seconds), "cut the video into parts")

    @property
    def _limit_mb(self) -> float:
        return machine_memory_mb() if self.max_memory_mb is None else self.max_memory_mb

    def _refusal(self, what: str, needed_mb: float, cure: str) -> TooLargeError:
        limit = f"the {self._limit_mb:.0f} MB that this machine has"
        if self.max_memory_mb is not None:
            limit = f"the {self.max_memory_mb:g} MB of --max_memory"
        more = f", or give --max_memory {math.ceil(needed_mb)} with --retry_failed"
        problem = f"{what} may take {needed_mb:.0f} MB, more than {limit}"
        return TooLargeError(problem, path=self.path, cure=cure + more)

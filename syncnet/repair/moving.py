"""Blocks of samples -> the same sound where a correction puts it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from syncnet.repair.correction import Correction

FADE_SECONDS = 0.02
_BLOCK = 16_384


@dataclass(frozen=True)
class Piece:
    """A stretch of what comes out. All in samples."""

    begin: int
    end: int | None
    """None: as long as there is sound."""
    source: int
    """Of what goes in, the sample that stands at ``begin``; below zero, there is silence first."""


def pieces_of(correction: Correction, rate: int, lead_seconds: float) -> list[Piece]:
    """``lead_seconds``: how long before the first shown picture the samples begin."""
    places = [0, *(round((step.from_seconds + lead_seconds) * rate) for step in correction.steps[1:])]
    ends = [end for _, end in pairwise([*places, None])]
    return [
        Piece(begin, end, begin - round(step.delay_ms * rate / 1000))
        for begin, end, step in zip(places, ends, correction.steps, strict=True)
    ]


def moved_blocks(blocks: Iterator[np.ndarray], pieces: list[Piece], rate: int) -> Iterator[np.ndarray]:
    """Blocks (channels, n) float32. Where two pieces meet, one fades into the other."""
    deepest = max(piece.begin - piece.source for piece in pieces) - min(piece.begin - piece.source for piece in pieces)
    fade = round(FADE_SECONDS * rate)
    window = _Window(blocks, deepest + fade)
    before: Piece | None = None
    for piece in pieces:
        place = piece.begin
        while piece.end is None or place < piece.end:
            count = _BLOCK if piece.end is None else min(_BLOCK, piece.end - place)
            here = piece.source + place - piece.begin
            block = window.take(here, count)
            if piece.end is None:
                block = block[:, : max(0, window.known_end(here + count) - here)]
            if not block.shape[1]:
                break
            if before is not None and place - piece.begin < fade:
                block = _faded(window, before, piece, place, block, fade)
            yield block
            place += block.shape[1]
        before = piece


def _faded(window: _Window, before: Piece, piece: Piece, place: int, block: np.ndarray, fade: int) -> np.ndarray:
    """The block with the end of the piece before under its first samples."""
    count = min(fade - (place - piece.begin), block.shape[1])
    old = window.take(before.source + place - before.begin, count)
    share = (np.arange(count, dtype=np.float32) + (place - piece.begin) + 0.5) / fade
    faded = block.copy()
    faded[:, :count] = block[:, :count] * share + old * (1 - share)
    return faded


class _Window:
    """Samples of a stream by their number, forward with a little way back; zeros before and behind."""

    def __init__(self, blocks: Iterator[np.ndarray], depth: int) -> None:
        self._blocks = blocks
        self._depth = depth
        self._held: deque[np.ndarray] = deque()
        self._begin = self._end = 0
        self._over = False
        self._channels = 1

    def take(self, first: int, count: int) -> np.ndarray:
        """(channels, count)"""
        self._read_to(first + count)
        taken = np.zeros((self._channels, count), np.float32)
        place = self._begin
        for block in self._held:
            low, high = max(first, place), min(first + count, place + block.shape[1])
            if low < high:
                taken[:, low - first : high - first] = block[:, low - place : high - place]
            place += block.shape[1]
        return taken

    def known_end(self, wanted: int) -> int:
        """The smaller of ``wanted`` and where the stream ends."""
        self._read_to(wanted)
        return min(wanted, self._end) if self._over else wanted

    def _read_to(self, end: int) -> None:
        while not self._over and (self._end < end or not self._held):
            block = next(self._blocks, None)
            if block is None:
                self._over = True
                return
            self._channels = len(block)
            self._held.append(block)
            self._end += block.shape[1]
        while self._held and self._begin + self._held[0].shape[1] < end - self._depth - 2 * _BLOCK:
            self._begin += self._held.popleft().shape[1]

"""Colours for a terminal that shows them, and plain text everywhere else."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TextIO

_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"


@dataclass(frozen=True)
class Palette:
    """Marks whole words and lines, after their widths were settled: the marks take no columns."""

    coloured: bool = False
    block: str = "#"
    """What bars are made of."""

    def title(self, text: str) -> str:
        return self._mark(text, _BOLD)

    def good(self, text: str) -> str:
        return self._mark(text, _GREEN)

    def poor(self, text: str) -> str:
        return self._mark(text, _YELLOW)

    def failed(self, text: str) -> str:
        return self._mark(text, _RED)

    def aside(self, text: str) -> str:
        return self._mark(text, _DIM)

    def _mark(self, text: str, code: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.coloured and text else text


PLAIN = Palette()


def palette_for(stream: TextIO) -> Palette:
    """Colours only on a terminal that has some, and not where NO_COLOR is set (no-color.org)."""
    coloured = stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Palette(coloured, "\N{FULL BLOCK}" if _can_show(stream, "\N{FULL BLOCK}") else "#")


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True

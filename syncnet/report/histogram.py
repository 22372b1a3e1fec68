"""How the confidences are spread, in a few lines of text, with the threshold marked."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from syncnet.report.colours import Palette

FEWEST_VIDEOS = 5
"""Fewer are seen at a glance in the lists above."""
HIGHEST_BIN = 12
"""Everything from here on is one line."""
WIDEST_BAR = 40


def draw_histogram(confidences: Sequence[float], min_confidence: float, width: int, palette: Palette) -> list[str]:
    """A line for each step of 1 between the lowest and the highest confidence; nothing for too few videos.

    What is no number is left out. ``width``: columns that a line may take. The step that the threshold lies in is said.
    """
    finite = [confidence for confidence in confidences if math.isfinite(confidence)]
    if len(finite) < FEWEST_VIDEOS:
        return []
    counts = Counter(_bin_of(confidence) for confidence in finite)
    marked = _bin_of(min_confidence)
    bins = range(min(*counts, marked), max(*counts, marked) + 1)
    digits = len(str(max(counts.values())))
    note = f"  at least {min_confidence:g}"
    most = max(1, min(WIDEST_BAR, width - len(_label(0)) - digits - len(note) - 4))
    lines = [palette.title(f"Confidence of {len(finite):,} scored videos")]
    for number in bins:
        bar = palette.block * _bar_length(counts[number], max(counts.values()), most)
        marked_bar = palette.good(bar) if number >= min_confidence else palette.poor(bar)
        spaces = " " * (most - len(bar))
        line = f"  {_label(number)} {marked_bar}{spaces} {counts[number]:>{digits}}"
        lines.append(line + palette.aside(note if number == marked else ""))
    return lines


def _bin_of(confidence: float) -> int:
    return min(max(math.floor(confidence), 0), HIGHEST_BIN)


def _label(number: int) -> str:
    return f"{number:>2}+  " if number == HIGHEST_BIN else f"{number:>2}-{number + 1:<2}"


def _bar_length(count: int, most_counted: int, longest: int) -> int:
    """Whoever counts at all is seen."""
    return math.ceil(count * longest / most_counted)

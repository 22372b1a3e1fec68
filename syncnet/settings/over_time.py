"""What a whole file needs to pass, beside its best track, and how long its segments are."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from syncnet.errors import UsageError
from syncnet.settings.checks import Checked, Rule, parts_of

_SHARE = Rule("a share between 0 and 1", least=0, most=1)


@dataclass(frozen=True)
class OverTimeSettings(Checked):
    """The defaults are the rule of old: the best track decides."""

    min_coverage: Annotated[float, _SHARE] = 0.0
    """Share of the speech with a face in view that lies in passing segments."""
    min_in_sync_seconds: Annotated[float, Rule("a number of seconds of 0 or more", least=0, flag="min_in_sync")] = 0.0
    """In passing segments."""
    max_off_screen: Annotated[float, _SHARE] = 1.0
    """Share of the speech during which no face is seen."""
    min_segment_seconds: Annotated[float, Rule("a number of seconds of 0 or more", least=0, flag="min_segment")] = 2.0
    """Shorter segments are not listed, and count for nothing."""
    max_segment_seconds: Annotated[
        float, Rule("a number of seconds above 0", above=0, finite=False, flag="max_segment")
    ] = math.inf
    """Longer segments are split at a pause."""

    @property
    def need_time_line(self) -> bool:
        """Whether a verdict depends on more than the best track."""
        return self.min_coverage > 0 or self.min_in_sync_seconds > 0 or self.max_off_screen < 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_segment_seconds < 2 * self.min_segment_seconds:
            raise UsageError(
                f"--max_segment {self.max_segment_seconds:g} is less than twice --min_segment "
                f"{self.min_segment_seconds:g}, so that halves would be left out",
                cure="give a larger --max_segment, or a smaller --min_segment",
            )

    @classmethod
    def of_flags(cls, given: Mapping[str, Any]) -> OverTimeSettings:
        """From the values of flags by name, None for those that were not given; others are left alone."""
        parts = (part for part in parts_of(cls) if given.get(part.flag) is not None)
        return cls(**{part.name: given[part.flag] for part in parts})


def add_over_time_flags(group: argparse._ActionsContainer) -> None:
    """For a parser of any command that judges."""
    usual = OverTimeSettings()
    kinds = {
        "min_coverage": "minimum share of the speech with a face in view that is in passing segments, from 0 to 1 "
        f"(default {usual.min_coverage:g}: the best face decides)",
        "min_in_sync": f"minimum length of all passing segments together (default {usual.min_in_sync_seconds:g})",
        "max_off_screen": "maximum share of the speech during which no face is seen, from 0 to 1 "
        f"(default {usual.max_off_screen:g}; some data sets take 0.354)",
        "min_segment": f"shorter segments are not listed and do not count (default {usual.min_segment_seconds:g})",
        "max_segment": "longer segments are split, at the longest pause near the middle (default: no limit)",
    }
    for flag, words in kinds.items():
        unit = "SHARE" if flag in ("min_coverage", "max_off_screen") else "SECONDS"
        group.add_argument(f"--{flag}", type=float, metavar=unit, help=words)

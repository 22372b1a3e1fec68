"""What a whole file needs to pass, beside its best track, and how long its segments are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from syncnet.errors import UsageError
from syncnet.settings.checks import Checked, Rule

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

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.max_segment_seconds < 2 * self.min_segment_seconds:
            raise UsageError(
                f"--max_segment {self.max_segment_seconds:g} is less than twice --min_segment "
                f"{self.min_segment_seconds:g}, so that halves would be left out",
                cure="give a larger --max_segment, or a smaller --min_segment",
            )

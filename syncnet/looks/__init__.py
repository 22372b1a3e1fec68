"""What a run leaves for looking at beside its results: overlay videos and kept outputs. Imports nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Visualize = Literal["none", "poor", "all"]
VISUALIZE: tuple[Visualize, ...] = ("none", "poor", "all")
"""Which scored videos get an overlay video."""


@dataclass(frozen=True)
class LookOptions:
    """What is asked for."""

    visualize: Visualize = "none"
    save_outputs: bool = False

    @property
    def any(self) -> bool:
        return self.save_outputs or self.visualize != "none"

"""By how much the sound of a file has to come later, along the file. Times in seconds from its first shown picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

CorrectionKind = Literal["constant", "jumps", "drift"]


@dataclass(frozen=True)
class Step:
    """From a time on, the sound comes later by so much; below zero, earlier."""

    from_seconds: float
    delay_ms: float


@dataclass(frozen=True)
class Correction:
    """What the sound needs to fit the picture."""

    steps: tuple[Step, ...]
    """One, or one for each stretch between jumps; the first counts from the start of the file."""
    rate: float = 0.0
    """Of a drift: milliseconds that the delay grows by in a second; ``steps`` has the one at time zero."""

    @property
    def kind(self) -> CorrectionKind:
        if self.rate:
            return "drift"
        return "jumps" if len(self.steps) > 1 else "constant"

    def delay_ms(self, seconds: float) -> float:
        """At a time of the picture."""
        current = next((step for step in reversed(self.steps) if step.from_seconds <= seconds), self.steps[0])
        return current.delay_ms + self.rate * seconds

    def largest_ms(self, seconds: float) -> float:
        """The farthest from zero, in a file of this length."""
        delays = [step.delay_ms for step in self.steps]
        ends = [self.delay_ms(0.0), self.delay_ms(seconds)] if self.rate else []
        return max([*delays, *ends] if not self.rate else ends, key=abs)


def constant(delay_ms: float) -> Correction:
    """The same throughout."""
    return Correction((Step(0.0, delay_ms),))

"""Where between two offsets the sound is best cut: in silence, near the jump."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from syncnet.conventions import SAMPLE_RATE, Samples
from syncnet.repair.correction import Correction, Step
from syncnet.repair.moving import FADE_SECONDS

NEAR_SECONDS = 0.5
"""Of the jump."""
_STEP_SECONDS = 0.005
_DISTANCE_DB = 6.0
"""What a place at the end of the reach has to be quieter by than one at the jump."""


def cut_in_silence(correction: Correction, samples: Samples) -> Correction:
    """With each jump moved to the quietest place near it. ``samples``: (S,) int16 at 16 kHz, as before the repair."""
    steps = [correction.steps[0]]
    for step in correction.steps[1:]:
        before = steps[-1]
        lowest = before.from_seconds + 2 * FADE_SECONDS
        places = step.from_seconds + np.arange(-NEAR_SECONDS, NEAR_SECONDS, _STEP_SECONDS)
        places = places[places > lowest]
        if len(places):
            costs = [_cost(samples, place, before, step) for place in places]
            step = replace(step, from_seconds=round(float(places[int(np.argmin(costs))]), 4))  # noqa: PLW2901
        steps.append(step)
    return replace(correction, steps=tuple(steps))


def _cost(samples: Samples, place: float, before: Step, after: Step) -> float:
    """Decibels of what would be faded out and in there, and a price for the way from the jump."""
    count = round(FADE_SECONDS * SAMPLE_RATE)
    energy = 1.0
    for delay_ms in (before.delay_ms, after.delay_ms):
        first = round((place - delay_ms / 1000) * SAMPLE_RATE)
        part = samples[max(first, 0) : max(first + count, 0)].astype(np.float64)
        energy += float(part @ part) / count
    return 10 * float(np.log10(energy)) + _DISTANCE_DB * abs(place - after.from_seconds) / NEAR_SECONDS

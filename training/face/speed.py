"""How long a look takes, as a ratio within one run."""

from __future__ import annotations

import time

import numpy as np

from detectors.protocol import DetectorSpec

_FRAME_SIZE = 1280, 720
_ROUNDS = 60
_WARM_UP_ROUNDS = 5


def time_ratio(ours: DetectorSpec, theirs: DetectorSpec, min_face_px: int) -> dict[str, float]:
    """Milliseconds of one look at a 720p frame with both detectors, in turns, and the ratio. What counts is
    the processor's time, which is that of the clock on an idle machine, and of it the least disturbed fifth."""
    width, height = _FRAME_SIZE
    frame = np.random.default_rng(1).integers(0, 256, (height, width, 3), np.uint8)
    finders = [spec.create(min_face_px, width, height) for spec in (ours, theirs)]
    seconds: list[list[float]] = [[], []]
    for number in range(_ROUNDS + _WARM_UP_ROUNDS):
        for finder, taken in zip(finders, seconds, strict=True):
            start = time.process_time()
            finder.detect(frame)
            if number >= _WARM_UP_ROUNDS:
                taken.append(time.process_time() - start)
    our_ms, their_ms = (float(np.percentile(taken, 20)) * 1000 for taken in seconds)
    return {
        f"{ours.name}_ms": round(our_ms, 2),
        f"{theirs.name}_ms": round(their_ms, 2),
        "ratio": round(our_ms / their_ms, 3),
    }

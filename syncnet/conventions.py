"""Conventions, declared here once and relied on everywhere.

- Frames are BGR, uint8, shape (H, W, 3), already rotated upright.
- Boxes are xyxy in pixels of the original frame, tight around the face (forehead to chin).
- Ranges are half-open: ``first_frame`` belongs, ``end_frame`` does not.
- The clock runs at 25 frames and 16,000 samples a second and starts at the first shown frame.
  Frame n is the source frame nearest to n / 25 s, so it stands beside sample 640 n.
- Offsets are in frames of 1/25 s. Positive: the sound comes early (it leads the picture); delaying the
  sound by offset / 25 s cures it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
FEATURE_STEPS_PER_FRAME = 4
MAX_SHIFT_FRAMES = 15
CROP_SIZE_PX = 224


class Rows(Protocol):
    """Numbers in a row each: an array, or what reads them from a file (syncnet.system.byte_store)."""

    def __len__(self) -> int: ...

    def __getitem__(self, part: slice, /) -> np.ndarray: ...


Samples: TypeAlias = Rows
"""Sound as int16 samples, 16 kHz mono."""

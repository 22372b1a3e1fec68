"""Where in the sound somebody speaks, by Silero's voice activity detector, and which frames are near it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from syncnet.conventions import FPS, SAMPLES_PER_FRAME, Samples

LEAST_CHANCE = 0.5
MARGIN_FRAMES = 1
"""Lips move before they are heard and after, but an embedding near a long pause sees much of it."""
LONG_PAUSE_FRAMES = FPS
"""A shorter pause belongs to the speech around it: closed lips in a breath fit the sound, and say so."""


def find_speech(samples: Samples) -> np.ndarray:
    """Whether each frame's sound holds speech, shape (frames,), bool, of int16 samples at 16 kHz from frame 0 on."""
    # torch takes seconds to load, and who only reads what was found needs none.
    from syncnet.models.silero import STEP_SAMPLES, speech_chances

    starts = np.arange(len(samples) // SAMPLES_PER_FRAME) * SAMPLES_PER_FRAME
    if not len(starts):
        return np.zeros(0, bool)
    speaks = speech_chances(samples) >= LEAST_CHANCE
    speech: np.ndarray = speaks[starts // STEP_SAMPLES] | speaks[(starts + SAMPLES_PER_FRAME - 1) // STEP_SAMPLES]
    return speech


def speech_beside(speech: np.ndarray, first_frame: int, count: int) -> np.ndarray:
    """Whether somebody speaks in each of ``count`` frames from ``first_frame`` on, bool; nobody does beyond the end."""
    beside = speech[first_frame : first_frame + count]
    return np.pad(beside, (0, count - len(beside)))


def without_long_pauses(speech: np.ndarray) -> np.ndarray:
    """Frames that belong to speech, bool: beside speech, or in a short pause, also at the ends."""
    near = np.convolve(speech, np.ones(2 * MARGIN_FRAMES + 1), "full")[MARGIN_FRAMES : MARGIN_FRAMES + len(speech)]
    counts = np.asarray(near > 0.5)
    for start, end in pauses(speech):
        if end - start < LONG_PAUSE_FRAMES and end - start < len(speech):
            counts[start:end] = True
    return counts


def pauses(speech: np.ndarray) -> Iterator[tuple[int, int]]:
    """First frame of each stretch without speech, and the one behind it."""
    changes = np.flatnonzero(np.diff(speech, prepend=True, append=True)).tolist()
    yield from zip(changes[::2], changes[1::2], strict=True)

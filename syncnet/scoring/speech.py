"""Where in the sound somebody speaks, by WebRTC's voice activity detector."""

from __future__ import annotations

import numpy as np
import webrtcvad

from syncnet.conventions import SAMPLE_RATE, SAMPLES_PER_FRAME

AGGRESSIVENESS = 1
"""Of 0 to 3. At 3 less music and noise passes for speech, but speech that is missed costs evidence."""
_SAMPLES_PER_PIECE = SAMPLES_PER_FRAME // 2
"""20 ms, one of the three lengths that the detector takes."""
MARGIN_FRAMES = 4
"""Lips move before they are heard and after, and an embedding sees five frames to either side."""


def find_speech(samples: np.ndarray) -> np.ndarray:
    """Whether each frame's sound holds speech, shape (frames,), bool, of int16 samples at 16 kHz from frame 0 on."""
    detector = webrtcvad.Vad(AGGRESSIVENESS)
    count = len(samples) // _SAMPLES_PER_PIECE
    pieces = samples[: count * _SAMPLES_PER_PIECE].reshape(count, _SAMPLES_PER_PIECE)
    heard = [detector.is_speech(piece.tobytes(), SAMPLE_RATE) for piece in pieces]
    by_frame = np.array(heard[: count // 2 * 2], dtype=bool).reshape(-1, 2)
    speech: np.ndarray = by_frame[:, 0] | by_frame[:, 1]
    return speech


def speech_beside(speech: np.ndarray, first_frame: int, count: int) -> np.ndarray:
    """Whether somebody speaks in each of ``count`` frames from ``first_frame`` on, bool; nobody does beyond the end."""
    beside = speech[first_frame : first_frame + count]
    return np.pad(beside, (0, count - len(beside)))


def with_margin(speech: np.ndarray) -> np.ndarray:
    """Frames with speech within four frames of them, bool."""
    near = np.convolve(speech, np.ones(2 * MARGIN_FRAMES + 1), "full")[MARGIN_FRAMES : MARGIN_FRAMES + len(speech)]
    return np.asarray(near > 0.5)

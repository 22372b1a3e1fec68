"""Network inputs of the embedded model: mouth squares from face crops, log mel energies from samples."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import python_speech_features as psf

from syncnet.conventions import FEATURE_STEPS_PER_FRAME, SAMPLE_RATE, SAMPLES_PER_FRAME, Samples

MOUTH_SIZE_PX = 64
# In the 224 px crop: from the height of the nose root to below the chin, as wide as the face.
MOUTH_LEFT_PX, MOUTH_TOP_PX, MOUTH_SIDE_PX = 64, 80, 96

MEL_BANDS = 40
SAMPLES_PER_STEP = SAMPLES_PER_FRAME // FEATURE_STEPS_PER_FRAME
WINDOW_SAMPLES = 400
"""25 ms."""
FFT_SIZE = 512
STEPS_PER_BLOCK = 1_500
"""15 s: what the library makes of them takes 20 MB."""
MOST_STEPS_HELD = 30_000
"""Five minutes, 5 MB."""
# The power of int16 rounding noise in one band is near 1: below it there is no sound, only arithmetic.
ENERGY_FLOOR = 1.0
MIN_BAND_STD = 0.5
FEWEST_COUNTED_STEPS = 100
"""A second: the bands of less speech say more of its few sounds than of the voice and the room."""


def cut_mouths(crops: np.ndarray) -> np.ndarray:
    """Mouth squares, shape (n, 64, 64), uint8 grey, of face crops, (n, 224, 224, 3) uint8 BGR or (n, 224, 224) grey."""
    mouths = np.empty((len(crops), MOUTH_SIZE_PX, MOUTH_SIZE_PX), np.uint8)
    rows = slice(MOUTH_TOP_PX, MOUTH_TOP_PX + MOUTH_SIDE_PX)
    columns = slice(MOUTH_LEFT_PX, MOUTH_LEFT_PX + MOUTH_SIDE_PX)
    for crop, mouth in zip(crops, mouths, strict=True):
        square = np.ascontiguousarray(crop[rows, columns])
        grey = square if square.ndim == 2 else cv2.cvtColor(square, cv2.COLOR_BGR2GRAY)
        mouth[:] = cv2.resize(grey, (MOUTH_SIZE_PX, MOUTH_SIZE_PX), interpolation=cv2.INTER_AREA)
    return mouths


def count_mel_steps(sample_count: int) -> int:
    """Steps of 10 ms whose whole 25 ms window lies within the samples."""
    return max(0, (sample_count - WINDOW_SAMPLES) // SAMPLES_PER_STEP + 1)


def log_mel(samples: Samples) -> np.ndarray:
    """Log mel energies, shape (steps, 40), float32, natural logarithm, of int16 samples at 16 kHz.

    Step j covers the samples from 160 j to 160 j + 400, so the steps of frame n start at 4 n. Bands and
    windows are those of python_speech_features.fbank.
    """
    return np.concatenate([np.empty((0, MEL_BANDS), np.float32), *mel_blocks(samples)])


def mel_blocks(samples: Samples) -> Iterator[np.ndarray]:
    """``log_mel`` of long sound, 15 s at a time: the library holds every window at once."""
    step_count = count_mel_steps(len(samples))
    for first in range(0, step_count, STEPS_PER_BLOCK):
        energies = _block_energies(samples, first, min(first + STEPS_PER_BLOCK, step_count))
        yield np.log(np.maximum(energies, ENERGY_FLOOR))


def _block_energies(samples: Samples, first_step: int, end_step: int) -> np.ndarray:
    start = first_step * SAMPLES_PER_STEP
    end = (end_step - 1) * SAMPLES_PER_STEP + WINDOW_SAMPLES
    # Pre-emphasis reaches one sample back; doing it here keeps block borders invisible.
    block = samples[max(start - 1, 0) : end].astype(np.float64)
    emphasised = np.append(block[:1], block[1:] - 0.97 * block[:-1])
    energies, _ = psf.fbank(
        emphasised[1 if start else 0 :],
        SAMPLE_RATE,
        winlen=WINDOW_SAMPLES / SAMPLE_RATE,
        winstep=SAMPLES_PER_STEP / SAMPLE_RATE,
        nfilt=MEL_BANDS,
        nfft=FFT_SIZE,
        preemph=0,
    )
    return np.asarray(energies[: end_step - first_step], np.float32)


def normalise_bands(mel: np.ndarray, counts: np.ndarray | None = None) -> np.ndarray:
    """Each band brought to mean 0 and standard deviation 1 over time; a band that hardly moves stays small.

    ``counts`` (steps,) bool: which steps mean and deviation are of; with too few of them, or without it, all.
    """
    if not len(mel):
        # A face that is seen beyond the end of the sound.
        return mel
    counted = mel if counts is None or _too_few(counts) else mel[counts]
    normal: np.ndarray = (mel - counted.mean(axis=0)) / np.maximum(counted.std(axis=0), MIN_BAND_STD)
    return normal


def normal_blocks(samples: Samples, counts: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """``normalise_bands`` of the ``log_mel`` of sound however long it is, in blocks (n, 40), float32.

    Of more than five minutes nothing is held: the mel energies are made twice.
    """
    if count_mel_steps(len(samples)) <= MOST_STEPS_HELD:
        yield normalise_bands(log_mel(samples), counts)
        return
    counts = None if counts is None or _too_few(counts) else counts
    sums, squares, count, first = np.zeros(MEL_BANDS), np.zeros(MEL_BANDS), 0, 0
    for block in mel_blocks(samples):
        counted = (block if counts is None else block[counts[first : first + len(block)]]).astype(np.float64)
        sums += counted.sum(axis=0)
        squares += (counted**2).sum(axis=0)
        count += len(counted)
        first += len(block)
    mean = sums / count
    deviation = np.maximum(np.sqrt(np.maximum(squares / count - mean**2, 0)), MIN_BAND_STD)
    for block in mel_blocks(samples):
        yield ((block - mean) / deviation).astype(np.float32)


def _too_few(counts: np.ndarray) -> bool:
    return bool(counts.sum() < FEWEST_COUNTED_STEPS)

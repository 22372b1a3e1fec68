"""One sound of a file, decoded once, as blocks of samples that follow each other without a gap from one time on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import opened, picture_stream
from syncnet.media.sound import DRIFT_MEMORY_SECONDS, MAX_DRIFT_SECONDS, MAX_JITTER_SECONDS, MOST_PLANES
from syncnet.repair.copying import CannotCopyError
from syncnet.system.interruption import StopFlag

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream

_LARGEST = {np.dtype(np.uint8): 2.0**7, np.dtype(np.int16): 2.0**15, np.dtype(np.int32): 2.0**31}
MOST_ZEROS = 48_000
"""In one block."""


@dataclass(frozen=True)
class SoundKind:
    """What the samples of a sound are."""

    rate: int
    layout: str
    sample_format: str
    """FFmpeg's name of the decoder's own."""


def kind_of(stream: AudioStream) -> SoundKind:
    """By the header of the file."""
    context = stream.codec_context
    return SoundKind(context.sample_rate, context.layout.name, context.format.name)


def decoded_blocks(path: Path, track: int, kind: SoundKind, begin: Fraction, stop: StopFlag) -> Iterator[np.ndarray]:
    """Blocks (channels, n) float32, full scale 1, from ``begin`` on, in seconds of the file's own clock.

    What comes before is cut, and gaps are zeros; stamps are believed as by ``syncnet.media.sound.SoundTape``. Raises
    CannotCopyError where the sound changes its kind, and what StreamDecoder does.
    """
    with opened(path) as container:
        stream = container.streams.audio[track]
        decoder = StreamDecoder(path, container, stream, picture_stream(container, path), stop=stop)
        yield from _laid(decoder, kind, begin)


def _laid(decoder: StreamDecoder, kind: SoundKind, begin: Fraction) -> Iterator[np.ndarray]:
    position, expected, drift = 0, begin, Fraction(0)
    stretch, first = 0, True
    for time, decoded in decoder.frames():
        frame = cast("AudioFrame", decoded)
        if (frame.sample_rate, frame.layout.name) != (kind.rate, kind.layout):
            raise CannotCopyError("its sound changes its rate or its channels along the file")
        length = Fraction(frame.samples, frame.sample_rate)
        block = _samples(frame)
        if time is not None:
            stray = time - expected
            drift += (stray - drift) * min(length / DRIFT_MEMORY_SECONDS, Fraction(1))
            drift = drift.limit_denominator(1_000_000)
            if first or decoder.stretch != stretch or abs(stray) > MAX_JITTER_SECONDS:
                expected, drift = time, Fraction(0)
            elif abs(drift) > MAX_DRIFT_SECONDS:
                expected, drift = expected + drift, Fraction(0)
        first, stretch = False, decoder.stretch
        place = round((expected - begin) * kind.rate)
        expected += length
        while position < place:
            zeros = min(place - position, MOST_ZEROS)
            yield np.zeros((len(block), zeros), np.float32)
            position += zeros
        block = block[:, position - place :]
        position += block.shape[1]
        if block.shape[1]:
            yield block


def _samples(frame: AudioFrame) -> np.ndarray:
    """(channels, n) float32."""
    channels = frame.layout.nb_channels
    if frame.format.is_planar and channels > MOST_PLANES:
        raise CannotCopyError(f"its sound has {channels} channels, more than can be taken apart")
    wave = frame.to_ndarray()
    if not frame.format.is_planar:
        wave = wave.reshape(-1, channels).T
    largest = _LARGEST.get(wave.dtype)
    if largest is None:
        return np.ascontiguousarray(wave, np.float32)
    middle = 2.0**7 if wave.dtype == np.uint8 else 0.0
    # 24 bits of integers of 32 are kept.
    return np.ascontiguousarray((wave.astype(np.float64) - middle) / largest, np.float32)

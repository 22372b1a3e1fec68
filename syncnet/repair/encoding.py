"""Samples -> packets in the codec of the sound that they take the place of."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np

from syncnet.media.file import opened
from syncnet.repair.copying import CannotCopyError, NewPacket, told_as
from syncnet.repair.sound import SoundKind, kind_of

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer

ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}
"""Where FFmpeg's encoder has another name than the codec, or is the lesser one."""
SAME_NAME = ("aac", "mp2", "ac3", "eac3", "flac", "alac")
LOSSLESS = ("flac", "alac")
OPTIONS = {"opus": {"vbr": "off"}}
"""Of its own, libopus may stay far below the rate that it is asked for."""
_LAYERS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
STEPS = {"mp3": _LAYERS[:14], "mp2": (*_LAYERS[:1], *_LAYERS[2:15]), "ac3": _LAYERS}
"""Thousands of bits a second, where a codec knows no others; MPEG-1 and ATSC A/52."""
LEAST_BIT_RATE = 48_000
"""A channel: what is encoded for the second time should not lose as much again."""
_NEAR = 0.98
"""Of a step: what an average misses it by."""
_FRAME = 1024


def encoder_for(codec: str) -> str:
    """Raises CannotCopyError where there is none that does the sound justice."""
    name = ENCODERS.get(codec, codec)
    known = codec in ENCODERS or codec in SAME_NAME or codec.startswith("pcm_")
    if not known or name not in av.codecs_available:
        raise CannotCopyError(f"there is no encoder for its sound ({codec})")
    return name


def _step_for(codec: str, bit_rate: int) -> int:
    """The lowest that the codec knows and that is no lower; the highest of all where there is none."""
    steps = [1000 * step for step in STEPS.get(codec, ())]
    return next((step for step in steps if step >= _NEAR * bit_rate), steps[-1]) if steps else bit_rate


def peak_bit_rate(path: Path, track: int) -> int:
    """Of the second of a sound that takes the most, in bits a second; 0 where its stamps tell nothing.

    The mean of a sound with pauses would be too little for its speech.
    """
    second, whole = deque[tuple[int, Fraction]](), Fraction(0)
    size, seconds, peak = 0, Fraction(0), 0.0
    with opened(path) as container:
        for packet in container.demux(container.streams.audio[track]):
            length = Fraction((packet.duration or 0) * packet.time_base) if packet.size else Fraction(0)
            second.append((packet.size, length))
            size, seconds, whole = size + packet.size, seconds + length, whole + length
            while seconds - second[0][1] >= 1:
                size, seconds = size - second[0][0], seconds - second[0][1]
                second.popleft()
            if seconds >= 1 or (whole == seconds and seconds):
                peak = max(peak, 8 * size / float(max(seconds, Fraction(1))))
    return round(peak)


class Encoding:
    """The sound stream of a new file that is like another one, and is written from samples."""

    def __init__(self, container: OutputContainer, like: AudioStream, least_bit_rate: int) -> None:
        """``least_bit_rate``: in bits a second; no lower one is asked of the encoder. Raises CannotCopyError."""
        codec = like.codec_context.codec.canonical_name
        self._kind = kind_of(like)
        try:
            # One name may stand for a codec of any kind, to the type checker.
            self._stream: Any = cast("Any", container).add_stream(
                encoder_for(codec), rate=self._kind.rate, options=OPTIONS.get(codec)
            )
            context = self._stream.codec_context
            context.layout = self._kind.layout
            context.sample_rate = self._kind.rate
            formats = [one.name for one in context.codec.audio_formats or ()]
            if self._kind.sample_format in formats:
                context.format = self._kind.sample_format
            context.time_base = Fraction(1, self._kind.rate)
            if codec not in LOSSLESS and not codec.startswith("pcm_"):
                floor = LEAST_BIT_RATE * context.layout.nb_channels
                context.bit_rate = _step_for(codec, max(least_bit_rate, like.codec_context.bit_rate or 0, floor))
            told_as(self._stream, like)
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise CannotCopyError(f"its sound cannot be encoded again ({codec}: {error})") from error

    def priming_samples(self) -> int:
        """How many the encoder puts before the first one; asked of another one like it, since only packets tell."""
        context = self._stream.codec_context
        other: Any = av.CodecContext.create(context.codec.name, "w")
        other.sample_rate, other.layout, other.format = context.sample_rate, context.layout.name, context.format.name
        other.bit_rate, other.time_base = context.bit_rate, context.time_base
        other.open()
        size = other.frame_size or _FRAME
        silence = av.AudioFrame.from_ndarray(
            np.zeros((context.layout.nb_channels, size), np.float32), format="fltp", layout=self._kind.layout
        )
        silence.sample_rate, silence.pts, silence.time_base = self._kind.rate, 0, context.time_base
        packets = [*other.encode(silence), *other.encode(None)]
        return max(0, -int(packets[0].pts)) if packets else 0

    def packets(self, blocks: Iterator[np.ndarray], begin: Fraction) -> Iterator[NewPacket]:
        """``begin``: when the first sample is heard, in seconds of the file's own clock."""
        rate = self._kind.rate
        position = round(begin * rate)
        chunk = self._stream.codec_context.frame_size or _FRAME
        for block in in_chunks(blocks, chunk):
            frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=self._kind.layout)
            frame.sample_rate, frame.pts, frame.time_base = rate, position, Fraction(1, rate)
            position += block.shape[1]
            yield from self._timed(self._stream.encode(frame))
        yield from self._timed(self._stream.encode(None))

    def _timed(self, packets: list[Any]) -> Iterator[NewPacket]:
        for packet in packets:
            yield packet.pts * packet.time_base, packet


def in_chunks(blocks: Iterator[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """The same samples in blocks of so many; the last one may be shorter."""
    held: list[np.ndarray] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += block.shape[1]
        if count >= size:
            joined = np.concatenate(held, axis=1)
            whole = count - count % size
            for first in range(0, whole, size):
                yield np.ascontiguousarray(joined[:, first : first + size])
            held, count = [joined[:, whole:]], count - whole
    if count:
        yield np.ascontiguousarray(np.concatenate(held, axis=1))


def kind_in(path: Path, track: int) -> SoundKind:
    """Of the sound of a file."""
    with opened(path) as container:
        return kind_of(container.streams.audio[track])

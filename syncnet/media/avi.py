"""When the pictures of an AVI file are shown: it holds no times of them but their order of decoding."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from syncnet.media.file import opened, picture_stream

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

MOST_PACKETS = 1000
_MOST_REORDERED = 64
"""Packets, twice as many as any codec's depth."""


class AviClock:
    """Time stamps of decoded pictures, in frames. Those that FFmpeg makes up are wrong where the codec reorders.

    Without frame threads, a picture comes out with the decoding time of the packet that drove it out, and that is late
    by a constant: the depth of the reordering, which is how many packets were fed before the first picture came out.
    """

    def __init__(self, beginning: Sequence[int] = ()) -> None:
        """``beginning``: decoding times of the first packets of a file that FFmpeg wrote."""
        self._beginning = beginning
        self._first: int | None = None
        self._fed = self._packets = 0
        self.depth: int | None = None
        """Of the reordering, in frames; None until a picture came out."""

    def feed(self, packet: Packet[Stream]) -> None:
        """Note a packet of the picture before it is decoded, and take FFmpeg's stamp off it."""
        packet.pts = None
        if self._first is None and packet.is_keyframe:
            self._first = packet.dts
        if self._first is not None and self.depth is None:
            self._fed += packet.duration or 1
            self._packets += 1

    def shown_at(self, decoding_time: int | None) -> int | None:
        """When the picture is shown that came out with this decoding time."""
        if decoding_time is None or self._first is None:
            return None
        if self.depth is None:
            # Where the file leaves pictures out between the first packets, the decoding time runs ahead of their count.
            ahead = decoding_time - self._first
            self.depth = max(0, ahead if self._is_gap_twice(ahead) else min(ahead, self._fed - 1))
            return self._first
        return decoding_time - self.depth

    def _is_gap_twice(self, ahead: int) -> bool:
        """Whether the first steps come once more after the reordering.

        FFmpeg's encoders begin to count decoding times so early that each picture can come at its time: by as much as
        lies between the first pictures. AVI stores no time to begin with, so that a gap there stands in the file twice.
        """
        depth, times = self._packets - 1, self._beginning
        if len(times) <= 2 * depth or times[depth] - times[0] != ahead:
            return False
        return all(times[k] - times[0] == times[k + depth] - times[depth] for k in range(depth + 1))


def beginning_by_ffmpeg(path: Path) -> list[int]:
    """Decoding times of the first packets of the pictures, in frames; empty where another program wrote the file."""
    with opened(path) as container:
        if not container.metadata.get("software", "").startswith("Lavf"):
            return []
        packets = container.demux(picture_stream(container, path))
        return [packet.dts for packet in itertools.islice(packets, _MOST_REORDERED) if packet.dts is not None]


def reordering_told_by_sound(container: InputContainer, depth_seconds: Fraction) -> Fraction:
    """Seconds by which all pictures are shown later: the depth of reordering where the writer starts sound so late.

    FFmpeg and GStreamer start sound and picture together and leave it to the player to show the first picture at
    once; MEncoder has it shown when it comes out of the decoder, and starts the sound later by that. Consumes the
    container.
    """
    if depth_seconds <= 0 or not container.streams.audio:
        return Fraction(0)
    sound = container.streams.audio[0]
    for count, packet in enumerate(container.demux(sound)):
        if packet.size and packet.pts is not None:
            differs = abs(packet.pts * packet.time_base - depth_seconds)
            # Half a frame, of a depth of one or more.
            return depth_seconds if differs < depth_seconds / 4 else Fraction(0)
        if count == MOST_PACKETS:
            break
    return Fraction(0)

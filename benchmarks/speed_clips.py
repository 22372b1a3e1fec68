"""Videos for the benchmarks: a clip several times over, its start, or in another size."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
from av.video.frame import PictureType

if TYPE_CHECKING:
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

_PAUSE_SECONDS = 0.2
"""Between two times. Where frames are coded out of order, the stamps of decoding begin before zero."""


def repeat_clip(clip: Path, target: Path, seconds: float) -> int:
    """Writes the clip so many times that the whole lasts at least ``seconds``; returns how many times that is."""
    with av.open(str(clip)) as source:
        length = source.duration / av.time_base + _PAUSE_SECONDS
    times = max(1, -int(-seconds // length))
    with av.open(str(target), "w") as joined:
        streams = None
        for number in range(times):
            with av.open(str(clip)) as source:
                originals = [source.streams.video[0], source.streams.audio[0]]
                if streams is None:
                    streams = {stream.index: joined.add_stream_from_template(stream) for stream in originals}
                for packet in source.demux(originals):
                    if packet.dts is None or packet.pts is None:
                        continue
                    moved = round(number * length / packet.time_base)
                    packet.pts, packet.dts = packet.pts + moved, packet.dts + moved
                    packet.stream = streams[packet.stream.index]
                    joined.mux(packet)
    return times


def write_scaled(clip: Path, target: Path, width: int, height: int) -> None:
    """The clip with pictures of another size, in H.264, its sound copied."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as scaled:
        picture, sound = source.streams.video[0], source.streams.audio[0]
        rate = Fraction(picture.average_rate or 25)
        encoder = cast("VideoStream", scaled.add_stream("libx264", rate=rate))
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.codec_context.time_base = 1 / rate
        copied = scaled.add_stream_from_template(sound)
        number = 0
        for packet in source.demux(picture, sound):
            if packet.stream.index == sound.index:
                if packet.dts is not None:
                    packet.stream = copied
                    scaled.mux(packet)
                continue
            for decoded in packet.decode():
                frame = cast("VideoFrame", decoded).reformat(width, height, "yuv420p")
                frame.pts, frame.time_base, frame.pict_type = number, 1 / rate, PictureType.NONE
                number += 1
                scaled.mux(encoder.encode(frame))
        scaled.mux(encoder.encode(None))


def write_start(clip: Path, target: Path, seconds: float) -> None:
    """So much of the start of the clip, its packets copied."""
    with av.open(str(clip)) as source, av.open(str(target), "w") as start:
        streams = [source.streams.video[0], source.streams.audio[0]]
        copies = {stream.index: start.add_stream_from_template(stream) for stream in streams}
        for packet in source.demux(streams):
            if packet.dts is not None and packet.dts * packet.time_base < seconds:
                packet.stream = copies[packet.stream.index]
                start.mux(packet)

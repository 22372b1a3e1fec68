"""Long videos for the benchmarks: one clip several times over, its packets copied."""

from __future__ import annotations

from pathlib import Path

import av

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

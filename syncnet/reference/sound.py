"""Sound of a file through FFmpeg's filters: resampled, mixed down, its start aligned, in frames of a wanted length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, cast

import av
from av.filter import Graph

from syncnet.conventions import SAMPLE_RATE
from syncnet.media.decoder import StreamDecoder
from syncnet.reference.tools import ALIGN_START, ReferenceJob

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame


@dataclass(frozen=True)
class SoundFormat:
    """What the sound is brought to."""

    sample_format: str = "s16"
    rate: int = SAMPLE_RATE
    layout: str = "mono"
    frame_samples: int = 0
    """Of each frame but the last; 0: as they come."""
    align_start: bool = False


def filter_sound(
    job: ReferenceJob, decoder: StreamDecoder, start: Fraction, wanted: SoundFormat
) -> Iterator[AudioFrame]:
    """Decoded frames in the wanted format; ``start`` is the time zero, in seconds of the file's own clock."""
    graph: Graph | None = None
    for time, decoded in decoder.frames():
        job.stop.check()
        frame = cast("AudioFrame", decoded)
        if graph is None:
            graph = _graph(frame, wanted)
        tick = Fraction(1, frame.sample_rate)
        frame.pts = None if time is None else round((time - start) / tick)
        frame.time_base = tick
        graph.push(frame)
        yield from _ready(graph)
    if graph is not None:
        graph.push(None)
        yield from _ready(graph)


def _graph(first: AudioFrame, wanted: SoundFormat) -> Graph:
    graph = Graph()
    graph.threads = 1
    formats = f"sample_fmts={wanted.sample_format}:sample_rates={wanted.rate}:channel_layouts={wanted.layout}"
    nodes = [
        graph.add_abuffer(
            sample_rate=first.sample_rate,
            format=first.format.name,
            layout=first.layout.name,
            time_base=Fraction(1, first.sample_rate),
        ),
        *([graph.add("aresample", ALIGN_START)] if wanted.align_start else []),
        graph.add("aformat", formats),
        *([graph.add("asetnsamples", f"n={wanted.frame_samples}:p=0")] if wanted.frame_samples else []),
        graph.add("abuffersink"),
    ]
    graph.link_nodes(*nodes).configure()
    return graph


def _ready(graph: Graph) -> Iterator[AudioFrame]:
    while True:
        try:
            yield cast("AudioFrame", graph.pull())
        except (av.error.BlockingIOError, av.error.EOFError):
            return

"""Sound that runs too fast or too slow -> the same sound at the pace of the picture, by FFmpeg's filters."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import numpy as np
from av.filter import Graph

from syncnet.repair.sound import SoundKind

FILTER = "filter_size=64:phase_shift=10:cutoff=0.98"
"""Of FFmpeg's own resampler; docs/repair.md has what it was chosen by. FFmpeg's build in PyAV has no soxr."""
MOST_RATE_ERROR = 1e-9


def at_pace(blocks: Iterator[np.ndarray], kind: SoundKind, pace: float, *, keep_pitch: bool) -> Iterator[np.ndarray]:
    """``pace``: how much of the old sound is heard in one second of the new one. Blocks (channels, n) float32.

    Without ``keep_pitch`` the pitch follows, as from a tape.
    """
    graph = _graph(kind, pace, keep_pitch=keep_pitch)
    for block in blocks:
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), format="fltp", layout=kind.layout)
        frame.sample_rate = kind.rate
        graph.push(frame)
        yield from _ready(graph)
    graph.push(None)
    yield from _ready(graph)


def _graph(kind: SoundKind, pace: float, *, keep_pitch: bool) -> Graph:
    graph = Graph()
    graph.threads = 1
    if keep_pitch:
        filters = [graph.add("atempo", repr(pace))]
    else:
        # Two whole rates whose ratio is the pace: the sound is called one, brought to the other, and called its own.
        ratio = Fraction(pace).limit_denominator(2 * kind.rate)
        times = max(1, round(kind.rate / ratio.denominator))
        called, wanted = ratio.numerator * times, ratio.denominator * times
        filters = [
            graph.add("asetrate", str(called)),
            graph.add("aresample", f"{wanted}:{FILTER}"),
            graph.add("asetrate", str(kind.rate)),
        ]
    graph.link_nodes(
        graph.add_abuffer(sample_rate=kind.rate, format="fltp", layout=kind.layout),
        *filters,
        graph.add("aformat", "sample_fmts=fltp"),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _ready(graph: Graph) -> Iterator[np.ndarray]:
    while True:
        try:
            yield graph.pull().to_ndarray()
        except (av.error.BlockingIOError, av.error.EOFError):
            return

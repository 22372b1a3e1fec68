"""Decoded sound -> samples of one rate and layout, 16 kHz mono for scoring, each laid where its time stamp says."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from typing import TYPE_CHECKING, cast

import av
import numpy as np
from av.filter import Graph

from syncnet.conventions import SAMPLE_RATE, Samples
from syncnet.system.byte_store import ByteStore

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame

MAX_JITTER_SECONDS = Fraction(15, 1000)
"""Stamps that stray from the running count of samples by less do not cut the sound. Rounding to milliseconds
(Matroska, FLV, WMV) and stamps taken from a wall clock stay below; the loss of one packet shows: 20 ms or more in the
usual codecs."""
MAX_DRIFT_SECONDS = Fraction(3, 1000)
"""But where they stray to one side by more than this for about a second, the count is put right: the loss of a packet
of 10 ms, a sound card whose clock is off."""
DRIFT_MEMORY_SECONDS = Fraction(1)
LEAST_MIX = 0.1
"""Where the sum of all channels has less energy than this share of the loudest one, they cancel out. Equal ones have
4, unrelated ones 2, one alone has 1."""
MOST_PLANES = 7
"""From eight on PyAV 18 crashes when it is asked for the planes of a frame, and PyAV 19 raises an error; they are only
mixed."""
MIXED = ""
_FRAMES_AT_ONCE = 32
_SAMPLE_BYTES = 2


@dataclass(frozen=True)
class SoundForm:
    """What samples are brought to."""

    rate: int = SAMPLE_RATE
    layout: str = "mono"
    """By FFmpeg's name."""

    @property
    def channels(self) -> int:
        return av.AudioLayout(self.layout).nb_channels


SCORED = SoundForm()


class SoundTape:
    """Lays decoded frames on a tape that starts at ``start`` on the file's clock.

    What comes before the start is cut, gaps are zeros, and where two stretches overlap the later one stays. The tape
    ends where the sound ends, before or after the picture does. It takes 32 kB a second of 16 kHz mono.
    """

    def __init__(
        self,
        start: Fraction,
        channel: int | None = None,
        form: SoundForm = SCORED,
        most_held_bytes: float = math.inf,
    ) -> None:
        """``channel``: the one that is heard, counted from 0, where there are so many; None: all of them.

        ``most_held_bytes``: see ``ByteStore``.
        """
        self._start = start
        self._channel = channel
        self._form = form
        self._sample_bytes = _SAMPLE_BYTES * form.channels
        self._loudness = _Loudness()
        self._store = ByteStore(most_held_bytes)
        self._position = 0
        self._resampler: _Resampler | None = None
        self._kind: tuple[str, str, int] | None = None
        self._expected = start
        self._drift = Fraction(0)

    @property
    def seconds(self) -> float:
        """How much there is by now."""
        return self._position / self._form.rate

    def add(self, time: Fraction | None, frame: AudioFrame) -> None:
        """Append one decoded frame; ``time`` None means right after the one before."""
        kind = (frame.format.name, frame.layout.name, frame.sample_rate)
        length = _length(frame.samples, frame.sample_rate)
        if self._channel is None:
            self._loudness.hear(frame)
        resampler = self._resampler
        if resampler is None or kind != self._kind:
            resampler = self._begin_run(self._expected if time is None else time, kind)
        elif time is not None and (self._drift or time != self._expected):
            stray = time - self._expected
            self._drift += (stray - self._drift) * min(length / DRIFT_MEMORY_SECONDS, Fraction(1))
            # Fractions would grow without end in a running mean.
            self._drift = self._drift.limit_denominator(1_000_000)
            if abs(stray) > MAX_JITTER_SECONDS:
                resampler = self._begin_run(time, kind)
            elif abs(self._drift) > MAX_DRIFT_SECONDS:
                resampler = self._begin_run(self._expected + self._drift, kind)
        self._write_all(resampler.resample(frame))
        self._expected += length

    @property
    def louder_channel(self) -> int | None:
        """The channel to be heard alone, where most of the sound cancels out in the mix; None: the mix will do."""
        return self._loudness.lone_channel

    def cut(self) -> None:
        """The next frame is laid where its time says, however little it strays from the running count."""
        self._kind = None

    def finish(self, first: int = 0) -> Samples:
        """All samples from that one on, (S,) int16; those of several channels in turn."""
        self._end_run()
        return self._store.rows(np.int16, first=first)

    def read(self, first: int, end: int) -> np.ndarray:
        """Samples of the tape as it is, (end - first, channels) int16; zeros where it has none."""
        there = self._store.read(first * self._sample_bytes, end * self._sample_bytes)
        return np.frombuffer(there, np.int16).reshape(-1, self._form.channels)

    def forget(self, before: int) -> None:
        """Lets go of the samples before this one, those to come too; they read as zeros from now on."""
        self._store.forget(before * self._sample_bytes)

    def _begin_run(self, time: Fraction, kind: tuple[str, str, int]) -> _Resampler:
        self._end_run()
        resampler = self._resampler = _Resampler(*kind, self._channel, self._form)
        self._kind = kind
        self._expected, self._drift = time, Fraction(0)
        self._position = round((time - self._start) * self._form.rate)
        return resampler

    def _end_run(self) -> None:
        if self._resampler is not None:
            self._write_all(self._resampler.finish())
            self._resampler = None

    def _write_all(self, blocks: list[np.ndarray]) -> None:
        for block in blocks:
            self._write(block)

    def _write(self, block: np.ndarray) -> None:
        self._store.write(self._position * self._sample_bytes, block.tobytes())
        self._position += len(block)


@lru_cache(maxsize=64)
def _length(samples: int, rate: int) -> Fraction:
    """In seconds. Nearly all frames of a file have one and the same; to reduce a fraction takes its time."""
    return Fraction(samples, rate)


class _Loudness:
    """Whether channels cancel each other out: a cable with two wires swapped, a microphone's signal stored twice."""

    def __init__(self) -> None:
        self._channels: dict[int, np.ndarray] = {}
        """Energy of each channel, by their number."""
        self._mix: dict[int, float] = {}
        """Energy of their plain sum."""
        self._kind = ("", "", 0)
        """Format and layout of what is held, and its number of channels."""
        self._held: list[np.ndarray] = []
        """A frame is short: what is done with one takes longer to begin than to do."""

    def hear(self, frame: AudioFrame) -> None:
        count = frame.layout.nb_channels
        if count == 1 or frame.samples == 0 or (frame.format.is_planar and count > MOST_PLANES):
            return
        kind = frame.format.name, frame.layout.name, count
        if kind != self._kind or len(self._held) == _FRAMES_AT_ONCE:
            self._weigh()
            self._kind = kind
        waves = frame.to_ndarray()
        self._held.append(waves if frame.format.is_planar else waves.reshape(-1, count).T)

    def _weigh(self) -> None:
        if not self._held:
            return
        sample_format, layout, count = self._kind
        waves = np.concatenate(self._held, axis=1).astype(np.float32)
        self._held.clear()
        if sample_format.startswith("u8"):
            waves -= 128
        # What the mix leaves out, and is the loudest in films.
        channels = av.AudioLayout(layout).channels
        waves[[number for number, channel in enumerate(channels) if "LFE" in channel.name]] = 0
        energies = np.einsum("cs,cs->c", waves, waves, dtype=np.float64)
        mix = waves.sum(axis=0) if mixes(layout) else waves[0]
        self._channels[count] = self._channels.get(count, 0) + energies
        self._mix[count] = self._mix.get(count, 0.0) + float(np.dot(mix, mix))

    @property
    def lone_channel(self) -> int | None:
        self._weigh()
        for count, energies in self._channels.items():
            loudest = int(energies.argmax())
            if self._mix[count] < LEAST_MIX * energies[loudest]:
                return loudest
        return None


@cache
def mixes(layout: str) -> bool:
    """Whether FFmpeg knows how to mix channels of that name: not ambisonics, nor channels that nobody named."""
    try:
        _graph("s16", layout, SAMPLE_RATE, MIXED, SCORED)
    except av.FFmpegError:
        return False
    return True


def _graph(sample_format: str, layout: str, rate: int, taken: str, form: SoundForm) -> Graph:
    graph = Graph()
    graph.threads = 1
    alone = [] if taken == MIXED else [graph.add("pan", taken)]
    graph.link_nodes(
        graph.add_abuffer(sample_rate=rate, format=sample_format, layout=layout),
        *alone,
        graph.add("aformat", sample_fmts="s16", sample_rates=str(form.rate), channel_layouts=form.layout),
        graph.add("abuffersink"),
    ).configure()
    return graph


def _taken(layout: str, channel: int | None, form: SoundForm) -> str:
    """What FFmpeg's ``pan`` takes of such channels; MIXED: nothing has to be chosen."""
    count = av.AudioLayout(layout).nb_channels
    if channel is None or channel >= count:
        if mixes(layout):
            return MIXED
        if count == form.channels:
            return "|".join([form.layout, *(f"c{number}=c{number}" for number in range(count))])
        channel = 0
    return f"mono|c0=c{channel}"


class _Resampler:
    """Frames of one kind -> int16 of one form. What comes out belongs to the time of what went in: no delay is added.

    PyAV's AudioResampler does the same, but starts a pool of as many threads as the machine has cores.
    """

    def __init__(self, sample_format: str, layout: str, rate: int, channel: int | None, form: SoundForm) -> None:
        self._channels = form.channels
        self._graph = _graph(sample_format, layout, rate, _taken(layout, channel, form), form)

    def resample(self, frame: AudioFrame) -> list[np.ndarray]:
        """The samples that are ready, in blocks (n, channels). Some stay behind, half the length of the filter, until
        more or the end comes."""
        # Places are counted on the tape: FFmpeg must not mend stamps in its own way.
        frame.pts = None
        self._graph.push(frame)
        return self._ready()

    def finish(self) -> list[np.ndarray]:
        """The samples that stayed behind."""
        self._graph.push(None)
        return self._ready()

    def _ready(self) -> list[np.ndarray]:
        blocks: list[np.ndarray] = []
        while True:
            try:
                frame = cast("AudioFrame", self._graph.pull())
            except (av.error.BlockingIOError, av.error.EOFError):
                return blocks
            # frame.to_ndarray() makes the same in several steps.
            samples = np.frombuffer(cast("bytes", frame.planes[0]), np.int16)[: frame.samples * self._channels]
            blocks.append(samples.reshape(-1, self._channels))

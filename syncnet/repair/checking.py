"""Whether a file that was written is what it should be: all as it was, and the sound where it was to go."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from syncnet.conventions import SAMPLE_RATE, Samples
from syncnet.media.file import opened, picture_stream
from syncnet.repair.copying import CannotCopyError, copied_packets, start_of
from syncnet.repair.correction import Correction

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.stream import Stream

STAMP_MICROSECONDS = 2000
"""Files that store milliseconds round."""
MOST_ERROR_MS = 10.0
"""Between where the sound was to go and where it is; half of what a file may be off after all."""
_WINDOW_SECONDS = 0.5
_SEARCH_SECONDS = 0.2
_MOST_WINDOWS = 40
_LEAST_LIKENESS = 0.5
"""Correlation of the same sound before and after, encoded once more."""
_WRITERS_OWN = ("encoder", "duration", "creation_time", "major_brand", "minor_version", "compatible_brands", "software")
_STATISTICS = ("_statistics", "bps", "number_of_")


@dataclass
class _Told:
    """What is compared of a stream."""

    facts: dict[str, Any]
    digest: Any = field(default_factory=hashlib.sha256)
    packets: int = 0
    stamps: array[int] = field(default_factory=lambda: array("q"))
    """In microseconds: a film has half a million."""


def check_rest_unchanged(source: Path, target: Path, track: int) -> None:
    """Raises CannotCopyError, with what it is, where anything but the sound ``track`` is not as it was."""
    old, new = _tell(source, track), _tell(target, track)
    if old.keys() != new.keys():
        raise CannotCopyError("its streams do not come out as they were")
    for name, before in old.items():
        after = new[name]
        differs = [fact for fact in before.facts if before.facts[fact] != after.facts.get(fact)]
        if differs:
            raise CannotCopyError(f"of its {name}, the {differs[0]} does not come out as it was")
        if (before.packets, before.digest.digest()) != (after.packets, after.digest.digest()):
            raise CannotCopyError(f"the packets of its {name} do not come out as they were")
        if len(before.stamps) != len(after.stamps):
            raise CannotCopyError(f"packets of its {name} lose their time")
        moved = np.abs(np.array(before.stamps, np.int64) - np.array(after.stamps, np.int64))
        if moved.max(initial=0) > STAMP_MICROSECONDS:
            raise CannotCopyError(f"the times of its {name} do not come out as they were")


def _tell(path: Path, track: int) -> dict[str, _Told]:
    with opened(path) as container:
        moved = container.streams.audio[track].index
        told = {name: _Told(_facts(stream, moved=stream.index == moved)) for name, stream in _named(container)}
        names = {stream.index: name for name, stream in _named(container)}
        zero = _zero(container, path)
        told["file"] = _Told({"names": _names(container.metadata), "chapters": _chapters(container)})
    with opened(path) as container:
        kept = [stream for stream in container.streams if stream.index != moved]
        for packet in copied_packets(container, kept):
            one = told[names[packet.stream_index]]
            one.packets += 1
            one.digest.update(b"%d %d " % (packet.size, packet.is_keyframe) + bytes(packet))
            stamp = packet.pts if packet.pts is not None else packet.dts
            if stamp is not None:
                one.stamps.append(round(1_000_000 * (stamp * packet.time_base - zero)))
    return told


def _zero(container: InputContainer, path: Path) -> Fraction:
    """The stamp of the first picture in the file: writers may move all stamps alike."""
    for packet in container.demux(picture_stream(container, path)):
        stamp = packet.pts if packet.pts is not None else packet.dts
        if packet.size and stamp is not None:
            return stamp * packet.time_base
    return start_of(container)


def _named(container: InputContainer) -> Iterator[tuple[str, Stream]]:
    """``video stream 0`` and so on: by their order among their own kind."""
    counts: dict[str, int] = {}
    for stream in container.streams:
        number = counts[stream.type] = counts.get(stream.type, -1) + 1
        yield f"{stream.type} stream {number}", stream


def _facts(stream: Stream, *, moved: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {"names": _names(stream.metadata), "role": stream.disposition}
    context = stream.codec_context
    if context is None or moved:
        return facts
    facts["setup"] = context.extradata
    if stream.type == "video":
        picture: Any = context
        shape = ("width", "height", "sample_aspect_ratio", "pix_fmt")
        colour = ("color_range", "color_primaries", "color_trc", "colorspace")
        facts |= {name: getattr(picture, name) for name in (*shape, *colour)}
        facts["side data"] = _side_data(stream)
    return facts


def _side_data(stream: Any) -> Any:
    return dict(stream.side_data) if hasattr(stream, "side_data") else None


def _names(metadata: dict[str, str]) -> dict[str, str]:
    """Without what a writer puts of itself and of the packets."""
    return {
        name: value
        for name, value in metadata.items()
        if name.lower() not in _WRITERS_OWN and not name.lower().startswith(_STATISTICS)
    }


def _chapters(container: InputContainer) -> list[tuple[float, float, dict[str, str]]]:
    chapters = container.chapters()
    units = [float(one["time_base"] or 0) for one in chapters]
    return [(c["start"] * unit, c["end"] * unit, c["metadata"]) for c, unit in zip(chapters, units, strict=True)]


def misplaced_ms(before: Samples, after: Samples, correction: Correction) -> float | None:
    """How far the sound is from where the correction puts it, in milliseconds: the largest of many places.

    ``before``, ``after``: (S,) int16 at 16 kHz on the clock of the pictures. None where nothing can be compared.
    """
    length, reach = round(_WINDOW_SECONDS * SAMPLE_RATE), round(_SEARCH_SECONDS * SAMPLE_RATE)
    errors = []
    for place in _loud_places(before, length):
        part = before[place : place + length].astype(np.float64)
        moved, moved_end = (_moved_by(correction, one / SAMPLE_RATE) for one in (place, place + length))
        expected = place + round(moved * SAMPLE_RATE / 1000)
        if _meets_step(correction, (expected - reach) / SAMPLE_RATE, (expected + length + reach) / SAMPLE_RATE):
            continue
        # At another pace a voice is most like itself a period further on.
        part = _stretched(part, length + round((moved_end - moved) * SAMPLE_RATE / 1000))
        low, high = expected - reach, expected + len(part) + reach
        if low < 0 or high > len(after):
            continue
        found = _best_lag(part, after[low:high].astype(np.float64))
        if found is not None:
            errors.append(abs(1000 * (found - reach) / SAMPLE_RATE + (expected - place) * 1000 / SAMPLE_RATE - moved))
    return max(errors, default=None)


def _stretched(part: np.ndarray, length: int) -> np.ndarray:
    """The same sound in so many samples."""
    return np.asarray(np.interp(np.linspace(0, len(part), length, endpoint=False), np.arange(len(part)), part))


def _moved_by(correction: Correction, source_seconds: float) -> float:
    """Milliseconds by which what stood there before comes later."""
    delay = correction.delay_ms(source_seconds)
    for _ in range(3):
        delay = correction.delay_ms(source_seconds + delay / 1000)
    return delay


def _meets_step(correction: Correction, low: float, high: float) -> bool:
    return any(low - 1 < step.from_seconds < high + 1 for step in correction.steps[1:])


def _loud_places(samples: Samples, length: int) -> list[int]:
    """Where windows begin that hold the most sound, spread over the file."""
    count = len(samples) // length
    if count == 0:
        return []
    energy = np.empty(count)
    for number in range(count):
        energy[number] = (samples[number * length : (number + 1) * length].astype(np.float64) ** 2).sum()
    groups = np.array_split(np.arange(count), min(count, _MOST_WINDOWS))
    loudest = [int(group[energy[group].argmax()]) for group in groups]
    floor = 0.01 * energy.max()
    return [number * length for number in loudest if energy[number] > floor]


def _best_lag(part: np.ndarray, around: np.ndarray) -> int | None:
    """Of the place in ``around`` that is most like the part; None where nothing is."""
    size = 1 << (len(around) + len(part)).bit_length()
    products = np.fft.irfft(np.fft.rfft(around, size) * np.conj(np.fft.rfft(part, size)), size)
    products = products[: len(around) - len(part) + 1]
    sums = np.concatenate([[0.0], np.cumsum(around**2)])
    energy = sums[len(part) :] - sums[: -len(part)]
    likeness = products / np.sqrt(np.maximum(energy * (part @ part), 1e-9))
    best = int(likeness.argmax())
    return best if likeness[best] >= _LEAST_LIKENESS else None

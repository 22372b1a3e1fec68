"""Which sound of a file is heard, and all of it as samples beside the pictures."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from syncnet.conventions import SAMPLE_RATE, Samples
from syncnet.errors import DamagedVideoError, EmptyVideoError
from syncnet.media.clock import MAX_PHASE_SECONDS, MAX_STEP_SECONDS, grid_phase
from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import COPY_AGAIN, opened, picture_stream, sound_stream
from syncnet.media.memory import MemoryBound
from syncnet.media.sound import SoundTape
from syncnet.system.interruption import StopFlag

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

DIGITAL_SILENCE = 1
"""Loudest sample, of 32,768, of a track in which nothing was recorded; a codec may add its dither."""
SAMPLES_LOOKED_AT = 60 * SAMPLE_RATE
"""At once."""
MOST_HELD_BYTES = 20 * 60 * SAMPLE_RATE * 2
"""Sound of twenty minutes, 38 MB: what is shorter never touches the disk."""


@dataclass(frozen=True)
class Heard:
    """The sound of one track, and what was learned of the pictures while it was read."""

    samples: Samples
    """(S,) int16 at 16 kHz; sample 0 belongs to the start of the clock."""
    track: int
    """Counted from 0 among the file's audio tracks."""
    tracks: int
    codec: str
    picture_seconds: Fraction
    """From the first shown frame to the end of the last."""
    picture_rate: float
    """Pictures a second, counted; 0.0 for a single one."""
    phase: Fraction
    """See ``grid_phase``."""


@dataclass(frozen=True)
class PictureStart:
    """Where the pictures begin, in seconds."""

    stamp: Fraction = Fraction(0)
    """Of the first shown frame, on the file's own clock."""
    moved: Fraction = Fraction(0)
    """So much after its stamp each picture is really shown: what the reading of the container gets wrong."""
    fields: Fraction = Fraction(0)
    """So much later it was really taken, where it is of two fields."""

    @property
    def seconds(self) -> Fraction:
        """Where sound that belongs to the first shown frame is stamped."""
        return self.stamp + self.moved + self.fields


def listen(path: Path, bound: MemoryBound, tracks: Sequence[int], start: PictureStart, stop: StopFlag) -> Heard:
    """Reads the first of the tracks that is not silent; the first of all where all are.

    Raises the errors of ``open_media``.
    """
    silent: Heard | None = None
    empty: EmptyVideoError | None = None
    for track in tracks:
        try:
            heard = _listen_to(path, bound, track, start, stop)
        except EmptyVideoError as error:
            empty = empty or error
            continue
        if _is_recorded(heard.samples):
            return heard
        silent = silent or heard
    if silent is None:
        raise empty or EmptyVideoError(
            "no sound can be decoded", path=path, cure="check that the file plays with sound"
        )
    return silent


def listen_elsewhere(path: Path, sound: Path, bound: MemoryBound, stamp: Fraction, stop: StopFlag) -> Heard:
    """The sound of another file beside the pictures of ``path``: its first sample belongs to the first shown frame.

    ``stamp``: of that frame. Raises the errors of ``open_media``, those of the sound file with its path.
    """
    with opened(path) as container:
        picture = picture_stream(container, path)
        decoder = StreamDecoder(path, container, picture, stop=stop, beside=picture)
        decoder.read_through()
        times = _seconds_since(stamp, decoder.stamps_beside, picture)
        end = decoder.ends.get(picture.index, stamp)
    phase = grid_phase(times)
    tape = _tape(-MAX_PHASE_SECONDS)
    codec = _lay_from_start(bound, sound, tape, stop)
    if tape.louder_channel is not None:
        tape = _tape(-MAX_PHASE_SECONDS, tape.louder_channel)
        _lay_from_start(bound, sound, tape, stop)
    samples = tape.finish(round((MAX_PHASE_SECONDS + phase) * SAMPLE_RATE))
    if len(samples) == 0:
        raise EmptyVideoError("no sound can be decoded", path=sound, cure="check that the file plays")
    return Heard(samples, 0, 1, codec, end - stamp, _rate_of(times), phase)


def _is_recorded(samples: Samples) -> bool:
    parts = (samples[first : first + SAMPLES_LOOKED_AT] for first in range(0, len(samples), SAMPLES_LOOKED_AT))
    return any(max(int(part.max()), -int(part.min())) > DIGITAL_SILENCE for part in parts)


def _tape(begin: Fraction, channel: int | None = None) -> SoundTape:
    return SoundTape(begin, channel, most_held_bytes=MOST_HELD_BYTES)


def _lay_from_start(bound: MemoryBound, sound: Path, tape: SoundTape, stop: StopFlag) -> str:
    """All of the file onto the tape, its first sample at zero; the name of its codec."""
    with opened(sound, sound_only=True) as container:
        stream = sound_stream(container, sound)
        bound.check_sound(_length_seconds(container))
        first: Fraction | None = None
        for time, frame in StreamDecoder(sound, container, stream, stop=stop).frames():
            first = (time or Fraction(0)) if first is None else first
            tape.add(None if time is None else time - first, cast("AudioFrame", frame))
            bound.check_sound(tape.seconds)
        return stream.codec_context.codec.canonical_name


def _listen_to(path: Path, bound: MemoryBound, track: int, start: PictureStart, stop: StopFlag) -> Heard:
    # The clock may begin a little before the first frame, which shows only at the end.
    begin = start.seconds - MAX_PHASE_SECONDS
    tape = _tape(begin)
    heard = _read_track(path, bound, track, start, tape, stop)
    if tape.louder_channel is None:
        return heard
    return _read_track(path, bound, track, start, _tape(begin, tape.louder_channel), stop)


def _read_track(
    path: Path, bound: MemoryBound, track: int, start: PictureStart, tape: SoundTape, stop: StopFlag
) -> Heard:
    with opened(path) as container:
        picture, sound = picture_stream(container, path), sound_stream(container, path, track)
        decoder = StreamDecoder(path, container, sound, picture, stop=stop, beside=picture)
        bound.check_sound(_sound_seconds(container, decoder.own_end(picture), start.stamp))
        for _ in lay_sound(path, decoder, tape, start.stamp):
            # What the header says of the length need not be true.
            bound.check_sound(tape.seconds)
        _check_passed_over(path, decoder, picture)
        times = _seconds_since(start.stamp, decoder.stamps_beside, picture)
        phase = grid_phase(times)
        samples = tape.finish(round((MAX_PHASE_SECONDS + phase) * SAMPLE_RATE))
        if len(samples) == 0:
            problem = "no sound can be decoded at the times of the picture"
            raise EmptyVideoError(problem, path=path, cure="check that the file plays with sound")
        return Heard(
            samples=samples,
            track=track,
            tracks=len(container.streams.audio),
            codec=sound.codec_context.codec.canonical_name,
            picture_seconds=decoder.ends.get(picture.index, start.stamp) - start.stamp,
            picture_rate=_rate_of(times),
            phase=phase,
        )


def lay_sound(path: Path, decoder: StreamDecoder, tape: SoundTape, start: Fraction) -> Iterator[None]:
    """All decoded sound onto the tape, frame by frame. Raises DamagedVideoError."""
    heard, stretch = False, 0
    for time, frame in decoder.frames():
        if not heard and time is not None and time - start > MAX_STEP_SECONDS:
            problem = f"the sound starts {float(time - start):.0f} s after the picture"
            raise DamagedVideoError(problem, path=path, cure=COPY_AGAIN)
        heard = True
        if decoder.stretch != stretch:
            tape.cut()
            stretch = decoder.stretch
        tape.add(time, cast("AudioFrame", frame))
        yield


def _seconds_since(start: Fraction, stamps: array[int], picture: VideoStream) -> np.ndarray:
    """When each picture from the first shown one on is shown, rising, as floats."""
    ticks = np.unique(np.frombuffer(stamps, np.int64)) if stamps else np.empty(0, np.int64)
    unit = Fraction(picture.time_base or Fraction(1, av.time_base))
    first = round(start / unit)
    return (ticks[ticks >= first] - first) * float(unit)


def _rate_of(times: np.ndarray) -> float:
    """Pictures a second, counted; 0.0 for a single one."""
    return float((len(times) - 1) / times[-1]) if len(times) > 1 else 0.0


def _sound_seconds(container: InputContainer, picture_end: Fraction | None, start: Fraction) -> float:
    """At most so much sound will be decoded, by what the file says of its length; 0 where it says nothing."""
    length = _length_seconds(container)
    return length if picture_end is None else min(length, float(picture_end - start + MAX_STEP_SECONDS))


def _length_seconds(container: InputContainer) -> float:
    """By the container's word, 0.0 without one. Matroska's counts from zero, wherever its first stamp lies."""
    duration = container.duration or 0
    begins = container.start_time or 0
    counted = begins if "matroska" in container.format.name and 0 < begins < duration else 0
    return (duration - counted) / float(av.time_base)


def _check_passed_over(path: Path, decoder: StreamDecoder, picture: VideoStream) -> None:
    if decoder.passed_over_from is not None and decoder.ends[picture.index] > decoder.passed_over_from:
        problem = "sound and picture are more than ten minutes apart in the file"
        raise DamagedVideoError(problem, path=path, cure=COPY_AGAIN)

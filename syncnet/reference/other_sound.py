"""A video with the sound of another file, for the published steps, which begin with one file.

The picture is copied as it is, the sound is laid beside it as PCM: its first sample at the first shown frame.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import opened, picture_stream, sound_stream
from syncnet.reference.pyav import failing_as_typed, mux_in_order, started
from syncnet.reference.sound import SoundFormat, filter_sound
from syncnet.reference.tools import ReferenceJob

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet

_LEAD_SECONDS = 1
"""Both begin so much after the file's zero: pictures that are decoded before they are shown need room before them."""


def write_with_sound(job: ReferenceJob, sound_file: Path, target: Path) -> None:
    """``target``: a Matroska file. Raises VideoError, OSError where the disk is full, and Interrupted."""
    with opened(job.path) as source, ExitStack() as others:
        first = _first_time(StreamDecoder(job.path, source, picture_stream(source, job.path), stop=job.stop))
        video = others.enter_context(opened(job.path))
        sound = others.enter_context(opened(sound_file, sound_only=True))
        others.enter_context(failing_as_typed(job))
        written = others.enter_context(av.open(f"file:{target}", "w", format="matroska"))
        picture = _copy_picture(job, written, video, first)
        mux_in_order(written, [started(picture), started(_encode_sound(job, written, sound, sound_file))])


def _first_time(decoder: StreamDecoder) -> Fraction:
    """Of the first shown frame, in seconds of the file's own clock."""
    return next(((time or Fraction(0)) for time, _ in decoder.frames()), Fraction(0))


def _copy_picture(
    job: ReferenceJob, target: OutputContainer, source: InputContainer, first: Fraction
) -> Iterator[Packet[Any]]:
    stream: Any = picture_stream(source, job.path)
    copied = target.add_stream_from_template(stream)
    for packet in source.demux(stream):
        job.stop.check()
        if packet.dts is None and packet.pts is None:
            continue
        lead = round((_LEAD_SECONDS - first) / packet.time_base)
        decoded = packet.pts if packet.dts is None else packet.dts
        # AVI tells only when a picture is decoded.
        shown = packet.dts if packet.pts is None else packet.pts
        packet.dts, packet.pts = decoded + lead, shown + lead
        packet.stream = copied
        yield packet


def _encode_sound(
    job: ReferenceJob, target: OutputContainer, source: InputContainer, sound_file: Path
) -> Iterator[Packet[Any]]:
    sound = sound_stream(source, sound_file)
    layout = "mono" if sound.layout.nb_channels == 1 else "stereo"
    stream: Any = target.add_stream("pcm_s16le", rate=sound.rate, layout=layout)
    decoder = StreamDecoder(sound_file, source, sound, stop=job.stop)
    place = _LEAD_SECONDS * sound.rate
    for frame in filter_sound(job, decoder, Fraction(0), SoundFormat("s16", sound.rate, layout)):
        frame.pts, frame.time_base = place, Fraction(1, sound.rate)
        place += frame.samples
        yield from stream.encode(frame)
    yield from stream.encode(None)

"""All streams of a file into a new one of its kind, packet by packet; one sound may come from elsewhere.

Sources: FFmpeg's remuxing example (doc/examples/remux.c), and its table of what ``-c copy`` keeps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av

from syncnet.media.clock import ContinuousStamps
from syncnet.media.decoder import BROADCAST_FORMATS
from syncnet.media.file import opened, picture_stream

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.stream import Stream

MUXERS = {"avi": "avi", "mpegts": "mpegts", "flv": "flv"}
"""Demuxer -> muxer, where it does not take a look at the file to know."""
_MOST_REORDERED = 64
"""Packets, twice as many as any codec's depth."""
_DOCTYPE_BYTES = 128
"""Of a Matroska file: its header, which says WebM or Matroska, comes first."""
NewPacket = tuple[Fraction, "Packet[Stream]"]
"""The packet with its time in seconds of the file's own clock."""


class CannotCopyError(Exception):
    """Something in the file would be lost or changed."""


def muxer_of(container: InputContainer, path: Path) -> str:
    """FFmpeg's name of the kind of file. Raises CannotCopyError for one that is not written here."""
    name = container.format.name
    if name in MUXERS:
        return MUXERS[name]
    if "matroska" in name:
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(_DOCTYPE_BYTES) else "matroska"
    if "mp4" in name:
        return "mov" if container.metadata.get("major_brand", "").strip() == "qt" else "mp4"
    raise CannotCopyError(f"no way is known to write its kind of file ({name})")


def start_of(container: InputContainer) -> Fraction:
    """The first stamp of all, in seconds."""
    return Fraction(container.start_time or 0, av.time_base)


def first_picture(container: InputContainer, path: Path) -> Fraction:
    """When the first picture is shown, in seconds of the file's own clock; consumes the container."""
    picture = picture_stream(container, path)
    shown = (packet for packet in container.demux(picture) if packet.size and not packet.is_discard)
    stamps = [packet.pts * packet.time_base for packet in islice(shown, _MOST_REORDERED) if packet.pts is not None]
    return min(stamps, default=start_of(container))


@contextmanager
def writing(source: InputContainer, path: Path, target: Path) -> Iterator[OutputContainer]:
    """A new file of the kind of the source, with its names and chapters. Raises CannotCopyError."""
    kind = muxer_of(source, path)
    try:
        with av.open(f"file:{target}", "w", format=kind) as container:
            container.metadata.update(source.metadata)
            container.set_chapters(source.chapters())
            yield container
    except (av.FFmpegError, ValueError, IndexError) as error:
        # An IndexError is PyAV's own way to end on a stream that turns up amid the file.
        raise CannotCopyError(f"FFmpeg cannot write it ({error})") from error


def like(container: OutputContainer, stream: Stream) -> Any:
    """A stream of the new file for the packets of this one. Raises CannotCopyError."""
    try:
        new: Any = container.add_stream_from_template(stream, opaque=True)
    except ValueError as error:
        raise CannotCopyError(f"its stream {stream.index} cannot be carried over ({error})") from error
    told_as(new, stream)
    if stream.type == "video" and stream.average_rate:
        new.codec_context.framerate = stream.average_rate
    return new


def told_as(new: Any, stream: Stream) -> None:
    """Names, language and role as the stream has them."""
    new.metadata.update(stream.metadata)
    new.disposition = stream.disposition


def copied_packets(container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Stream]]:
    """Those of the streams, in the order of the file, their clock straightened as the media stage does it."""
    name = container.format.name
    stamps = ContinuousStamps(name in BROADCAST_FORMATS, may_step_back="mp4" in name)
    for packet in container.demux(streams):
        if packet.size == 0:
            continue
        stamps.straighten(packet)
        yield packet


def time_of(packet: Packet[Stream]) -> Fraction | None:
    """When it is decoded, in seconds."""
    stamp = packet.dts if packet.dts is not None else packet.pts
    return None if stamp is None else stamp * packet.time_base


def copy_with_moved_sound(source: Path, target: Path, track: int, delay: Fraction) -> None:
    """The file with the packets of its sound ``track`` later by so many seconds.

    What would be heard before the file's first stamp is left out. Raises CannotCopyError and VideoError.
    """
    with opened(source) as reader, writing(reader, source, target) as writer:
        streams = list(reader.streams)
        moved = reader.streams.audio[track]
        new = {stream.index: like(writer, stream) for stream in streams}
        start = start_of(reader)
        for packet in copied_packets(reader, streams):
            if packet.stream_index == moved.index:
                ticks = round(delay / packet.time_base)
                packet.pts = None if packet.pts is None else packet.pts + ticks
                packet.dts = None if packet.dts is None else packet.dts + ticks
                time = time_of(packet)
                if delay < 0 and time is not None and time < start:
                    continue
            packet.stream = new[packet.stream_index]
            writer.mux(packet)


def copy_with_new_sound(
    source: Path, target: Path, track: int, make: Callable[[OutputContainer, Stream, Fraction], Iterator[NewPacket]]
) -> None:
    """The file with the packets that ``make`` gives in the place of those of its sound ``track``.

    ``make`` adds its stream to the container that it is given, for the sound stream and the file's first stamp. Raises
    CannotCopyError and VideoError.
    """
    with opened(source) as reader, writing(reader, source, target) as writer:
        replaced = reader.streams.audio[track]
        new: dict[int, Any] = {}
        packets: Iterator[NewPacket] = iter(())
        for stream in reader.streams:
            if stream.index == replaced.index:
                packets = make(writer, stream, start_of(reader))
                # The stream is added by the time that the first packet comes.
                waiting = next(packets, None)
            else:
                new[stream.index] = like(writer, stream)
        kept = [stream for stream in reader.streams if stream.index != replaced.index]
        for packet in copied_packets(reader, kept):
            time = time_of(packet)
            while waiting is not None and time is not None and waiting[0] <= time:
                writer.mux(waiting[1])
                waiting = next(packets, None)
            packet.stream = new[packet.stream_index]
            writer.mux(packet)
        while waiting is not None:
            writer.mux(waiting[1])
            waiting = next(packets, None)

"""Decoding one stream of a video file the way a player would: a bad packet is passed over, a damaged file is not."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av

from syncnet.errors import DamagedVideoError
from syncnet.media.clock import MAX_STEP_SECONDS, ContinuousStamps
from syncnet.media.file import COPY_AGAIN
from syncnet.system.interruption import StopFlag

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

TimedFrame: TypeAlias = "tuple[Fraction | None, VideoFrame | AudioFrame]"
"""A decoded frame with its time, in seconds of the file's own clock."""
BROADCAST_FORMATS = ("mpegts", "mpeg")
"""Their clock may start again amid a file."""
FORMATS_WITH_ONE_LENGTH = ("matroska,webm", "flv")
"""Their header states how long the file is, which is how long its longest stream is."""
MAX_FAILED_SHARE = 0.1
"""Up to this share of packets may fail to decode, as for a player; beyond it the video is damaged."""
MAX_MISSING_SHARE = 0.1
MAX_MISSING_SECONDS = 0.5
"""A file that ends earlier than it says, by more than both of these, was cut off. Less is careless muxing."""


class StreamDecoder:
    """Decodes one stream. The others given are read along, since time stamps and damage are judged on all of them.

    A single use: ``frames`` consumes the container.
    """

    def __init__(
        self,
        path: Path,
        container: InputContainer,
        wanted: VideoStream | AudioStream,
        *others: Stream,
        threads: int = 1,
        stop: StopFlag | None = None,
        beside: Stream | None = None,
    ) -> None:
        """``frames`` raises Interrupted once ``stop`` is set, however long nothing decodes.

        ``beside``: one of ``others``; what lies more than ten minutes beyond its end is not decoded.
        """
        self._path = path
        self._container = container
        self._wanted = wanted
        self._streams = (wanted, *others)
        self._stop = stop or StopFlag()
        self._beside = beside
        # AVI holds no times of pictures but their order of decoding; the stamps that FFmpeg makes up for it are wrong
        # where the codec reorders frames. Without frame threads, a frame comes out with the decoding time of the packet
        # that drove it out, and that is late by a constant: the depth of the reordering.
        self._is_avi = container.format.name == "avi"
        self._first_decoding_time: int | None = None
        self._reorder_delay: int | None = None
        wanted.codec_context.thread_count = 1 if self._is_avi else threads
        wanted.codec_context.thread_type = "AUTO"
        # Taken now: reading the file adds to the index what was found, promised or not.
        self._promised_ends = {stream.index: _promised_end(container, stream) for stream in self._streams}
        self.ends: dict[int, Fraction] = {}
        """Per stream index, where what is shown or heard ends, in seconds of the file's own clock."""
        self._read_ends: dict[int, Fraction] = {}
        """The same with what an edit list hides, to be held against the index."""
        self.passed_over_from: Fraction | None = None
        """When the first thing begins that was not decoded, since it lies too far beyond ``beside``."""

    def frames(self) -> Iterator[TimedFrame]:
        """Frames in the order in which they are shown, each with its time in seconds of the file's own clock.

        Raises DamagedVideoError at the end where too much did not decode, or is missing.
        """
        packets = failed = 0
        decoded_some = False
        for packet in self._packets():
            if packet.stream_index != self._wanted.index or self._passes_over(packet):
                continue
            packets += 1
            try:
                frames = self._wanted.decode(packet)
            except av.FFmpegError:
                failed += 1
                continue
            if frames and not decoded_some:
                # A recording cut out of a broadcast starts amid pictures that lack their key frame: no damage.
                decoded_some, failed = True, 0
            yield from self._timed(frames)
        yield from self._timed(self._drain())
        self._check_complete()
        if failed > MAX_FAILED_SHARE * packets:
            problem = f"{failed} of {packets} {self._wanted.type} packets cannot be decoded"
            raise DamagedVideoError(problem, path=self._path, cure=COPY_AGAIN)

    def _drain(self) -> list[VideoFrame] | list[AudioFrame]:
        try:
            return self._wanted.decode(None)
        except av.FFmpegError:
            return []

    def _timed(self, frames: list[VideoFrame] | list[AudioFrame]) -> Iterator[TimedFrame]:
        for frame in frames:
            # libavcodec has already cut the encoder's delay, and moved the stamp on by as much.
            stamp = self._shown_at(frame) if self._is_avi and self._wanted.type == "video" else frame.pts
            yield (None if stamp is None else stamp * _time_base(self._wanted)), frame

    def _shown_at(self, frame: VideoFrame | AudioFrame) -> int | None:
        if frame.dts is None or self._first_decoding_time is None:
            return None
        if self._reorder_delay is None:
            self._reorder_delay = frame.dts - self._first_decoding_time
        return frame.dts - self._reorder_delay

    def _packets(self) -> Iterator[Packet[Stream]]:
        name = self._container.format.name
        # An mp4 in fragments has an index of the first ones only.
        stated_end = self._promised_ends[self._wanted.index] if name in FORMATS_WITH_ONE_LENGTH else None
        stamps = ContinuousStamps(name in BROADCAST_FORMATS, stated_end)
        for packet in self._read():
            self._stop.look()
            # A decoder takes an empty packet for the end. PyAV closes with one for each stream; frames() drains
            # the decoder itself, after errors too.
            if packet.size == 0:
                continue
            stamps.straighten(packet)
            if self._is_avi and packet.stream.type == "video":
                packet.pts = None
                if self._first_decoding_time is None and packet.is_keyframe:
                    self._first_decoding_time = packet.dts
            self._note(packet)
            yield packet

    def _read(self) -> Iterator[Packet[Stream]]:
        packets = self._container.demux(*self._streams)
        while True:
            try:
                packet = next(packets)
            except (StopIteration, av.error.InvalidDataError, IndexError):
                # Nothing more can be read. A player stops here; _check_complete judges how much is missing. An
                # IndexError is PyAV's own way to end on a stream that turned up amid the file (FLV, MPEG).
                return
            yield packet

    def _note(self, packet: Packet[Stream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        index, end = packet.stream_index, (stamp + (packet.duration or 0)) * _time_base(packet.stream)
        if end - self._read_ends.get(index, end) > MAX_STEP_SECONDS:
            return
        self._read_ends[index] = max(end, self._read_ends.get(index, end))
        if not packet.is_discard:
            self.ends[index] = max(end, self.ends.get(index, end))

    def _passes_over(self, packet: Packet[Stream]) -> bool:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if self._beside is None or stamp is None or self._beside.index not in self.ends:
            return False
        time = stamp * _time_base(packet.stream)
        # A picture may stand for so long, and the next one is yet to come.
        if time <= max(self.ends[self._beside.index], self.own_end(self._beside) or 0) + MAX_STEP_SECONDS:
            return False
        if self.passed_over_from is None:
            self.passed_over_from = time
        return True

    def own_end(self, stream: Stream) -> Fraction | None:
        """When the stream ends by what the file says of it alone; None where it says nothing of the kind."""
        return None if self._container.format.name in FORMATS_WITH_ONE_LENGTH else self._promised_ends[stream.index]

    def _check_complete(self) -> None:
        start = Fraction(self._container.start_time or 0, av.time_base)
        for stream in self._streams:
            promised = self._promised_ends[stream.index]
            if promised is None:
                continue
            reached = self._read_ends.get(stream.index, start)
            if self._container.format.name in FORMATS_WITH_ONE_LENGTH:
                reached = max(self._read_ends.values(), default=start)
            missing, length = promised - reached, promised - start
            if missing > MAX_MISSING_SECONDS and missing > MAX_MISSING_SHARE * length:
                problem = f"the file ends after {float(reached - start):.1f} of {float(length):.1f} s"
                raise DamagedVideoError(problem, path=self._path, cure=COPY_AGAIN)


def _time_base(stream: Stream) -> Fraction:
    return stream.time_base or Fraction(1, av.time_base)


def _promised_end(container: InputContainer, stream: Stream) -> Fraction | None:
    """When the stream ends by what its header or index says; None for the formats that do not say.

    FFmpeg's own durations do not serve for all: for AVI they follow from the file's size, for MPEG from its end.
    """
    name = container.format.name
    if "mp4" in name and len(stream.index_entries):
        return stream.index_entries[len(stream.index_entries) - 1].timestamp * _time_base(stream)
    if "avi" in name and stream.type == "video" and stream.frames and stream.average_rate:
        return stream.frames / stream.average_rate
    # For FLV without a stated length FFmpeg guesses one from the bit rate, which shows in the streams' durations.
    if name in FORMATS_WITH_ONE_LENGTH and container.duration is not None and stream.duration is None:
        # FFmpeg writes the time of the end as the length, also where the first stamp is not zero.
        return Fraction(container.duration, av.time_base)
    return None

"""Decoding one stream of a video file the way a player would: a bad packet is passed over, a damaged file is not."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av

from syncnet.errors import DamagedVideoError
from syncnet.media.avi import AviClock, beginning_by_ffmpeg
from syncnet.media.clock import MAX_STEP_SECONDS, ContinuousStamps
from syncnet.media.file import COPY_AGAIN, IGNORE_EDITS
from syncnet.media.mp4_index import Edit, end_of, read_edits
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
SEEK_SECONDS = {"video": Fraction(1), "audio": Fraction(1, 4)}
"""So much before a stretch of an edit list decoding begins, at the least: a key frame may be shown later than it is
decoded, and a sound needs some packets before it."""
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
        self._avi = AviClock(beginning_by_ffmpeg(path)) if container.format.name == "avi" else None
        wanted.codec_context.thread_count = 1 if self._avi else threads
        wanted.codec_context.thread_type = "AUTO"
        # Taken now: reading the file adds to the index what was found, promised or not.
        self._promised_ends = {stream.index: _promised_end(container, stream) for stream in self._streams}
        edits = read_edits(path) if IGNORE_EDITS in container.container_options else {}
        self._edits = edits.get(wanted.id)
        self.stamps_beside = array("q")
        """Time stamps of what ``beside`` shows, in its own unit and in the order of the file."""
        self.stretch = 0
        """Of an edit list with several, the one that the last frame was of, counted from 0."""
        self._missing = Fraction(0)
        """Of what the edit list shows."""
        self._decoded_packets = self._failed = 0
        self._decoded_some = False
        self._units = {stream.index: _time_base(stream) for stream in self._streams}
        """Of time stamps, in seconds. Packets are counted in them: sums of fractions take longer than sound does."""
        self._farthest_ticks = {index: math.floor(MAX_STEP_SECONDS / unit) for index, unit in self._units.items()}
        self._edit_ends = {s.index: end_of(edits[s.id]) for s in self._streams if s.id in edits}
        self._end_ticks: dict[int, int] = {}
        self._read_end_ticks: dict[int, int] = {}
        """With what an edit list hides, to be held against the index."""
        self._surely_beside: int | None = None
        """So far, in ticks of the wanted stream, nothing is passed over."""
        self.passed_over_from: Fraction | None = None
        """When the first thing begins that was not decoded, since it lies too far beyond ``beside``."""

    def frames(self) -> Iterator[TimedFrame]:
        """Frames in the order in which they are shown, each with its time in seconds of the file's own clock.

        Raises DamagedVideoError at the end where too much did not decode, or is missing.
        """
        if self._edits is None:
            yield from self._decoded(self._packets())
            self._check_complete()
        else:
            for number, edit in enumerate(self._edits):
                self.stretch = number
                yield from self._stretch(edit)
            self._check_stretches()
        if self._failed > MAX_FAILED_SHARE * self._decoded_packets:
            problem = f"{self._failed} of {self._decoded_packets} {self._wanted.type} packets cannot be decoded"
            raise DamagedVideoError(problem, path=self._path, cure=COPY_AGAIN)

    def read_through(self) -> None:
        """Reads the file to its end without decoding: for the time stamps of what is ``beside``."""
        for _ in self._packets():
            pass

    def _decoded(self, packets: Iterator[Packet[Stream]]) -> Iterator[TimedFrame]:
        for packet in packets:
            if packet.stream_index != self._wanted.index or self._passes_over(packet):
                continue
            self._decoded_packets += 1
            try:
                frames = self._wanted.decode(packet)
            except av.FFmpegError:
                self._failed += 1
                continue
            if frames and not self._decoded_some:
                # A recording cut out of a broadcast starts amid pictures that lack their key frame: no damage.
                self._decoded_some, self._failed = True, 0
            yield from self._timed(frames)
        yield from self._timed(self._drain())

    def _stretch(self, edit: Edit) -> Iterator[TimedFrame]:
        """What lies in the stretch, also in part, on the clock of the file."""
        end, reached = edit.media_start + edit.seconds, edit.media_start
        earliest = max(edit.media_start - SEEK_SECONDS[self._wanted.type], Fraction(0))
        self._container.seek(int(earliest / _time_base(self._wanted)), stream=self._wanted)
        for time, frame in self._decoded(self._packets()):
            if time is None or time + _seconds_of(frame) <= edit.media_start:
                continue
            if time >= end:
                break
            reached = time + _seconds_of(frame)
            shown_at = edit.shown_at + time - edit.media_start
            if self.stretch and self._wanted.type == "video":
                # The picture that a cut goes through is shown from there on; the first one of all begins the clock.
                shown_at = max(shown_at, edit.shown_at)
            yield shown_at, frame
        promised = self._promised_ends[self._wanted.index]
        self._missing += max(Fraction(0), min(end, end if promised is None else promised) - reached)

    def _drain(self) -> list[VideoFrame] | list[AudioFrame]:
        try:
            return self._wanted.decode(None)
        except av.FFmpegError:
            return []

    def _timed(self, frames: list[VideoFrame] | list[AudioFrame]) -> Iterator[TimedFrame]:
        unit = self._units[self._wanted.index]
        for frame in frames:
            # libavcodec has already cut the encoder's delay, and moved the stamp on by as much.
            stamp = self._avi.shown_at(frame.dts) if self._avi and self._wanted.type == "video" else frame.pts
            yield (None if stamp is None else stamp * unit), frame

    @property
    def reordering(self) -> Fraction:
        """Of an AVI file, once a picture came out: how many seconds later that is than it was decoded."""
        return Fraction(self._avi.depth or 0) * _time_base(self._wanted) if self._avi else Fraction(0)

    def _packets(self) -> Iterator[Packet[Stream]]:
        name = self._container.format.name
        # An mp4 in fragments has an index of the first ones only.
        stated_end = self._promised_ends[self._wanted.index] if name in FORMATS_WITH_ONE_LENGTH else None
        stamps = ContinuousStamps(name in BROADCAST_FORMATS, stated_end, may_step_back="mp4" in name)
        for packet in read_packets(self._container, self._streams):
            self._stop.look()
            # A decoder takes an empty packet for the end. PyAV closes with one for each stream; frames() drains
            # the decoder itself, after errors too.
            if packet.size == 0:
                continue
            stamps.straighten(packet)
            if self._avi and packet.stream.type == "video":
                self._avi.feed(packet)
            self._note(packet)
            yield packet

    @property
    def ends(self) -> dict[int, Fraction]:
        """Per stream index, where what is shown or heard ends, in seconds of the file's own clock."""
        ends = dict(self._edit_ends)
        for index, end in self._seconds_at(self._end_ticks).items():
            ends[index] = max(end, ends.get(index, end))
        return ends

    def _seconds_at(self, ticks: dict[int, int]) -> dict[int, Fraction]:
        return {index: count * self._units[index] for index, count in ticks.items()}

    def _note(self, packet: Packet[Stream]) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is None:
            return
        index, end = packet.stream_index, stamp + (packet.duration or 0)
        known = self._read_end_ticks.get(index, end)
        if end - known > self._farthest_ticks[index]:
            return
        self._read_end_ticks[index] = max(end, known)
        if self._beside is not None and index == self._beside.index and not packet.is_discard:
            self.stamps_beside.append(stamp)
        if not packet.is_discard and self._edits is None:
            self._end_ticks[index] = max(end, self._end_ticks.get(index, end))

    def _passes_over(self, packet: Packet[Stream]) -> bool:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if self._edits is not None or self._beside is None or stamp is None:
            return False
        # The end of what is beside it only moves on.
        if self._surely_beside is not None and stamp <= self._surely_beside:
            return False
        end = self.ends.get(self._beside.index)
        if end is None:
            return False
        # A picture may stand for so long, and the next one is yet to come.
        latest, unit = max(end, self.own_end(self._beside) or 0) + MAX_STEP_SECONDS, self._units[packet.stream_index]
        self._surely_beside = math.floor(latest / unit)
        if stamp <= self._surely_beside:
            return False
        if self.passed_over_from is None:
            self.passed_over_from = stamp * unit
        return True

    def own_end(self, stream: Stream) -> Fraction | None:
        """When the stream ends by what the file says of it alone; None where it says nothing of the kind."""
        return None if self._container.format.name in FORMATS_WITH_ONE_LENGTH else self._promised_ends[stream.index]

    def _check_complete(self) -> None:
        start = Fraction(self._container.start_time or 0, av.time_base)
        read_ends = self._seconds_at(self._read_end_ticks)
        for stream in self._streams:
            promised = self._promised_ends[stream.index]
            if promised is None:
                continue
            reached = read_ends.get(stream.index, start)
            if self._container.format.name in FORMATS_WITH_ONE_LENGTH:
                reached = max(read_ends.values(), default=start)
            missing, length = promised - reached, promised - start
            if missing > MAX_MISSING_SECONDS and missing > MAX_MISSING_SHARE * length:
                problem = f"the file ends after {float(reached - start):.1f} of {float(length):.1f} s"
                raise DamagedVideoError(problem, path=self._path, cure=COPY_AGAIN)

    def _check_stretches(self) -> None:
        length = sum((edit.seconds for edit in self._edits or ()), Fraction(0))
        if self._missing > MAX_MISSING_SECONDS and self._missing > MAX_MISSING_SHARE * length:
            problem = f"{float(self._missing):.1f} of the {float(length):.1f} s that its edit list shows are missing"
            raise DamagedVideoError(problem, path=self._path, cure=COPY_AGAIN)


def read_packets(container: InputContainer, streams: Sequence[Stream]) -> Iterator[Packet[Stream]]:
    """Those of the streams, as they stand in the file, as far as it can be read."""
    packets = container.demux(*streams)
    while True:
        try:
            packet = next(packets)
        except (StopIteration, av.error.InvalidDataError, IndexError):
            # A player stops here; StreamDecoder judges how much is missing. An IndexError is PyAV's own way to end on
            # a stream that turned up amid the file (FLV, MPEG).
            return
        yield packet


def _seconds_of(frame: VideoFrame | AudioFrame) -> Fraction:
    return Fraction(frame.duration or 0) * (frame.time_base or 0)


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

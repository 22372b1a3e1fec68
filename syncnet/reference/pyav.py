"""The published steps by PyAV, for machines without the ffmpeg program.

The same encoders at the same settings, and FFmpeg's habits where frame rates change (syncnet.reference.pace). How near
that comes to the program's own files is measured in tests/test_reference_tools.py and told in docs/scores.md.
"""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import av
import numpy as np

from syncnet.conventions import FPS
from syncnet.errors import DamagedVideoError
from syncnet.media.decoder import StreamDecoder
from syncnet.media.file import COPY_AGAIN, opened, picture_stream, sound_stream
from syncnet.media.picture import FrameConverter, Orientation, orientation_of
from syncnet.media.rates import as_fraction, rate_of
from syncnet.reference.pace import PacedItem, pace_constant, pace_variable
from syncnet.reference.sound import SoundFormat, filter_sound
from syncnet.reference.tools import FRAME_PATTERN, ReferenceJob, write_wav

if TYPE_CHECKING:
    from av.container import InputContainer, OutputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame

_TICK = Fraction(1, FPS)
_QUALITY_UNIT = 118
"""FF_QP2LAMBDA: the encoders take a quality times this."""
_MPEG4_QUALITY = 2
_SOUND_CODECS = ("libmp3lame", "ac3")
"""What the ffmpeg program puts into an AVI file: the first of them that it was built with."""


class PyavTools:
    """See syncnet.reference.tools.ReferenceTools."""

    @property
    def name(self) -> str:
        return f"PyAV {av.__version__}"

    def reencode(self, job: ReferenceJob, video: Path, avi: Path) -> None:
        with _written(job, avi) as target, opened(video) as for_picture, opened(video) as for_sound:
            picture = _encode_picture(target, _paced(job, video, for_picture))
            sound = _encode_sound(job, target, video, for_sound)
            # The first packet of each makes its stream: both must stand before the file's header is written.
            mux_in_order(target, [started(picture), started(sound)])

    def write_frames(self, job: ReferenceJob, video: Path, folder: Path, quality: int | None) -> None:
        encoder: Any = None
        count = 0
        with failing_as_typed(job), opened(video) as source:
            for number, frame in enumerate(pace_constant(_paced(job, video, source))):
                picture = frame.reformat(format="yuvj420p", threads=1)
                encoder = encoder or _jpeg_encoder(picture, quality)
                picture.pts, picture.time_base, picture.pict_type = number, _TICK, 0
                count = _write_packets(encoder.encode(picture), folder, count)
            if encoder is not None:
                _write_packets(encoder.encode(None), folder, count)

    def write_sound(self, job: ReferenceJob, video: Path, wav: Path, *, align_start: bool) -> None:
        with failing_as_typed(job), opened(video) as source:
            decoder = StreamDecoder(video, source, sound_stream(source, video, job.track_of(video)))
            frames = filter_sound(job, decoder, _start_of(source), SoundFormat(align_start=align_start))
            blocks = [frame.to_ndarray()[0] for frame in frames]
        write_wav(wav, np.concatenate(blocks) if blocks else np.empty(0, np.int16))

    def join(self, job: ReferenceJob, silent_avi: Path, wav: Path, avi: Path) -> None:
        with _written(job, avi) as target, ExitStack() as inputs:
            sources = [inputs.enter_context(av.open(f"file:{path}")) for path in (silent_avi, wav)]
            parts = [_copy(target, source, stream) for source in sources for stream in source.streams]
            mux_in_order(target, [started(part) for part in parts])


def _paced(job: ReferenceJob, video: Path, source: InputContainer) -> Iterator[PacedItem[VideoFrame]]:
    """Upright frames in yuv420p with their times and durations in frames of 1/25 s, from the file's time zero."""
    stream = picture_stream(source, video)
    start, usual = _start_of(source), 1 / (rate_of(stream) or as_fraction(stream.guessed_rate) or Fraction(FPS))
    upright = _Upright()
    time = Fraction(0)
    for stamp, decoded in StreamDecoder(video, source, stream).frames():
        job.stop.check()
        frame = cast("VideoFrame", decoded)
        duration = frame.duration * frame.time_base if frame.duration and frame.time_base else usual
        time = time if stamp is None else stamp - start
        # As fftools: in whole frames of the output where that is one or more.
        frames = round(duration * FPS) or float(min(duration * FPS, Fraction(1)))
        yield float(time * FPS), frames, upright.convert(frame)
        time += duration


class _Upright:
    """Turns frames as the ffmpeg program does, and leaves those that stand upright as they are."""

    def __init__(self) -> None:
        self._converter = FrameConverter()

    def convert(self, frame: VideoFrame) -> VideoFrame:
        if orientation_of(frame) != Orientation(False, False, False):
            frame = av.VideoFrame.from_ndarray(self._converter.convert(frame), format="bgr24")
        return frame.reformat(format="yuv420p", threads=1)


def _encode_picture(target: OutputContainer, paced: Iterator[PacedItem[VideoFrame]]) -> Iterator[Packet[Any]]:
    stream: Any = None
    for number, frame in pace_variable(paced):
        if stream is None:
            options = {"flags": "+qscale", "global_quality": str(_MPEG4_QUALITY * _QUALITY_UNIT)}
            stream = target.add_stream("mpeg4", rate=FPS, options=options)
            stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
            stream.codec_context.time_base, stream.codec_context.thread_count = _TICK, 1
        frame.pts, frame.time_base, frame.pict_type = number, _TICK, 0
        yield from stream.encode(frame)
    if stream is not None:
        yield from stream.encode(None)


def _encode_sound(
    job: ReferenceJob, target: OutputContainer, video: Path, source: InputContainer
) -> Iterator[Packet[Any]]:
    sound = sound_stream(source, video, job.track_of(video))
    codec = next(av.Codec(name, "w") for name in _SOUND_CODECS if name in av.codecs_available)
    rates = codec.audio_rates or [sound.rate]
    rate = min(rates, key=lambda offered: abs(offered - sound.rate))
    layout = "mono" if sound.layout.nb_channels == 1 else "stereo"
    stream: Any = target.add_stream(codec.name, rate=rate, layout=layout)
    # The encoder's own choice, as with the ffmpeg program: 24 kbit/s for 16 kHz mono.
    stream.bit_rate = 0
    stream.codec_context.open()
    sample_format = stream.codec_context.format.name
    wanted = SoundFormat(sample_format, rate, layout, stream.codec_context.frame_size, align_start=True)
    for frame in filter_sound(job, StreamDecoder(video, source, sound), _start_of(source), wanted):
        yield from stream.encode(frame)
    yield from stream.encode(None)


def _copy(target: OutputContainer, source: InputContainer, stream: Any) -> Iterator[Packet[Any]]:
    copied = target.add_stream_from_template(stream)
    for packet in source.demux(stream):
        if packet.dts is not None:
            packet.stream = copied
            yield packet


def _jpeg_encoder(picture: VideoFrame, quality: int | None) -> Any:
    encoder: Any = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, picture.format.name
    encoder.time_base, encoder.framerate, encoder.thread_count = _TICK, Fraction(FPS), 1
    if quality is not None:
        encoder.options = {"flags": "+qscale", "global_quality": str(quality * _QUALITY_UNIT)}
    return encoder


def _write_packets(packets: list[Packet[Any]], folder: Path, count: int) -> int:
    """Each packet is a JPEG file; returns how many there are now."""
    for packet in packets:
        count += 1
        (folder / (FRAME_PATTERN % count)).write_bytes(bytes(packet))
    return count


def started(packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """The same packets, the first of them made at once."""
    first = next(packets, None)
    return iter(()) if first is None else _chained(first, packets)


def _chained(first: Packet[Any], others: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    yield first
    yield from others


def mux_in_order(target: OutputContainer, streams: list[Iterator[Packet[Any]]]) -> None:
    """By decoding time, as players read them."""
    for packet in heapq.merge(*streams, key=_decoding_time):
        target.mux(packet)


def _decoding_time(packet: Packet[Any]) -> Fraction:
    return (packet.dts or 0) * packet.time_base


def _start_of(source: InputContainer) -> Fraction:
    """The file's time zero: the earliest start of its streams, in seconds of its own clock."""
    return Fraction(source.start_time or 0, av.time_base)


@contextmanager
def _written(job: ReferenceJob, avi: Path) -> Iterator[OutputContainer]:
    with failing_as_typed(job), av.open(f"file:{avi}", "w", format="avi") as target:
        yield target


@contextmanager
def failing_as_typed(job: ReferenceJob) -> Iterator[None]:
    """FFmpeg's errors as the job's."""
    try:
        yield
    except av.FFmpegError as error:
        if error.errno == errno.ENOSPC:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
        raise DamagedVideoError(f"encoding failed ({error.strerror})", path=job.path, cure=COPY_AGAIN) from error

"""Clips without encoding: packets from one key frame to another, as they are."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

import av

from syncnet.errors import VideoError
from syncnet.media.clock import ContinuousStamps
from syncnet.media.decoder import BROADCAST_FORMATS, read_packets
from syncnet.media.file import IGNORE_EDITS, opened, picture_stream, sound_stream
from syncnet.media.opening import Media
from syncnet.system.atomic import NewFile
from syncnet.system.interruption import StopFlag
from syncnet.takeaway.clips import Clip, cannot_write

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream

_CURE = "leave out --cut_copy"
_NEARLY = 0.01
"""Seconds that a rounded stamp may be off."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One packet, in seconds on the clock of ``Media``."""

    number: int
    """In the order of the file."""
    is_picture: bool
    is_key: bool
    shown: float
    until: float


@dataclass(frozen=True)
class _Copy:
    """What a clip is made of."""

    clip: Clip
    begin: float
    numbers: frozenset[int] = field(repr=False)
    """Of its packets."""


def copy_clips(
    media: Media,
    clips: Sequence[Clip],
    describe: Callable[[Clip, Fraction], str],
    stop: StopFlag,
    on_failed: Callable[[Clip, Exception], None],
) -> None:
    """Each from the key frame at or before its start to the one at or after its end; its sound is of the same time.

    What goes wrong with one is told, and the others go on. Raises VideoError where nothing of the video can be copied,
    and Interrupted.
    """
    pieces = list(_pieces(media, stop))
    keys = sorted(piece.shown for piece in pieces if piece.is_picture and piece.is_key)
    if not keys:
        raise VideoError("it has no key frame", path=media.path, cure=_CURE)
    for clip in clips:
        plan = _plan(clip, pieces, keys)
        try:
            _write(media, plan, describe(clip, Fraction(plan.begin)), stop)
        except VideoError as error:
            on_failed(clip, error)
        except OSError as error:
            on_failed(clip, cannot_write(clip.target, error))


def _plan(clip: Clip, pieces: Sequence[_Piece], keys: Sequence[float]) -> _Copy:
    begin = max((key for key in keys if key <= clip.start + _NEARLY), default=keys[0])
    border = min((key for key in keys if key >= clip.end - _NEARLY and key > begin), default=None)
    first = next(p.number for p in pieces if p.is_picture and p.is_key and p.shown == begin)
    last = next((p.number for p in pieces if p.is_picture and p.is_key and p.shown == border), pieces[-1].number + 1)
    # Pictures that follow a key frame in the file and are shown before it need what is not copied.
    pictures = [p for p in pieces if p.is_picture and first <= p.number < last and p.shown >= begin]
    end, delay = max(p.until for p in pictures), float(clip.delay)
    sounds = [p for p in pieces if not p.is_picture and begin <= (p.shown + p.until) / 2 + delay < end]
    return _Copy(clip, begin, frozenset(p.number for p in (*pictures, *sounds)))


def _pieces(media: Media, stop: StopFlag) -> Iterator[_Piece]:
    with opened(media.path) as container:
        _refuse_hard_clocks(media, container)
        for number, packet in _packets(media, container, stop):
            if packet.pts is None or packet.time_base is None:
                raise VideoError("not all of its packets have time stamps", path=media.path, cure=_CURE)
            shown = float(packet.pts * packet.time_base - _origin(media, packet))
            until = shown + float((packet.duration or 0) * packet.time_base)
            yield _Piece(number, packet.stream.type == "video", packet.is_keyframe, shown, until)


def _refuse_hard_clocks(media: Media, container: InputContainer) -> None:
    """Where stamps do not say when a picture is shown, it takes a decoder to know it."""
    picture = picture_stream(container, media.path)
    reordered = container.format.name == "avi" and picture.codec_context.has_b_frames
    if reordered or IGNORE_EDITS in container.container_options:
        what = "AVI has no times of its pictures" if reordered else "its edit list has several stretches"
        raise VideoError(f"it cannot be cut without encoding: {what}", path=media.path, cure=_CURE)


def _packets(media: Media, container: InputContainer, stop: StopFlag) -> Iterator[tuple[int, Packet[Stream]]]:
    """Those of picture and sound, numbered in the order of the file, their clock made one."""
    streams = _streams(media, container)
    name = container.format.name
    stamps = ContinuousStamps(name in BROADCAST_FORMATS, may_step_back="mp4" in name)
    for number, packet in enumerate(read_packets(container, streams)):
        stop.look()
        if packet.size:
            stamps.straighten(packet)
            if not packet.is_discard:
                yield number, packet


def _streams(media: Media, container: InputContainer) -> tuple[Stream, Stream]:
    return picture_stream(container, media.path), sound_stream(container, media.path, media.info.sound_track)


def _origin(media: Media, packet: Packet[Stream]) -> Fraction:
    """What a stamp is when the clock of ``media`` begins."""
    # Pictures of two fields stay so, and whoever reads the clip knows that as well as here.
    moved = Fraction(0) if packet.stream.type == "video" else media.start.moved
    return media.start.stamp + moved + media.phase


def _write(media: Media, plan: _Copy, comment: str, stop: StopFlag) -> None:
    """Raises OSError and VideoError, leaving nothing half-written."""
    plan.clip.target.parent.mkdir(parents=True, exist_ok=True)
    with NewFile(plan.clip.target) as temporary, opened(media.path) as container:
        with _refusing(media, plan.clip):
            output = av.open(os.path.abspath(temporary), "w", format="mp4", options={"movflags": "+faststart"})
        try:
            output.metadata["comment"] = comment
            with _refusing(media, plan.clip):
                streams = {one.index: output.add_stream_from_template(one) for one in _streams(media, container)}
            for number, packet in _packets(media, container, stop):
                if number in plan.numbers:
                    _move(packet, media, plan)
                    packet.stream = streams[packet.stream_index]
                    with _refusing(media, plan.clip):
                        output.mux(packet)
        except BaseException:
            with contextlib.suppress(av.FFmpegError):
                output.close()
            raise
        with _refusing(media, plan.clip):
            output.close()


def _move(packet: Packet[Stream], media: Media, plan: _Copy) -> None:
    """To the clock of the clip."""
    delay = plan.clip.delay if packet.stream.type == "audio" else 0
    ticks = round((_origin(media, packet) + Fraction(plan.begin) - delay) / (packet.time_base or 1))
    packet.pts = None if packet.pts is None else packet.pts - ticks
    packet.dts = None if packet.dts is None else packet.dts - ticks


@contextmanager
def _refusing(media: Media, clip: Clip) -> Iterator[None]:
    """What goes wrong with the clip's file comes out as VideoError: what FFmpeg says of it is not of the video."""
    try:
        yield
    except (ValueError, NotImplementedError) as error:
        # Of FFmpeg too, where no such codec goes into the container.
        problem = f"MP4 does not take its streams as they are ({media.info.video_codec}, {media.info.audio_codec})"
        raise VideoError(problem, path=media.path, cure=_CURE) from error
    except (OSError, av.FFmpegError) as error:
        raise cannot_write(clip.target, error) from error

"""A file and a correction -> the file with its sound moved, and all else as it was."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from syncnet.media.file import opened
from syncnet.repair.copying import (
    CannotCopyError,
    NewPacket,
    copy_with_moved_sound,
    copy_with_new_sound,
    first_picture,
    muxer_of,
    start_of,
)
from syncnet.repair.correction import Correction, constant
from syncnet.repair.encoding import Encoding, kind_in, peak_bit_rate
from syncnet.repair.moving import moved_blocks, pieces_of
from syncnet.repair.mp4 import is_whole, move_in_index, replace_in_index
from syncnet.repair.pace import at_pace
from syncnet.repair.sound import SoundKind, decoded_blocks
from syncnet.settings import SoundWay
from syncnet.system.interruption import StopFlag
from syncnet.system.temporary import temporary_beside

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.stream import Stream

SHORT_LEAD_SECONDS = Fraction(1, 10)
"""Where the file begins so little before its first picture, it is by what an encoder puts before the sound, and the new
encoder will do the same."""
COUNTS_ONLY = ("avi",)
"""Kinds of file that store no times, so that a sound that starts later than the picture cannot be said in them."""


SHIFTED_WRONGLY = {("mp4", "mp3"), ("mov", "mp3"), ("matroska", "mp3"), ("mpegts", "aac")}
"""Kinds of file and sound that a player sounds more than 20 ms off once its stamps were moved (docs/repair.md has the
table): there the sound is better encoded again."""


def ways_for(path: Path, track: int, correction: Correction, wanted: SoundWay | None) -> tuple[SoundWay, ...]:
    """How the sound may be moved, the better way first. Raises CannotCopyError and VideoError."""
    with opened(path) as container:
        kind, context = muxer_of(container, path), container.streams.audio[track].codec_context
        codec = context.codec.canonical_name if context else ""
    if correction.kind != "constant":
        if wanted == "shift":
            raise CannotCopyError("only a constant offset can be shifted; give --sound encode")
        return ("encode",)
    if wanted is not None:
        return (wanted,)
    if kind in COUNTS_ONLY:
        return ("encode",)
    return ("encode", "shift") if (kind, codec) in SHIFTED_WRONGLY else ("shift", "encode")


def write_repaired(
    source: Path,
    target: Path,
    track: int,
    correction: Correction,
    way: SoundWay,
    stop: StopFlag,
    *,
    keep_pitch: bool = False,
) -> None:
    """Writes ``target``, which must not be there.

    ``track``: which sound, counted from 0. Raises CannotCopyError, OddIndexError, VideoError, OSError and Interrupted.
    """
    delay = Fraction(correction.steps[0].delay_ms) / 1000
    with opened(source) as container:
        kind, number = muxer_of(container, source), container.streams.audio[track].id
        start = Fraction(0) if kind in ("mp4", "mov") else start_of(container)
        picture_start = first_picture(container, source)
        if kind not in COUNTS_ONLY and 0 < picture_start - start < SHORT_LEAD_SECONDS:
            start = picture_start
    in_index = kind in ("mp4", "mov") and is_whole(source)
    if way == "shift":
        if kind in COUNTS_ONLY:
            raise CannotCopyError(f"{kind.upper()} cannot say when a sound starts")
        if in_index:
            move_in_index(source, target, number, delay)
        else:
            copy_with_moved_sound(source, target, track, delay)
        return
    sound = _NewSound(source, track, correction, picture_start, stop, keep_pitch, counted=kind in COUNTS_ONLY)
    if in_index:
        beside = temporary_beside(target)
        try:
            sound.write_alone(beside, kind)
            replace_in_index(source, target, number, beside)
        finally:
            beside.unlink(missing_ok=True)
    else:
        copy_with_new_sound(source, target, track, lambda writer, like, _: sound.packets(writer, like, start))


class _NewSound:
    """The sound of a file, decoded, corrected and encoded again."""

    def __init__(
        self,
        path: Path,
        track: int,
        correction: Correction,
        picture_start: Fraction,
        stop: StopFlag,
        keep_pitch: bool,
        *,
        counted: bool,
    ) -> None:
        """``counted``: whether the kind of file takes what an encoder puts before the sound for sound."""
        self._path, self._track, self._correction = path, track, correction
        self._picture_start, self._stop, self._keep_pitch, self._counted = picture_start, stop, keep_pitch, counted
        self._kind = kind_in(path, track)
        self._bit_rate = peak_bit_rate(path, track)

    def write_alone(self, target: Path, muxer: str) -> None:
        """A file of this sound only, from time zero on."""
        try:
            with opened(self._path) as reader, av.open(f"file:{target}", "w", format=muxer) as writer:
                for _, packet in self.packets(writer, reader.streams.audio[self._track], Fraction(0)):
                    writer.mux(packet)
        except av.FFmpegError as error:
            raise CannotCopyError(f"FFmpeg cannot write its sound ({error})") from error

    def packets(self, writer: OutputContainer, like: Stream, begin: Fraction) -> Iterator[NewPacket]:
        """The sound from ``begin`` on, in seconds of the file's own clock."""
        encoding = Encoding(writer, cast("AudioStream", like), self._bit_rate)
        lead = self._picture_start - begin
        blocks = decoded_blocks(self._path, self._track, self._kind, begin, self._stop)
        moved = _corrected(blocks, self._kind, self._correction, float(lead), keep_pitch=self._keep_pitch)
        if self._counted:
            # Then the first packet stands at the beginning, and the first sample as much later.
            priming = encoding.priming_samples()
            moved, begin = _without_first(moved, priming), begin + Fraction(priming, self._kind.rate)
        yield from encoding.packets(moved, begin)


def _corrected(
    blocks: Iterator[np.ndarray], kind: SoundKind, correction: Correction, lead: float, *, keep_pitch: bool
) -> Iterator[np.ndarray]:
    """``lead``: seconds by which the blocks begin before the first shown picture."""
    if correction.rate:
        # Heard at t is what stood at t - delay(t), so pace * t - at_zero / 1000 on the clock of the pictures.
        pace = 1 - correction.rate / 1000
        blocks = at_pace(blocks, kind, pace, keep_pitch=keep_pitch)
        at_zero = correction.steps[0].delay_ms / 1000
        delay = (at_zero - lead * (1 - pace)) / pace
        pieces = pieces_of(constant(1000 * delay), kind.rate, lead)
    else:
        pieces = pieces_of(correction, kind.rate, lead)
    return moved_blocks(blocks, pieces, kind.rate)


def _without_first(blocks: Iterator[np.ndarray], count: int) -> Iterator[np.ndarray]:
    for block in blocks:
        kept = block[:, count:]
        count -= min(count, block.shape[1])
        if kept.shape[1]:
            yield kept

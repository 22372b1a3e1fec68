"""The numbers in the index of an MP4 or MOV: lengths, edit lists, places of the media (ISO 14496-12, 8)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from syncnet.repair.boxes import OddIndexError, changed, find_box, need_box, with_box

MOST_PRIMING_SECONDS = Fraction(6, 100)
"""What encoders of AAC put before the sound: 1024 to 2112 samples. A longer hidden part is sound that was cut off."""
EMPTY = -1
"""Where an edit has no media: nothing is shown or heard."""


@dataclass(frozen=True)
class Entry:
    """One line of an edit list."""

    ticks: int
    """How long, by the clock of the whole file."""
    media_start: int
    """By the clock of the track's own media; ``EMPTY`` for a pause."""
    rate: bytes = b"\0\1\0\0"


def time_scale(header: bytes) -> int:
    """Ticks a second, of the content of mvhd or mdhd."""
    (scale,) = struct.unpack_from(">I", header, 20 if header[0] else 12)
    if not scale:
        raise OddIndexError("a clock of its index stands still")
    return int(scale)


def track_number(track: bytes) -> int:
    """Of the content of a trak."""
    header = need_box(track, b"tkhd")
    return int(struct.unpack_from(">I", header, 20 if header[0] else 12)[0])


def read_edits(track: bytes, scale: int) -> list[Entry]:
    """As they are, or the one that a track without any has. ``scale``: ticks a second of the whole file."""
    listed = find_box(track, b"edts", b"elst")
    if listed is None:
        media = need_box(track, b"mdia", b"mdhd")
        seconds = Fraction(_duration(media, 16, 24), time_scale(media))
        return [Entry(round(seconds * scale), 0)]
    form = ">Qq4s" if listed[0] else ">Ii4s"
    (count,) = struct.unpack_from(">I", listed, 4)
    rows = listed[8 : 8 + count * struct.calcsize(form)]
    return [Entry(*row) for row in struct.iter_unpack(form, rows)]


def moved_edits(entries: Sequence[Entry], delay: Fraction, scale: int, media_scale: int) -> list[Entry]:
    """The same media later by so many seconds, or earlier, where what would be heard before the start is left out.

    Raises OddIndexError where nothing would be left.
    """
    if delay >= 0:
        entries, delay = _uncovered(entries, delay, scale, media_scale)
        wait = round(delay * scale)
        if entries and entries[0].media_start == EMPTY:
            return [replace(entries[0], ticks=entries[0].ticks + wait), *entries[1:]]
        return [Entry(wait, EMPTY), *entries] if wait else list(entries)
    left, kept = -delay, list(entries)
    while kept and left > 0:
        first = kept.pop(0)
        seconds = Fraction(first.ticks, scale)
        if seconds > left:
            starts = EMPTY if first.media_start == EMPTY else first.media_start + round(left * media_scale)
            kept.insert(0, Entry(round((seconds - left) * scale), starts, first.rate))
            return kept
        left -= seconds
    if not kept:
        raise OddIndexError("its sound would be gone")
    return kept


def _uncovered(
    entries: Sequence[Entry], delay: Fraction, scale: int, media_scale: int
) -> tuple[Sequence[Entry], Fraction]:
    """With what an encoder puts before the sound heard, and the delay that is left.

    It is as good as silence, and Chromium is early by it where it is hidden behind a pause.
    """
    hidden = Fraction(entries[0].media_start, media_scale) if entries else Fraction(0)
    if not 0 < hidden <= MOST_PRIMING_SECONDS:
        return entries, delay
    shown = min(hidden, delay)
    first = replace(
        entries[0],
        ticks=entries[0].ticks + round(shown * scale),
        media_start=entries[0].media_start - round(shown * media_scale),
    )
    return [first, *entries[1:]], delay - shown


def with_edits(track: bytes, entries: Sequence[Entry]) -> bytes:
    """The track with these edits, and the length that they come to."""
    total = sum(entry.ticks for entry in entries)
    long = total >= 2**32 or any(entry.media_start >= 2**31 for entry in entries)
    form = ">Qq4s" if long else ">Ii4s"
    rows = b"".join(struct.pack(form, entry.ticks, entry.media_start, entry.rate) for entry in entries)
    listed = struct.pack(">B3xI", long, len(entries)) + rows
    edits = struct.pack(">I4s", len(listed) + 8, b"elst") + listed
    track = with_box(track, b"edts", edits, after=b"tkhd")
    return changed(track, (b"tkhd",), lambda header: _with_duration(header, total, 20, 28))


def with_movie_length(movie: bytes) -> bytes:
    """The whole index with the length of its longest track."""
    longest = max(_duration(header, 20, 28) for header in _each(movie, b"trak", lambda track: need_box(track, b"tkhd")))
    return changed(movie, (b"mvhd",), lambda header: _with_duration(header, longest, 16, 24))


def with_places(movie: bytes, move: Callable[[int], int]) -> bytes:
    """The index with every place of media moved. Raises OddIndexError where a place does not fit its field."""

    def moved(form: str) -> Callable[[bytes], bytes]:
        def change(content: bytes) -> bytes:
            (count,) = struct.unpack_from(">I", content, 4)
            places = struct.unpack_from(f">{count}{form}", content, 8)
            try:
                return content[:8] + struct.pack(f">{count}{form}", *map(move, places))
            except struct.error as error:
                raise OddIndexError("its media lie too far apart") from error

        return change

    tables = (b"trak", b"mdia", b"minf", b"stbl")
    movie = changed(movie, (*tables, b"stco"), moved("I"))
    return changed(movie, (*tables, b"co64"), moved("Q"))


def _each(movie: bytes, name: bytes, read: Callable[[bytes], bytes]) -> list[bytes]:
    found: list[bytes] = []

    def look(content: bytes) -> bytes:
        found.append(read(content))
        return content

    changed(movie, (name,), look)
    return found


def _duration(header: bytes, short_place: int, long_place: int) -> int:
    form, place = (">Q", long_place) if header[0] else (">I", short_place)
    return int(struct.unpack_from(form, header, place)[0])


def _with_duration(header: bytes, ticks: int, short_place: int, long_place: int) -> bytes:
    form, place = (">Q", long_place) if header[0] else (">I", short_place)
    if not header[0] and ticks >= 2**32:
        raise OddIndexError("it is too long for its index")
    return header[:place] + struct.pack(form, ticks) + header[place + struct.calcsize(form) :]

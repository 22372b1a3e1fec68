"""MP4 and MOV: a sound is moved in the index alone, by its edit list, or replaced there by one that is appended.

Nothing else of the file changes by a byte, whatever tracks it has: FFmpeg's writer would leave out those that it does
not know, as those of phones and cameras.
"""

from __future__ import annotations

import shutil
import struct
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from syncnet.repair.boxes import (
    OddIndexError,
    TopBox,
    changed,
    find_box,
    need_box,
    read_index,
    top_boxes,
    with_box,
    wrap,
)
from syncnet.repair.index import (
    moved_edits,
    read_edits,
    time_scale,
    track_number,
    with_edits,
    with_movie_length,
    with_places,
)

IN_FRAGMENTS = (b"moof",)
_BLOCK_BYTES = 4 * 2**20
_LANGUAGE = slice(20, 22), slice(32, 34)
"""In the content of an mdhd, of either version."""


def is_whole(path: Path) -> bool:
    """Whether the file has one index of all its media. Raises OddIndexError and OSError."""
    names = [box.name for box in top_boxes(path)]
    return names.count(b"moov") == 1 and b"moof" not in names and not _has_fragments(path)


def _has_fragments(path: Path) -> bool:
    (movie,) = (box for box in top_boxes(path) if box.name == b"moov")
    return find_box(read_index(path, movie), b"mvex") is not None


def move_in_index(source: Path, target: Path, track: int, delay: Fraction) -> None:
    """The file with the track of this number later by so many seconds. Raises OddIndexError and OSError."""

    def move(movie: bytes) -> bytes:
        scale = time_scale(need_box(movie, b"mvhd"))

        def moved(content: bytes) -> bytes:
            if track_number(content) != track:
                return content
            media_scale = time_scale(need_box(content, b"mdia", b"mdhd"))
            return with_edits(content, moved_edits(read_edits(content, scale), delay, scale, media_scale))

        return with_movie_length(changed(movie, (b"trak",), moved))

    _write(source, target, move)


def replace_in_index(source: Path, target: Path, track: int, sound: Path) -> None:
    """The file with the media of this track replaced by the only track of the file ``sound``, which is appended.

    The old media stay in the file, and nothing names them. Raises OddIndexError and OSError.
    """
    boxes = top_boxes(sound)
    (index,), (media,) = ([box for box in boxes if box.name == name] for name in (b"moov", b"mdat"))
    new_movie = read_index(sound, index)
    new_scale = time_scale(need_box(new_movie, b"mvhd"))
    new_track = need_box(new_movie, b"trak")

    def grafted(movie: bytes) -> bytes:
        scale = time_scale(need_box(movie, b"mvhd"))

        def graft(content: bytes) -> bytes:
            if track_number(content) != track:
                return content
            media_box = _in_language_of(need_box(content, b"mdia"), need_box(new_track, b"mdia"))
            content = with_box(content, b"mdia", _plain(media_box), after=b"tkhd")
            edits = read_edits(new_track, new_scale)
            rescaled = [replace(one, ticks=round(Fraction(one.ticks * scale, new_scale))) for one in edits]
            return with_edits(content, rescaled)

        return with_movie_length(changed(movie, (b"trak",), graft))

    _write(source, target, grafted, (sound, media, track))


def _write(
    source: Path,
    target: Path,
    change: Callable[[bytes], bytes],
    appended: tuple[Path, TopBox, int] | None = None,
) -> None:
    """The source with its index changed in its place. ``appended``: media that the track of this number names."""
    boxes = top_boxes(source)
    (index,) = (box for box in boxes if box.name == b"moov")
    try:
        movie = change(read_index(source, index))
    except struct.error as error:
        raise OddIndexError("a box of its index is too short") from error
    grown = 8 + len(movie) - (index.end - index.begin)
    own = appended[2] if appended else None
    appended_by = boxes[-1].end + grown - appended[1].begin if appended else 0

    def moved(content: bytes) -> bytes:
        if track_number(content) == own:
            return _moved_track(content, lambda place: place + appended_by)
        return _moved_track(content, lambda place: place + grown if place >= index.end else place)

    movie = changed(movie, (b"trak",), moved)
    with source.open("rb") as reader, target.open("xb") as writer:
        _copy(reader, writer, 0, index.begin)
        writer.write(wrap(b"moov", movie))
        _copy(reader, writer, index.end, boxes[-1].end)
        if appended:
            with appended[0].open("rb") as sound:
                _copy(sound, writer, appended[1].begin, appended[1].end)
    shutil.copystat(source, target)


def _moved_track(track: bytes, move: Callable[[int], int]) -> bytes:
    return with_places(wrap(b"trak", track), move)[8:]


def _copy(reader: BinaryIO, writer: BinaryIO, begin: int, end: int) -> None:
    reader.seek(begin)
    left = end - begin
    while left:
        block = reader.read(min(left, _BLOCK_BYTES))
        if not block:
            raise OddIndexError("it ends before its last box does")
        writer.write(block)
        left -= len(block)


def _plain(media: bytes) -> bytes:
    """With places of 8 bytes, since what is appended may lie beyond 4 GB, and with the size of each packet.

    One size for all packets is legal too, but GStreamer takes it for a sign of sound that is not compressed.
    """

    def changed_tables(tables: bytes) -> bytes:
        short, sizes = find_box(tables, b"stco"), need_box(tables, b"stsz")
        if short is not None:
            (count,) = struct.unpack_from(">I", short, 4)
            places = struct.unpack_from(f">{count}I", short, 8)
            long = wrap(b"co64", short[:8] + struct.pack(f">{count}Q", *places))
            tables = tables.replace(wrap(b"stco", short), long)
        size, count = struct.unpack_from(">II", sizes, 4)
        (ticks,) = struct.unpack_from(">I", need_box(tables, b"stts"), 12)
        if size and ticks > 1:
            each = sizes[:4] + struct.pack(f">II{count}I", 0, count, *[size] * count)
            tables = tables.replace(wrap(b"stsz", sizes), wrap(b"stsz", each))
        return tables

    return changed(media, (b"minf", b"stbl"), changed_tables)


def _in_language_of(old: bytes, new: bytes) -> bytes:
    header = need_box(old, b"mdhd")
    language = header[_LANGUAGE[header[0]]]

    def told(content: bytes) -> bytes:
        place = _LANGUAGE[content[0]]
        return content[: place.start] + language + content[place.stop :]

    return changed(new, (b"mdhd",), told)

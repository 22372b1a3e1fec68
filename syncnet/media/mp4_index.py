"""What an MP4 or MOV file's index says that FFmpeg does not hand on: its edit lists (ISO 14496-12, 8.6.6)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

MOST_EDITS = 10_000
_Box = tuple[bytes, int, int]
"""Name, and the places in the file where its content begins and ends."""


@dataclass(frozen=True)
class Edit:
    """A stretch of a stream's media that is shown or heard. Times in seconds."""

    shown_at: Fraction
    """On the clock of the whole file."""
    media_start: Fraction
    """On the clock of the stream's own media."""
    seconds: Fraction


def end_of(edits: list[Edit]) -> Fraction:
    """When the last of them ends, on the clock of the whole file."""
    return max((edit.shown_at + edit.seconds for edit in edits), default=Fraction(0))


def has_several_edits(path: Path) -> bool:
    """Whether some stream is shown in more than one stretch."""
    return any(len(edits) > 1 for edits in read_edits(path).values())


def read_edits(path: Path) -> dict[int, list[Edit]]:
    """The edits of each track that has an edit list, by the track's number, in the order in which they are shown.

    Empty where the file has none, is no such file, or comes in fragments, whose edits FFmpeg does not follow either.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            movie = next((box for box in _boxes(file, 0, size) if box[0] == b"moov"), None)
            return {} if movie is None else _edits_of_movie(file, movie)
    except (OSError, struct.error, ValueError):
        # FFmpeg will say what is wrong with it.
        return {}


def _edits_of_movie(file: BinaryIO, movie: _Box) -> dict[int, list[Edit]]:
    parts = list(_boxes(file, *movie[1:]))
    scale = _time_scale(file, next((box for box in parts if box[0] == b"mvhd"), None))
    if scale is None or any(name == b"mvex" for name, _, _ in parts):
        return {}
    edits: dict[int, list[Edit]] = {}
    for track in (box for box in parts if box[0] == b"trak"):
        header, listed = _inside(file, track, b"tkhd"), _inside(file, track, b"edts", b"elst")
        media_scale = _time_scale(file, _inside(file, track, b"mdia", b"mdhd"))
        if header is not None and listed is not None and media_scale is not None:
            (number,) = struct.unpack(">I", _read(file, header, 20 if _version(file, header) else 12, 4))
            edits[number] = _edits(file, listed, scale, media_scale)
    return edits


def _edits(file: BinaryIO, listed: _Box, scale: int, media_scale: int) -> list[Edit]:
    form = ">QqHh" if _version(file, listed) else ">IiHh"
    each = struct.calcsize(form)
    (count,) = struct.unpack(">I", _read(file, listed, 4, 4))
    count = min(count, MOST_EDITS, (listed[2] - listed[1] - 8) // each)
    found, shown_at = [], Fraction(0)
    for duration, start, _, _ in struct.iter_unpack(form, _read(file, listed, 8, count * each)):
        seconds = Fraction(duration, scale)
        # A start of -1 is a stretch in which nothing is shown.
        if start >= 0 and seconds > 0:
            found.append(Edit(shown_at, Fraction(start, media_scale), seconds))
        shown_at += seconds
    return found


def _time_scale(file: BinaryIO, header: _Box | None) -> int | None:
    """Ticks a second of a movie's or a media's header; None where it has no sensible number."""
    if header is None:
        return None
    (scale,) = struct.unpack(">I", _read(file, header, 20 if _version(file, header) else 12, 4))
    return scale or None


def _version(file: BinaryIO, box: _Box) -> int:
    return _read(file, box, 0, 1)[0]


def _read(file: BinaryIO, box: _Box, place: int, count: int) -> bytes:
    """So many bytes of the box's content; struct will not take fewer."""
    file.seek(box[1] + place)
    return file.read(min(count, max(0, box[2] - box[1] - place))) or b"\0"


def _inside(file: BinaryIO, box: _Box, *names: bytes) -> _Box | None:
    for name in names:
        inner = next((found for found in _boxes(file, *box[1:]) if found[0] == name), None)
        if inner is None:
            return None
        box = inner
    return box


def _boxes(file: BinaryIO, begin: int, end: int) -> Iterator[_Box]:
    while begin + 8 <= end:
        file.seek(begin)
        head = file.read(16)
        size, name = struct.unpack(">I4s", head[:8])
        content = begin + 8
        if size == 1:
            (size,) = struct.unpack(">Q", head[8:])
            content = begin + 16
        elif size == 0:
            size = end - begin
        if begin + size < content:
            return
        yield name, content, min(begin + size, end)
        begin += size

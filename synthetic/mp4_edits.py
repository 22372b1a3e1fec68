"""Edit lists written into a finished MP4 or MOV, which FFmpeg's muxer itself cannot make (ISO 14496-12, 8.6)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

Edit = tuple[float, float | None]
"""Seconds that it lasts, and the second of the stream's own media where it begins; None: nothing is shown."""
Boxes = dict[bytes, tuple[int, int]]


def set_edits(path: Path, edits: Sequence[Edit], sound_edits: Sequence[Edit] | None = None) -> Path:
    """Give picture and sound these edits in the place of their own. ``moov`` must lie behind the media data.

    A stream's media begins with its first packet: the sound's with what its encoder put before, and the pictures'
    with the first decoding time. The time of the first picture and of the first wanted sample, which the muxer's
    own edits name, is added to each edit.
    """
    data = path.read_bytes()
    begin, end = _box(data, 0, len(data), b"moov")
    assert end == len(data), "the index lies before the media"
    movie_scale = _scale(data, _box(data, begin, end, b"mvhd"))

    def edited(track: bytes) -> bytes:
        media = _box(track, 0, len(track), b"mdia")
        handler = _box(track, *media, b"hdlr")
        is_sound = track[handler[0] + 8 : handler[0] + 12] == b"soun"
        wanted = sound_edits if is_sound and sound_edits is not None else edits
        scale = _scale(track, _box(track, *media, b"mdhd"))
        entries = b"".join(
            struct.pack(
                ">IiHH",
                round(seconds * movie_scale),
                -1 if start is None else round(start * scale) + _first_wanted(track),
                1,
                0,
            )
            for seconds, start in wanted
        )
        listed = _wrap(b"elst", struct.pack(">II", 0, len(wanted)) + entries)
        return _replaced(track, b"edts", lambda _: listed)

    movie = _replaced(data[begin:end], b"trak", edited, everywhere=True)
    path.write_bytes(data[: begin - 8] + _wrap(b"moov", movie))
    return path


def _first_wanted(track: bytes) -> int:
    """Of the muxer's own edit list, where its media edit begins, in ticks of the media; 0 without one."""
    for name, begin, end in _boxes(track, 0, len(track)):
        if name == b"edts":
            place, _ = _box(track, begin, end, b"elst")
            (count,) = struct.unpack(">I", track[place + 4 : place + 8])
            starts = [struct.unpack(">i", track[place + 12 + 12 * k : place + 16 + 12 * k])[0] for k in range(count)]
            return next(start for start in starts if start >= 0)
    return 0


def _boxes(data: bytes, begin: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    while begin + 8 <= end:
        size, name = struct.unpack(">I4s", data[begin : begin + 8])
        yield name, begin + 8, begin + size
        begin += size


def _box(data: bytes, begin: int, end: int, name: bytes) -> tuple[int, int]:
    return next((first, last) for found, first, last in _boxes(data, begin, end) if found == name)


def _scale(data: bytes, box: tuple[int, int]) -> int:
    place = box[0] + (20 if data[box[0]] else 12)
    return int(struct.unpack(">I", data[place : place + 4])[0])


def _wrap(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, name) + content


def _replaced(data: bytes, name: bytes, new: Callable[[bytes], bytes], *, everywhere: bool = False) -> bytes:
    parts, seen = [], False
    for found, begin, end in _boxes(data, 0, len(data)):
        content = data[begin:end]
        if found == name and (everywhere or not seen):
            content, seen = new(content), True
        parts.append(_wrap(found, content))
    return b"".join(parts) if seen else b"".join([parts[0], _wrap(name, new(b"")), *parts[1:]])

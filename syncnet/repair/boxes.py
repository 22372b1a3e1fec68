"""The boxes of an MP4 or MOV file's index, taken apart, changed and put together (ISO 14496-12; QuickTime's are alike).

All of them are held as bytes: an index is megabytes at most, and the media itself is never read here.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_INDEX_BYTES = 512 * 2**20
Change = Callable[[bytes], bytes]


class OddIndexError(Exception):
    """The index is not built as it should be, or as this can change it."""


@dataclass(frozen=True)
class TopBox:
    """A box of the file itself."""

    name: bytes
    begin: int
    """Where its header begins."""
    content: int
    end: int


def top_boxes(path: Path) -> list[TopBox]:
    """Those of the file, in order. Raises OddIndexError where they do not fill it, and OSError."""
    found, begin = [], 0
    with path.open("rb") as file:
        length = file.seek(0, 2)
        while begin < length:
            file.seek(begin)
            head = file.read(16)
            if len(head) < 8:
                raise OddIndexError("bytes follow its last box")
            size, name = struct.unpack(">I4s", head[:8])
            content = begin + (16 if size == 1 else 8)
            if size == 1 and len(head) == 16:
                (size,) = struct.unpack(">Q", head[8:])
            if begin + size < content or begin + size > length:
                raise OddIndexError("its last box has no end")
            found.append(TopBox(name, begin, content, begin + size))
            begin += size
    return found


def read_index(path: Path, box: TopBox) -> bytes:
    """The content of the box. Raises OSError, and OddIndexError for one that is no index by its size."""
    if box.end - box.content > MOST_INDEX_BYTES:
        raise OddIndexError("its index is too large")
    with path.open("rb") as file:
        file.seek(box.content)
        return file.read(box.end - box.content)


def inner_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Name and content of each box. What QuickTime puts after the last one, four zeros, is left out."""
    begin = 0
    while begin + 8 <= len(data):
        size, name = struct.unpack(">I4s", data[begin : begin + 8])
        if size < 8 or begin + size > len(data):
            raise OddIndexError("a box of its index has no end")
        yield name, data[begin + 8 : begin + size]
        begin += size


def find_box(data: bytes, *names: bytes) -> bytes | None:
    """The content of the first box of that name, within the first one of the name before, and so on."""
    for name in names:
        inner = next((content for found, content in inner_boxes(data) if found == name), None)
        if inner is None:
            return None
        data = inner
    return data


def need_box(data: bytes, *names: bytes) -> bytes:
    """The same. Raises OddIndexError where it is missing."""
    found = find_box(data, *names)
    if found is None:
        raise OddIndexError(f"its index has no {names[-1].decode('latin-1')}")
    return found


def wrap(name: bytes, content: bytes) -> bytes:
    """The box."""
    return struct.pack(">I4s", len(content) + 8, name) + content


def changed(data: bytes, names: tuple[bytes, ...], change: Change) -> bytes:
    """With every box of that name, within the boxes of the names before, changed; all else stays to the byte."""
    parts, place = [], 0
    for name, content in inner_boxes(data):
        place += 8 + len(content)
        if name == names[0]:
            content = changed(content, names[1:], change) if names[1:] else change(content)  # noqa: PLW2901
        parts.append(wrap(name, content))
    return b"".join(parts) + data[place:]


def with_box(data: bytes, name: bytes, content: bytes, *, after: bytes) -> bytes:
    """With this box in the place of the one of its name, or else behind the first one named ``after``."""
    if find_box(data, name) is not None:
        return changed(data, (name,), lambda _: content)
    parts, place = [], 0
    for found, inner in inner_boxes(data):
        place += 8 + len(inner)
        parts.append(wrap(found, inner))
        if found == after:
            parts.append(wrap(name, content))
    return b"".join(parts) + data[place:]

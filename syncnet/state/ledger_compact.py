"""A ledger in as few lines as tell what it comes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import BinaryIO

from syncnet.state.ledger_lines import Video, read_line, write_line
from syncnet.state.ledger_state import Known, LedgerState, open_for_reading
from syncnet.system.plain import read_json


def compacted(state: LedgerState, *, forgotten: bool, without: Collection[str] = ()) -> Iterator[bytes]:
    """The lines of the records that are, or are not, forgotten; none of those ``without``, nor of earlier names.

    Raises OSError and UsageError.
    """
    with open_for_reading(state.path) as reader:
        for path, known in state.known.items():
            if path not in without and (path in state.stale) == forgotten:
                yield from _lines(path, known, state, reader)


def _lines(path: str, known: Known, state: LedgerState, reader: BinaryIO) -> Iterator[bytes]:
    text = _line_at(known.start, reader)
    line = read_line(text)
    if isinstance(line, Video) and line.renamed_from:
        text = write_line(**{**read_json(text), "renamed_from": ""})
    yield text
    if known.found_in != (line.found_in if isinstance(line, Video) else ""):
        yield write_line("seen", path=path, found_in=known.found_in)
    if known.gone:
        yield write_line("gone", path=path)
    if known.placed >= 0:
        yield write_line(**{**read_json(_line_at(known.placed, reader)), "path": path})
    if path in state.moved:
        yield write_line("moving", path=path)


def _line_at(start: int, reader: BinaryIO) -> bytes:
    reader.seek(start)
    return reader.readline()

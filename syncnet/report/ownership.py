"""Whether a file that a run would write anew is one that this tool wrote: told by what is in it."""

from __future__ import annotations

import csv
import itertools
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.inputs.discovery import STATE_FOLDER
from syncnet.report.names import MONTAGE_NAME, MONTAGE_TITLE, NEW_PASSING_NAME, PAGE_NAME, PAGE_TITLE, PASSED_NAME
from syncnet.report.segments_table import SEGMENT_COLUMNS, SEGMENTS_CSV_NAME, SEGMENTS_PARQUET_NAME
from syncnet.report.table import COLUMNS, CSV_NAME, PARQUET_NAME
from syncnet.report.typed_table import Columns

HEAD_BYTES = 65536
_FEWEST_COLUMNS = 12
"""Of the tables of earlier versions: newer ones have more of them at the end."""
_LOOK = re.compile(rb"sync_filter [0-9a-f]{64}")
_MOST_LOOKED_AT = 20
_LOOK_BYTES = 8 * 1024 * 1024
"""Overlay videos have their index, with the comment, in front."""


def refuse_foreign(path: Path) -> None:
    """Raises UsageError where a file, or folder, of this name stands that this tool did not write."""
    if not is_own(path):
        raise UsageError(f"{path} was not written by this tool", cure="move it away, or give another --output_dir")


def is_own(path: Path) -> bool:
    """Whether nothing of anybody else's is lost when this output is written: nothing, an empty file, or its own.

    Raises UsageError where it cannot be read.
    """
    try:
        if path.name not in _KNOWN:
            return _is_own_folder(path) if path.is_dir() else not os.path.lexists(path)
        if not path.is_file():
            # No file takes the place of a folder.
            return path.is_dir() or not os.path.lexists(path)
        return path.stat().st_size == 0 or _KNOWN[path.name](path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", cure="see that it can be read, or move it away") from error


def refuse_other_kind(path: Path, is_such: Callable[[Path], bool]) -> None:
    """Raises UsageError where the file that a flag names holds what no list of this kind does: a slip of the hand."""
    try:
        foreign = os.path.lexists(path) and not (path.is_file() and (path.stat().st_size == 0 or is_such(path)))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", cure="see that it can be read, or give another name") from error
    if foreign:
        raise UsageError(f"{path} holds something else and is not written over", cure="give another name")


def is_text(path: Path) -> bool:
    """As far as its beginning tells: lists of paths are, videos are not."""
    return b"\0" not in _head(path)


def is_segments_table(path: Path) -> bool:
    return _is_table(path, SEGMENT_COLUMNS)


def is_verdicts(path: Path) -> bool:
    return _head(path).startswith(b'{"path": ')


def mark_folder(folder: Path) -> None:
    """Notes that this tool makes the folder, beside what else it remembers. Raises OSError."""
    mark = _mark_of(folder)
    if not mark.exists():
        mark.touch()


def _mark_of(folder: Path) -> Path:
    return folder.parent / STATE_FOLDER / f"{folder.name}.made"


def _is_own_folder(folder: Path) -> bool:
    """Marked, empty, or of an earlier version: then one of its files tells it."""
    if _mark_of(folder).exists():
        return True
    files = [os.path.join(parent, name) for parent, _, names in os.walk(folder) for name in names]
    told = (file for file in files if file.endswith((".mp4", "tracks.json")))
    return not files or any(map(_is_look, itertools.islice(told, _MOST_LOOKED_AT)))


def _is_look(file: str) -> bool:
    with open(file, "rb") as reader:
        return _LOOK.search(reader.read(_LOOK_BYTES)) is not None


def _head(path: Path) -> bytes:
    with open(path, "rb") as reader:
        return reader.read(HEAD_BYTES)


def _is_results(path: Path) -> bool:
    head = _head(path)
    # Older than any other key of the tool's own; the published script has a file of this name too.
    return head.lstrip().startswith(b"{") and b'"filter_settings"' in head and b'"no_detection"' in head


def _is_table(path: Path, columns: Columns) -> bool:
    first = _head(path).split(b"\n", 1)[0].decode("utf-8", errors="replace")
    return _are_columns(next(csv.reader([first]), []), columns)


def _is_parquet(path: Path, columns: Columns) -> bool:
    import pyarrow
    import pyarrow.parquet

    try:
        return _are_columns(pyarrow.parquet.read_schema(path).names, columns)
    except pyarrow.ArrowException:
        return False


def _are_columns(names: list[str], columns: Columns) -> bool:
    # Behind ours those of a user's own table may stand.
    return len(names) >= _FEWEST_COLUMNS and names[: len(columns)] == list(columns)[: len(names)]


def _is_page(path: Path) -> bool:
    return f"<title>{PAGE_TITLE}</title>".encode() in _head(path)


def _is_montage(path: Path) -> bool:
    return MONTAGE_TITLE.encode() in _head(path)


def _is_new_passing(path: Path) -> bool:
    # It is a plain list; a run that writes it notes more than that.
    return (path.parent / STATE_FOLDER / PASSED_NAME).exists()


_KNOWN: dict[str, Callable[[Path], bool]] = {
    "sync_filter_results.json": _is_results,
    CSV_NAME: partial(_is_table, columns=COLUMNS),
    PARQUET_NAME: partial(_is_parquet, columns=COLUMNS),
    SEGMENTS_CSV_NAME: is_segments_table,
    SEGMENTS_PARQUET_NAME: partial(_is_parquet, columns=SEGMENT_COLUMNS),
    NEW_PASSING_NAME: _is_new_passing,
    PAGE_NAME: _is_page,
    MONTAGE_NAME.name: _is_montage,
}

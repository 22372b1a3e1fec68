"""Tables of typed columns as CSV and Parquet files."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from syncnet.system.atomic import write_file

ROWS_A_PIECE = 1000

Kind = Literal["text", "whole", "number", "flag"]
Columns = Mapping[str, Kind]
"""In their order."""
_STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What a spreadsheet program may take for the start of a formula, and the sign that keeps it from doing so."""


def write_csv_table(columns: Columns, rows: Iterable[list[Any]], path: Path) -> None:
    """Raises OSError, leaving the old file as it was."""
    write_file(path, (text.encode("utf-8", errors="backslashreplace") for text in _csv_pieces(columns, rows)))


def _csv_pieces(columns: Columns, rows: Iterable[list[Any]]) -> Iterator[str]:
    """The file in stretches of rows: that of a million videos is half a gigabyte."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    flags = [place for place, kind in enumerate(columns.values()) if kind == "flag"]
    texts = [place for place, kind in enumerate(columns.values()) if kind == "text"]
    told = (_as_text(row, flags, texts) for row in rows)
    while True:
        writer.writerows(itertools.islice(told, ROWS_A_PIECE))
        piece = text.getvalue()
        if not piece:
            return
        yield piece
        text.seek(0)
        text.truncate()


def write_parquet_table(columns: Columns, rows: Iterable[list[Any]], path: Path) -> None:
    """The same with types. Raises OSError, leaving the old file as it was."""
    import pyarrow
    import pyarrow.parquet

    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "flag": pyarrow.bool_(),
    }
    by_column = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = [
        pyarrow.array([_without_stray_bytes(value) for value in column], types[kind])
        for column, kind in zip(by_column, columns.values(), strict=True)
    ]
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=list(columns)), sink, compression="zstd")
    write_file(path, sink.getvalue().to_pybytes())


def _as_text(row: list[Any], flags: list[int], texts: list[int]) -> list[Any]:
    """The row as the writer is to have it, which itself writes numbers as they are, and None as nothing."""
    for place in flags:
        if row[place] is not None:
            row[place] = "true" if row[place] else "false"
    for place in texts:
        # Only texts: -3 is no formula.
        if row[place] and row[place].startswith(_STARTS_OF_FORMULAS):
            row[place] = f"'{row[place]}"
    return row


def _without_stray_bytes(value: Any) -> Any:
    """A name that is no valid UTF-8 is written with escapes (``\\udcff``), as in the other files."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="backslashreplace").decode("utf-8")
    return value

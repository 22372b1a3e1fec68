"""Tables of typed columns as CSV and Parquet files."""

from __future__ import annotations

import csv
import io
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from syncnet.system.atomic import write_file

ROWS_A_PIECE = 1000

Kind = Literal["text", "whole", "number", "flag"]
Columns = Mapping[str, Kind]
"""In their order."""
_PAST_WHOLE = 2**63
_STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What a spreadsheet program may take for the start of a formula, and the sign that keeps it from doing so."""


def carried_columns(columns: Columns, rows: Iterable[Mapping[str, Any] | None]) -> dict[str, tuple[str, Kind]]:
    """The columns of a user's own table: by name what each is called beside ours, and what it holds.

    ``rows``: its values for each video. A name that is taken gets ``list_`` in front.
    """
    kinds: dict[str, set[Kind]] = {}
    for row in rows:
        for name, value in (row or {}).items():
            kinds.setdefault(name, set()).update(() if value is None else (_kind_of(value),))
    taken, carried = set(columns), {}
    for name, found in kinds.items():
        told = name
        while told in taken:
            told = f"list_{told}"
        taken.add(told)
        carried[name] = (told, _common(found))
    return carried


def carried_values(carried: Mapping[str, tuple[str, Kind]], row: Mapping[str, Any] | None) -> list[Any]:
    """The values of one video in those columns."""
    values = ((row or {}).get(name) for name in carried)
    told = zip(values, carried.values(), strict=True)
    return [_text_of(value) if kind == "text" and value is not None else value for value, (_, kind) in told]


def _kind_of(value: Any) -> Kind:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "whole" if abs(value) < _PAST_WHOLE else "text"
    return "number" if isinstance(value, float) else "text"


def _common(kinds: set[Kind]) -> Kind:
    if kinds == {"whole", "number"}:
        return "number"
    return next(iter(kinds)) if len(kinds) == 1 else "text"


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def write_csv_table(columns: Columns, rows: Iterable[list[Any]], path: Path) -> None:
    """Raises OSError, leaving the old file as it was."""
    write_file(path, (text.encode("utf-8", errors="backslashreplace") for text in _csv_pieces(columns, rows)))


def _csv_pieces(columns: Columns, rows: Iterable[list[Any]]) -> Iterator[str]:
    """The file in stretches of rows: that of a million videos is half a gigabyte."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(map(_no_formula, columns))
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
        if row[place]:
            row[place] = _no_formula(row[place])
    return row


def _no_formula(text: str) -> str:
    return f"'{text}" if text.startswith(_STARTS_OF_FORMULAS) else text


def _without_stray_bytes(value: Any) -> Any:
    """A name that is no valid UTF-8 is written with escapes (``\\udcff``), as in the other files."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="backslashreplace").decode("utf-8")
    return value

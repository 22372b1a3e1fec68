"""The list of videos that pass: plain, or the table that named them, made smaller."""

from __future__ import annotations

import csv
import importlib
import io
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncnet.errors import UsageError
from syncnet.inputs.manifest import as_line
from syncnet.inputs.rows import CSV_DELIMITERS, is_table
from syncnet.report.ownership import is_text
from syncnet.report.table import PYARROW
from syncnet.report.typed_table import carried_columns, carried_values, write_parquet_table
from syncnet.state.listed import columns_by_name, read_rows, read_table
from syncnet.system.atomic import write_file

PARQUET = ".parquet"
_PARQUET_START = b"PAR1"


@dataclass(frozen=True)
class Passing:
    """A video that passes."""

    name: str
    """Below the input folder, or the folder of the list."""
    location: str
    confidence: float | None
    offset: int | None


def is_passing(path: Path) -> bool:
    """Whether such a list may take the place of the file: a slip of the hand must not write over a video."""
    if path.suffix.lower() != PARQUET:
        return is_text(path)
    with open(path, "rb") as reader:
        return reader.read(len(_PARQUET_START)) == _PARQUET_START


def write_passing(passing: Sequence[Passing], state_dir: Path, path: Path) -> None:
    """One path or URI per line; in a file with the ending of a table, the rows of the table that named the videos.

    Raises OSError, leaving the old file as it was, and UsageError where pyarrow is missing.
    """
    if not is_table(path):
        write_file(path, (os.fsencode(as_line(each.location)) + b"\n" for each in passing))
        return
    names = {each.name for each in passing}
    if path.suffix.lower() == PARQUET and _took_rows(names, state_dir, path):
        return
    kept = read_table(state_dir)
    rows = [row.columns for row in read_rows(state_dir) if row.name in names] if kept else list(_own_rows(passing))
    _write(rows, path)


def with_columns(entries: Iterable[dict[str, Any]], state_dir: Path) -> Iterable[dict[str, Any]]:
    """The entries of the table of segments with the columns of the table that named the videos, where one did."""
    columns = columns_by_name(state_dir)
    if not columns:
        return entries
    return [{**entry, "columns": columns.get(entry["video_path"])} for entry in entries]


def _own_rows(passing: Iterable[Passing]) -> Iterator[dict[str, Any]]:
    """Where no table named the videos."""
    for each in passing:
        yield {"path": each.location, "confidence": each.confidence, "offset": each.offset}


def _took_rows(names: set[str], state_dir: Path, path: Path) -> bool:
    """Parquet from Parquet keeps its types: times, bytes, nested ones."""
    kept = read_table(state_dir)
    if kept is None or not kept.unchanged or kept.path.suffix.lower() != PARQUET:
        return False
    parquet = _pyarrow("pyarrow.parquet")
    numbers = dict.fromkeys(row.number for row in read_rows(state_dir) if row.name in names)
    table = parquet.read_table(kept.path).take([number - 1 for number in numbers])
    sink = _pyarrow("pyarrow").BufferOutputStream()
    parquet.write_table(table, sink, compression="zstd")
    write_file(path, sink.getvalue().to_pybytes())
    return True


def _write(rows: list[dict[str, Any]], path: Path) -> None:
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_file(path, (line.encode("utf-8", errors="surrogateescape") for line in lines))
        return
    carried = carried_columns({}, rows)
    columns, values = dict(carried.values()), (carried_values(carried, row) for row in rows)
    if path.suffix.lower() == PARQUET:
        _pyarrow("pyarrow")
        write_parquet_table(columns, values, path)
        return
    # As they were read, so that the list names the same files: nothing is put before a name that begins with "-".
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=CSV_DELIMITERS[path.suffix.lower()], lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(values)
    write_file(path, text.getvalue().encode("utf-8", errors="surrogateescape"))


def _pyarrow(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        raise UsageError("--passing FILE.parquet needs pyarrow", cure=f"pip install '{PYARROW}'") from None

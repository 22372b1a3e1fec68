"""A data set's own table as a list: CSV, JSONL or Parquet with a path column -> its rows, one by one."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncnet.errors import UsageError
from syncnet.system.plain import read_json

PATH_COLUMNS = ("path", "video_path", "video", "file_name", "file", "uri", "url")
"""The first of them that a table has names its videos."""
AUDIO_COLUMN = "audio"
"""A sound file for each video, where a table has it."""
CSV_DELIMITERS = {".csv": ",", ".tsv": "\t"}
TABLE_SUFFIXES = (*CSV_DELIMITERS, ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class Row:
    """What a list says of one video."""

    number: int
    """Of the line or row, counted from 1; the heading of a CSV file is line 1."""
    location: str
    """Path or URI as it stands there."""
    audio: str = ""
    """Its sound file; empty where none is named."""
    columns: dict[str, Any] | None = None
    """All columns by name, in values that JSON knows; None for a plain list."""


def is_table(manifest: Path) -> bool:
    """By its name."""
    return manifest.suffix.lower() in TABLE_SUFFIXES


def read_rows(manifest: Path, named: str) -> Iterator[Row]:
    """The rows of a table. ``named``: how errors call it. Raises UsageError, and OSError."""
    kind = manifest.suffix.lower()
    rows = _csv_rows(manifest, CSV_DELIMITERS[kind], named) if kind in CSV_DELIMITERS else None
    rows = rows or (_parquet_rows(manifest, named) if kind == ".parquet" else _json_rows(manifest, named))
    path_column = ""
    for number, columns in rows:
        path_column = path_column or _path_column(columns, named)
        location, audio = (columns.get(name) for name in (path_column, AUDIO_COLUMN))
        if not isinstance(location, str) or not location or "\0" in location:
            raise UsageError(
                f"{named}: row {number} names no video in its column {path_column}", cure="give a path or URI there"
            )
        if audio is not None and (not isinstance(audio, str) or "\0" in audio):
            raise UsageError(f"{named}: row {number}: its column {AUDIO_COLUMN} is no text", cure="give a path there")
        yield Row(number, location, audio or "", columns)


def plain(value: Any) -> Any:
    """The value in what JSON knows: times, bytes and the like as text."""
    return json.loads(json.dumps(value, default=str, allow_nan=True), parse_constant=lambda _: None)


def _path_column(columns: dict[str, Any], named: str) -> str:
    found = next((name for name in PATH_COLUMNS if name in columns), None)
    if found is None:
        raise UsageError(
            f"{named}: no column is called {', '.join(PATH_COLUMNS[:-1])} or {PATH_COLUMNS[-1]} "
            f"(it has {', '.join(map(str, columns)) or 'none'})",
            cure="rename the column with the paths",
        )
    return found


def _csv_rows(manifest: Path, delimiter: str, named: str) -> Iterator[tuple[int, dict[str, Any]]]:
    # Names of any bytes are names.
    with open(manifest, newline="", encoding="utf-8-sig", errors="surrogateescape") as reader:
        table = csv.DictReader(reader, delimiter=delimiter, restkey="", restval=None)
        try:
            for columns in table:
                columns.pop("", None)
                yield table.line_num, dict(columns)
        except csv.Error as error:
            raise UsageError(f"{named}: line {table.line_num + 1}: {error}", cure="give a table in CSV") from error


def _json_rows(manifest: Path, named: str) -> Iterator[tuple[int, dict[str, Any]]]:
    with open(manifest, encoding="utf-8-sig", errors="surrogateescape") as reader:
        for number, line in enumerate(reader, start=1):
            if not line.strip():
                continue
            try:
                columns = plain(read_json(line))
            except ValueError:
                columns = None
            if not isinstance(columns, dict):
                raise UsageError(f"{named}: line {number} is no object of JSON", cure="give one object per line")
            yield number, columns


def _parquet_rows(manifest: Path, named: str) -> Iterator[tuple[int, dict[str, Any]]]:
    try:
        parquet = importlib.import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            f"{named} needs pyarrow, which is not installed", cure="pip install 'pyarrow>=17,<27'"
        ) from None
    number = 0
    try:
        for batch in parquet.ParquetFile(manifest).iter_batches():
            for columns in batch.to_pylist():
                number += 1
                yield number, plain(columns)
    except (ValueError, OSError) as error:
        # Those of pyarrow are among them.
        first = next(iter(str(error).splitlines()), "")
        raise UsageError(f"{named} cannot be read: {first}", cure="give a whole Parquet file") from error

"""The rows of the table that named the videos of a folder: kept beside the ledger, for what picks among them later."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from syncnet.inputs.discovery import FileIdentity
from syncnet.inputs.rows import Row
from syncnet.system.atomic import write_file
from syncnet.system.plain import read_json

ROWS_NAME = "list.jsonl"
"""In the folder of what is remembered."""


@dataclass(frozen=True)
class KeptRow:
    """One row of the table."""

    name: str
    """Of its video, below the folder of the list."""
    columns: dict[str, Any]
    number: int
    """Counted from 1."""


@dataclass(frozen=True)
class KeptTable:
    """The table itself, and whether it is still what it was."""

    path: Path
    unchanged: bool


def write_rows(state_dir: Path, table: Path | None, rows: Iterable[tuple[Row, PurePath]]) -> None:
    """Replaces what was kept; of a plain list, or a folder, nothing is. Raises OSError."""
    kept = state_dir / ROWS_NAME
    named = iter(rows)
    first = next(named, None)
    if first is None or table is None:
        kept.unlink(missing_ok=True)
        return
    status = FileIdentity.of(table.stat())
    head = {"table": str(table.absolute()), "size": status.size, "mtime_ns": status.mtime_ns}

    def lines() -> Iterator[bytes]:
        yield _line(head)
        for row, name in (first, *named):
            yield _line({"name": str(name), "number": row.number, "columns": row.columns})

    write_file(kept, lines())


def read_table(state_dir: Path) -> KeptTable | None:
    """None where no table named the videos."""
    for line in _lines(state_dir):
        path = Path(str(line.get("table", "")))
        try:
            same = FileIdentity.of(path.stat()) == FileIdentity(int(line["size"]), int(line["mtime_ns"]))
        except (OSError, KeyError, TypeError, ValueError):
            same = False
        return KeptTable(path, same)
    return None


def read_rows(state_dir: Path) -> Iterator[KeptRow]:
    """In the order of the table; what cannot be read is passed over."""
    for line in _lines(state_dir):
        columns, number = line.get("columns"), line.get("number")
        if isinstance(columns, dict) and isinstance(number, int):
            yield KeptRow(str(line.get("name")), columns, number)


def columns_by_name(state_dir: Path) -> dict[str, dict[str, Any]]:
    """The first row of each video; empty where no table named them."""
    columns: dict[str, dict[str, Any]] = {}
    for row in read_rows(state_dir):
        columns.setdefault(row.name, row.columns)
    return columns


def _line(value: dict[str, Any]) -> bytes:
    # ASCII, so that names of any bytes come back as they were.
    return json.dumps(value).encode("ascii") + b"\n"


def _lines(state_dir: Path) -> Iterator[dict[str, Any]]:
    try:
        with open(state_dir / ROWS_NAME, "rb") as reader:
            for text in reader:
                try:
                    value = read_json(text)
                except ValueError:
                    continue
                if isinstance(value, dict):
                    yield value
    except FileNotFoundError:
        return

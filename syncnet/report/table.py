"""results.csv and results.parquet: one row a video; every column is explained in docs/report.md."""

from __future__ import annotations

import csv
import importlib.util
import io
import itertools
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from syncnet.errors import UsageError
from syncnet.system.atomic import write_file

PYARROW = "pyarrow>=17,<27"
ROWS_A_PIECE = 1000
CSV_NAME, PARQUET_NAME = "results.csv", "results.parquet"

Kind = Literal["text", "whole", "number", "flag"]
COLUMNS: dict[str, Kind] = {
    "video_path": "text",
    "status": "text",
    "passes_quality": "flag",
    "quality_reasons": "text",
    "confidence": "number",
    "offset": "whole",
    "offset_ms": "whole",
    "offset_direction": "text",
    "offset_fine_ms": "number",
    "offset_interval_low_ms": "number",
    "offset_interval_high_ms": "number",
    "min_distance": "number",
    "evidence": "text",
    "evidence_problem": "text",
    "windows": "whole",
    "windows_agreeing": "whole",
    "offset_changes": "whole",
    "tracks": "whole",
    "duration_seconds": "number",
    "source_fps": "number",
    "width": "whole",
    "height": "whole",
    "file_size": "whole",
    "processing_time": "number",
    "missing": "flag",
    "error": "text",
    "cure": "text",
    "turns": "whole",
    "peak_memory_mb": "whole",
    "relative_path": "text",
    "placed_path": "text",
}
"""In their order, which stays: a new column goes to the end."""

_COLUMNS_OF = operator.itemgetter(*COLUMNS)
_FLAGS = [place for place, kind in enumerate(COLUMNS.values()) if kind == "flag"]
_TEXTS = [place for place, kind in enumerate(COLUMNS.values()) if kind == "text"]
_STARTS_OF_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
"""What a spreadsheet program may take for the start of a formula, and the sign that keeps it from doing so."""


def check_table_format(wanted: str) -> None:
    """Raises UsageError where the library is missing; to be called before any video is scored."""
    if wanted == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UsageError("--table parquet needs pyarrow", cure=f"pip install '{PYARROW}'")


def write_csv(document: dict[str, Any], path: Path) -> None:
    """The table of a results document. Raises OSError, leaving the old file as it was."""
    write_file(path, (text.encode("utf-8", errors="backslashreplace") for text in _csv_pieces(document)))


def _csv_pieces(document: dict[str, Any]) -> Iterator[str]:
    """The file in stretches of rows: that of a million videos is half a gigabyte."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    rows = map(_as_text, _rows(document))
    while True:
        writer.writerows(itertools.islice(rows, ROWS_A_PIECE))
        piece = text.getvalue()
        if not piece:
            return
        yield piece
        text.seek(0)
        text.truncate()


def write_parquet(document: dict[str, Any], path: Path) -> None:
    """The same with types. Raises OSError, leaving the old file as it was."""
    import pyarrow
    import pyarrow.parquet

    types = {
        "text": pyarrow.string(),
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "flag": pyarrow.bool_(),
    }
    columns = list(zip(*_rows(document), strict=True)) or [()] * len(COLUMNS)
    arrays = [
        pyarrow.array([_without_stray_bytes(value) for value in column], types[kind])
        for column, kind in zip(columns, COLUMNS.values(), strict=True)
    ]
    sink = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table(arrays, names=list(COLUMNS)), sink, compression="zstd")
    write_file(path, sink.getvalue().to_pybytes())


def _rows(document: dict[str, Any]) -> Iterator[list[Any]]:
    for entry in document["results"]:
        low, high = entry["offset_interval_ms"] or (None, None)
        row = {
            **entry,
            "offset_interval_low_ms": low,
            "offset_interval_high_ms": high,
            "offset_changes": len(entry["offset_changes"]),
            "quality_reasons": "; ".join(entry["quality_reasons"]),
            "tracks": len(entry["all_tracks"]),
            "turns": len(entry["turns"]),
        }
        yield list(_COLUMNS_OF(row))


def _as_text(row: list[Any]) -> list[Any]:
    """The row as the writer is to have it, which itself writes numbers as they are, and None as nothing."""
    for place in _FLAGS:
        if row[place] is not None:
            row[place] = "true" if row[place] else "false"
    for place in _TEXTS:
        # Only texts: -3 is no formula.
        if row[place] and row[place].startswith(_STARTS_OF_FORMULAS):
            row[place] = f"'{row[place]}"
    return row


def _without_stray_bytes(value: Any) -> Any:
    """A name that is no valid UTF-8 is written with escapes (``\\udcff``), as in the other files."""
    if isinstance(value, str):
        return value.encode("utf-8", errors="backslashreplace").decode("utf-8")
    return value

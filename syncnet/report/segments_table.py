"""segments.csv and segments.parquet: one row a segment; every column is explained in docs/over-time.md."""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from syncnet.report.typed_table import (
    Columns,
    Kind,
    carried_columns,
    carried_values,
    write_csv_table,
    write_parquet_table,
)

SEGMENTS_CSV_NAME, SEGMENTS_PARQUET_NAME = "segments.csv", "segments.parquet"
SEGMENT_COLUMNS: dict[str, Kind] = {
    "video_path": "text",
    "from": "number",
    "to": "number",
    "track": "whole",
    "offset": "whole",
    "offset_fine_ms": "number",
    "confidence": "number",
    "evidence": "text",
    "kind": "text",
    "passes": "flag",
    "reasons": "text",
    "box_left": "whole",
    "box_top": "whole",
    "box_right": "whole",
    "box_bottom": "whole",
    "offset_ms": "whole",
    "offset_interval_low_ms": "number",
    "offset_interval_high_ms": "number",
    "speech_seconds": "number",
    "windows": "whole",
    "windows_agreeing": "whole",
    "relative_path": "text",
    "decision": "text",
}
"""In their order, which stays: a new column goes to the end."""
_COLUMNS_OF = operator.itemgetter(*SEGMENT_COLUMNS)


def write_segments_csv(entries: Iterable[dict[str, Any]], path: Path) -> None:
    """The segments of all entries of a results document. Raises OSError, leaving the old file as it was."""
    write_csv_table(*_with_carried(entries), path)


def write_segments_parquet(entries: Iterable[dict[str, Any]], path: Path) -> None:
    """The same with types. Raises OSError, leaving the old file as it was."""
    write_parquet_table(*_with_carried(entries), path)


def _with_carried(entries: Iterable[dict[str, Any]]) -> tuple[Columns, Iterator[list[Any]]]:
    """Columns and rows, with those of the user's own table at the end."""
    if not isinstance(entries, Sequence):
        # Entries that are made while they are read have no such columns: they would have to be held.
        return SEGMENT_COLUMNS, _rows(entries, {})
    carried = carried_columns(SEGMENT_COLUMNS, (entry.get("columns") for entry in entries))
    return {**SEGMENT_COLUMNS, **dict(carried.values())}, _rows(entries, carried)


def _rows(entries: Iterable[dict[str, Any]], carried: Mapping[str, tuple[str, Kind]]) -> Iterator[list[Any]]:
    for entry in entries:
        names = {name: entry[name] for name in ("video_path", "relative_path")}
        own = carried_values(carried, entry.get("columns"))
        # Entries of earlier versions have none.
        for segment in entry.get("segments", ()):
            left, top, right, bottom = segment["box"] or (None, None, None, None)
            low, high = segment["offset_interval_ms"] or (None, None)
            row = {
                # Entries of earlier versions know of none.
                "decision": None,
                **names,
                **segment,
                "reasons": "; ".join(segment["reasons"]),
                "box_left": left,
                "box_top": top,
                "box_right": right,
                "box_bottom": bottom,
                "offset_interval_low_ms": low,
                "offset_interval_high_ms": high,
            }
            yield [*_COLUMNS_OF(row), *own]

"""results.csv and results.parquet: one row a video; every column is explained in docs/report.md."""

from __future__ import annotations

import importlib.util
import operator
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from syncnet.errors import UsageError
from syncnet.report.typed_table import (
    Columns,
    Kind,
    carried_columns,
    carried_values,
    write_csv_table,
    write_parquet_table,
)

PYARROW = "pyarrow>=17,<27"
CSV_NAME, PARQUET_NAME = "results.csv", "results.parquet"

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
    "speech_seconds": "number",
    "face_seconds": "number",
    "seen_speech_seconds": "number",
    "off_screen_seconds": "number",
    "in_sync_seconds": "number",
    "in_sync": "text",
    "coverage": "number",
    "offset_along": "text",
    "segments": "whole",
    "p_in_sync": "number",
    "p_belongs": "number",
    "decision": "text",
    "decision_note": "text",
    "curable_by_ms": "number",
    "audio_path": "text",
    "scored_at": "text",
}
"""In their order, which stays: a new column goes to the end."""

_COLUMNS_OF = operator.itemgetter(*COLUMNS)


def check_table_format(wanted: str, flag: str = "--table") -> None:
    """Raises UsageError where the library is missing; to be called before any video is scored."""
    if wanted == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UsageError(f"{flag} parquet needs pyarrow", cure=f"pip install '{PYARROW}'")


def write_csv(document: dict[str, Any], path: Path) -> None:
    """The table of a results document. Raises OSError, leaving the old file as it was."""
    write_csv_table(*_with_carried(document), path)


def write_parquet(document: dict[str, Any], path: Path) -> None:
    """The same with types. Raises OSError, leaving the old file as it was."""
    write_parquet_table(*_with_carried(document), path)


def _with_carried(document: dict[str, Any]) -> tuple[Columns, Iterator[list[Any]]]:
    """Columns and rows, with those of the user's own table at the end."""
    carried = carried_columns(COLUMNS, (entry.get("columns") for entry in document["results"]))
    names = {**COLUMNS, **dict(carried.values())}
    return names, (
        [*row, *carried_values(carried, entry.get("columns"))]
        for row, entry in zip(_rows(document), document["results"], strict=True)
    )


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
            "in_sync": _share(entry),
            "offset_along": entry["offset_along"] and entry["offset_along"]["kind"],
            "segments": len(entry["segments"]),
        }
        yield list(_COLUMNS_OF(row))


def _share(entry: dict[str, Any]) -> str | None:
    # It loads numpy, and the columns are looked at before a run says its first word.
    from syncnet.overtime.words import describe_share

    seconds, duration = entry["in_sync_seconds"], entry["duration_seconds"]
    return None if seconds is None or duration is None else describe_share(seconds, duration)

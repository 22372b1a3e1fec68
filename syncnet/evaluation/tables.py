"""Findings -> tables by file, and the document that programs read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from syncnet.evaluation.findings import NUMBERS, Difference, FolderFindings, Names
from syncnet.evaluation.measures import FileMeasures
from syncnet.evaluation.statistics import Summary
from syncnet.report.typed_table import Kind, write_csv_table

DECIMALS = 6
STATUS = {"measured": "success", "no_faces": "no_faces", "failed": "failed"}
"""As the results file calls them."""


def columns_of(names: Names) -> dict[str, Kind]:
    """Of the table by file. The numbers of a video are the mean of what counts in it."""
    prefix = names.prefix.lower()
    return {
        "set": "text",
        "relative_path": "text",
        "video_path": "text",
        "status": "text",
        "faces": "whole",
        "counted": "whole",
        f"{prefix}_c": "number",
        f"{prefix}_d": "number",
        "abs_offset": "number",
        f"{prefix}_c_all_faces": "number",
        f"{prefix}_d_all_faces": "number",
        "error": "text",
    }


def write_files(names: Names, folders: Sequence[FolderFindings], path: Path) -> None:
    """A row a video. Raises OSError, leaving the old file as it was."""
    write_csv_table(columns_of(names), _rows(folders), path)


def describe(
    header: Mapping[str, str], names: Names, folders: Sequence[FolderFindings], difference: Difference | None
) -> dict[str, Any]:
    """Ready for JSON; docs/evaluate.md explains the keys."""
    return {
        "evaluation": dict(header),
        "sets": [
            {
                "set": folder.label,
                "no_faces": folder.count("no_faces"),
                "failed": folder.count("failed"),
                "numbers": _described(names, folder.summaries),
            }
            for folder in folders
        ],
        "difference": difference
        and {
            "pairs": len(difference.paired.pairs),
            "unmeasured": difference.paired.unmeasured,
            "alone": list(difference.paired.alone),
            "numbers": _described(names, difference.summaries),
        },
    }


def _described(names: Names, summaries: Mapping[str, Summary | None]) -> dict[str, Any]:
    return {names.of(name): summary and asdict(summary) for name, summary in summaries.items()}


def _rows(folders: Sequence[FolderFindings]) -> Iterator[list[Any]]:
    for folder in folders:
        for each in folder.files:
            yield [folder.label, each.name, each.location, STATUS[each.kind], *_numbers(each), each.error or None]


def _numbers(file: FileMeasures) -> list[Any]:
    if not file.counted or file.over_faces is None:
        return [file.faces, 0, None, None, None, None, None]
    means = [sum(map(number, file.counted)) / len(file.counted) for number in NUMBERS.values()]
    every = [file.over_faces.confidence, file.over_faces.distance]
    return [file.faces, len(file.counted), *(round(value, DECIMALS) for value in (*means, *every))]

"""segments.csv and segments.parquet: one row a segment."""

from __future__ import annotations

import csv
import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from fakes import IN_SYNC, OFF_SCREEN, failed, judged, make_run, make_score, successful

from syncnet.report.results import build_results
from syncnet.report.segments_table import SEGMENT_COLUMNS, write_segments_csv, write_segments_parquet
from syncnet.report.table import write_csv

FOUND = dataclasses.replace(
    successful("=a.mp4", make_score(7.0, 1)), over_time=judged(IN_SYNC, dataclasses.replace(IN_SYNC, confidence=3.0))
)
UNSEEN = dataclasses.replace(successful("b.mp4", make_score(1.0)), over_time=judged(OFF_SCREEN))


def entries() -> Any:
    return build_results(make_run([FOUND, failed("c.mp4"), UNSEEN]))["results"]


def test_a_row_for_each_segment_of_each_video(tmp_path: Path) -> None:
    write_segments_csv(entries(), tmp_path / "segments.csv")
    with open(tmp_path / "segments.csv", newline="", encoding="utf-8") as reader:
        first, second, third = csv.DictReader(reader)
    assert first == {
        "video_path": "in/=a.mp4", "from": "1.0", "to": "4.0", "track": "0", "offset": "1", "offset_fine_ms": "41.3",
        "confidence": "7.123", "evidence": "strong", "kind": "speech", "passes": "true", "reasons": "",
        "box_left": "10", "box_top": "21", "box_right": "110", "box_bottom": "141", "offset_ms": "40",
        "offset_interval_low_ms": "30.0", "offset_interval_high_ms": "52.0", "speech_seconds": "2.8", "windows": "6",
        "windows_agreeing": "5", "relative_path": "'=a.mp4", "decision": "",
    }  # fmt: skip
    assert (second["passes"], second["reasons"]) == ("false", "confidence 3.0 is below 5.0")
    assert (third["video_path"], third["kind"], third["track"], third["offset"], third["box_left"]) == (
        "in/b.mp4", "off_screen", "", "", "",
    )  # fmt: skip


def test_parquet_has_the_same_with_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    write_segments_parquet(entries(), tmp_path / "segments.parquet")
    rows = parquet.read_table(tmp_path / "segments.parquet").to_pylist()
    assert [(row["from"], row["track"], row["passes"]) for row in rows] == [
        (1.0, 0, True), (1.0, 0, False), (4.5, None, False),
    ]  # fmt: skip
    assert rows[0]["video_path"] == "in/=a.mp4"


def test_the_table_of_videos_has_the_sums(tmp_path: Path) -> None:
    write_csv(build_results(make_run([FOUND])), tmp_path / "results.csv")
    with open(tmp_path / "results.csv", newline="", encoding="utf-8") as reader:
        (row,) = csv.DictReader(reader)
    names = ("in_sync_seconds", "in_sync", "coverage", "offset_along", "segments", "speech_seconds")
    assert [row[name] for name in names] == ["3.0", "in sync for 3.0 of 4.0 s", "0.5", "constant", "2", "5.6"]


def test_every_column_is_documented_in_its_order(repository: Path) -> None:
    text = (repository / "docs" / "over-time.md").read_text()
    section = text.partition("## `segments.csv`")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE) == list(SEGMENT_COLUMNS)

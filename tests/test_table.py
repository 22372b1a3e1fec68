from __future__ import annotations

import csv
import importlib.util
import os
import re
from pathlib import Path

import pytest
from fakes import ONE_OF_EACH, make_run, make_score, successful
from folders import make_videos, run

from syncnet.errors import UsageError
from syncnet.report import typed_table
from syncnet.report.results import build_results
from syncnet.report.table import COLUMNS, check_table_format, write_csv, write_parquet
from syncnet.results import VideoResult


def rows_of(results: list[VideoResult], folder: Path) -> list[dict[str, str]]:
    path = folder / "results.csv"
    write_csv(build_results(make_run(results)), path)
    with open(path, newline="", encoding="utf-8") as reader:
        return list(csv.DictReader(reader))


def test_one_row_a_video_with_everything_that_is_known(tmp_path: Path) -> None:
    first, *_ = rows = rows_of(ONE_OF_EACH, tmp_path)
    assert [row["status"] for row in rows] == ["success", "success", "no_faces", "failed"]
    assert first == {
        "video_path": "in/sub/a.b.mp4", "status": "success", "passes_quality": "true", "quality_reasons": "",
        "confidence": "7.123", "offset": "3", "offset_ms": "120", "offset_direction": "sound early",
        "offset_fine_ms": "112.3", "offset_interval_low_ms": "98.8", "offset_interval_high_ms": "130.0",
        "min_distance": "6.543", "evidence": "strong", "evidence_problem": "", "windows": "18",
        "windows_agreeing": "9", "offset_changes": "2", "tracks": "1", "duration_seconds": "4.004",
        "source_fps": "29.97", "width": "1280", "height": "720", "file_size": "1234", "processing_time": "1.5",
        "missing": "false", "error": "", "cure": "", "turns": "0", "peak_memory_mb": "",
        "relative_path": "sub/a.b.mp4", "placed_path": "", "speech_seconds": "7.6", "face_seconds": "",
        "seen_speech_seconds": "", "off_screen_seconds": "", "in_sync_seconds": "", "in_sync": "", "coverage": "",
        "offset_along": "", "segments": "0", "p_in_sync": "0.97", "p_belongs": "0.98",
        "decision": "", "decision_note": "",
        "curable_by_ms": "", "audio_path": "", "scored_at": "",
    }  # fmt: skip


def test_what_is_not_known_is_empty_and_numbers_keep_their_sign(tmp_path: Path) -> None:
    _, poor, faceless, failed = rows_of(ONE_OF_EACH, tmp_path)
    assert (poor["offset"], poor["offset_ms"], poor["offset_interval_low_ms"]) == ("-15", "-600", "")
    assert poor["quality_reasons"].startswith("confidence 1.0 is below 5.0; offset -15 frames")
    assert (faceless["confidence"], faceless["tracks"], faceless["error"]) == ("", "0", "no face seen")
    assert (failed["width"], failed["cure"]) == ("", "add sound")


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0.mp4", "+1.mp4", "-1.mp4", "@SUM(1).mp4", "'quoted.mp4"])
def test_a_name_is_no_formula(name: str, tmp_path: Path) -> None:
    result = successful(name, make_score(7.0))
    # A path that was given as the current folder begins with the name itself.
    (row,) = rows_of([VideoResult(**{**vars(result), "path": Path(name)})], tmp_path)
    assert row["video_path"] == f"'{name}"


def test_names_with_separators_line_breaks_and_stray_bytes_stay_one_cell(tmp_path: Path) -> None:
    name = os.fsdecode(b'a,"b"\n\xff;.mp4')
    (row,) = rows_of([successful(name, make_score(7.0))], tmp_path)
    assert row["video_path"] == 'in/a,"b"\n\\udcff;.mp4'


def test_no_videos_give_the_heading_alone(tmp_path: Path) -> None:
    assert rows_of([], tmp_path) == []
    assert (tmp_path / "results.csv").read_text() == ",".join(COLUMNS) + "\n"


def test_every_column_is_documented_in_its_order(repository: Path) -> None:
    text = (repository / "docs" / "report.md").read_text()
    assert re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE) == list(COLUMNS)


def test_parquet_has_the_same_rows_with_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    name = os.fsdecode(b"=1\xff.mp4")
    write_parquet(build_results(make_run([*ONE_OF_EACH, successful(name, make_score(7.0))])), tmp_path / "r.parquet")
    table = parquet.read_table(tmp_path / "r.parquet")
    assert table.column_names == list(COLUMNS)
    assert table.column("offset").to_pylist() == [3, -15, None, None, 0]
    assert table.column("confidence").to_pylist() == [7.123, 1.0, None, None, 7.0]
    assert table.column("passes_quality").to_pylist() == [True, False, False, False, True]
    assert table.column("video_path").to_pylist()[-1] == "in/=1\\udcff.mp4"


def test_parquet_of_no_videos_keeps_the_types(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    write_parquet(build_results(make_run([])), tmp_path / "r.parquet")
    schema = parquet.read_table(tmp_path / "r.parquet").schema
    assert [str(schema.field(name).type) for name in ("offset", "confidence", "missing")] == ["int64", "double", "bool"]


def test_parquet_without_its_library_is_refused_before_any_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(UsageError, match="--table parquet needs pyarrow: pip install 'pyarrow>="):
        check_table_format("parquet")
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out", "--table", "parquet") == 2
    assert not (tmp_path / "out").exists()
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.usefixtures("fake_scoring")
def test_the_command_writes_the_table(tmp_path: Path) -> None:
    assert run(make_videos(tmp_path / "in", "fine.mp4", "poor.mp4"), tmp_path / "out", "--report", "off") == 0
    lines = (tmp_path / "out" / "results.csv").read_text().splitlines()
    assert [line.split(",")[1:3] for line in lines] == [
        ["status", "passes_quality"],
        ["success", "true"],
        ["success", "false"],
    ]
    assert not (tmp_path / "out" / "report.html").exists()


@pytest.mark.usefixtures("fake_scoring")
def test_a_table_that_cannot_be_written_is_told_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "out" / "results.csv").mkdir(parents=True)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out", "--report", "off") == 0
    shown = capsys.readouterr()
    assert "results.csv: Is a directory; verdicts and results are not affected" in shown.err
    assert "passes         1" in shown.out
    assert (tmp_path / "out" / "good_quality" / "fine.mp4").exists()


def test_a_table_written_piece_by_piece_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = rows_of(ONE_OF_EACH * 3, tmp_path)
    for rows in (1, 4, 5):
        monkeypatch.setattr(typed_table, "ROWS_A_PIECE", rows)
        assert rows_of(ONE_OF_EACH * 3, tmp_path) == whole
    assert len(whole) == 12

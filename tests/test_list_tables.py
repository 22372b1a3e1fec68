"""A data set's own table as the list: its columns go through, and it comes out smaller."""

from __future__ import annotations

import csv
import datetime
import io
import json
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest
from folders import entries_in, make_videos, results_in, run, videos_below

from syncnet import command
from syncnet.errors import UsageError
from syncnet.inputs.archives import member_uri
from syncnet.inputs.manifest import location_of, name_of, read_manifest
from syncnet.report.typed_table import carried_columns, carried_values
from syncnet.state.listed import columns_by_name

OFF = ("--score_cache", "off")
ROWS: list[dict[str, Any]] = [
    {"path": "in/fine 1.mp4", "speaker": "ä, b", "score": 3, "tags": ["a", "b"]},
    {"path": "in/poor.mp4", "speaker": "c", "score": 4, "tags": []},
    {"path": "in/fine 2.mp4", "speaker": None, "score": 5, "tags": ["d"]},
    {"path": "in/fine 1.mp4", "speaker": "again", "score": 6, "tags": []},
]
NAMES = [row["path"] for row in ROWS[:3]]


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return make_videos(tmp_path, *NAMES)


def write_table(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n\n" for row in rows))
    elif path.suffix == ".parquet":
        pyarrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
        pytest.importorskip("pyarrow.parquet").write_table(pyarrow.Table.from_pylist(rows), path)
    else:
        with open(path, "w", newline="", encoding="utf-8") as writer:
            table = csv.DictWriter(writer, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            table.writeheader()
            table.writerows(rows)
    return path


def run_list(table: Path, out: Path, *extra: str) -> int:
    return command.main(["--input_manifest", str(table), "--output_dir", str(out), *OFF, *extra])


def rows_in(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as reader:
        return list(csv.DictReader(reader))


# Reading


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_each_kind_of_table_names_the_same_videos(videos: Path, ending: str) -> None:
    table = write_table(videos / f"set{ending}", ROWS)
    listed = read_manifest(table)
    assert [str(video.relative_path) for video in listed] == NAMES
    # A cell of a CSV file is a text.
    told = [str((video.columns or {})["score"]) for video in listed]
    assert told == ["3", "4", "5"], "of a repeated video the first row"
    if ending in (".jsonl", ".parquet"):
        assert [video.columns for video in listed] == ROWS[:3]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "name,speaker\na.mp4,b\n", r"no column is called path, .* or url \(it has name, speaker\)"),
        ("t.csv", "path,speaker\n,b\n", "row 2 names no video in its column path"),
        ("t.csv", "path\na.mp4\n" + "x" * 200_000, "line 3: field larger than field limit"),
        ("t.jsonl", '{"path": "a.mp4"}\n[1]\n', "line 2 is no object of JSON"),
        ("t.jsonl", '{"path": 7}\n', "row 1 names no video in its column path"),
        ("t.jsonl", '{"path": "a.mp4", "audio": 7}\n', "row 1: its column audio is no text"),
        ("t.jsonl", '{"path": "a.mp4", "audio": "s3://b/a.wav"}\n', "line 1: the sound s3://b/a.wav is a URI"),
        ("t.jsonl", '{"path": "a.mp4", "audio": "x.wav"}\n{"path": "a.mp4"}\n', "names a.mp4 again, with another"),
        ("t.jsonl", "[" * 100_000 + "\n", "line 1 is no object of JSON"),
        ("t.parquet", "PAR1", "cannot be read"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path: Path, name: str, text: str, message: str) -> None:
    if name.endswith(".parquet"):
        pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=message):
        read_manifest(tmp_path / name)


def test_the_column_audio_names_the_sound_of_a_video(videos: Path) -> None:
    make_videos(videos, "dubs/fine.wav")
    rows = [{"video": NAMES[0], "audio": "dubs/fine.wav"}, {"video": NAMES[2], "audio": ""}]
    one, two = read_manifest(write_table(videos / "set.csv", rows))
    assert (one.sound_path, two.sound_path) == (videos / "dubs" / "fine.wav", None)


# Carried through


@pytest.mark.usefixtures("fake_scoring")
def test_columns_go_through_to_the_tables_and_the_passing_rows_come_out(videos: Path) -> None:
    out = videos / "out"
    rows = [{**row, "confidence": "-1"} for row in ROWS]
    table = write_table(videos / "set.jsonl", rows)
    assert run_list(table, out) == 0
    assert entries_in(out)["in/fine 1.mp4"]["columns"] == rows[0]
    told = {row["path"]: row for row in rows_in(out / "results.csv")}
    first = told["in/fine 1.mp4"]
    assert (first["confidence"], first["list_confidence"]) == ("7.5", "'-1")
    assert (first["speaker"], first["score"], first["tags"]) == ("ä, b", "3", '["a", "b"]')
    assert told["in/fine 2.mp4"]["speaker"] == ""
    segments = rows_in(out / "segments.csv")
    assert {row["path"] for row in segments} == {"in/fine 1.mp4", "in/fine 2.mp4"}
    assert segments[0]["score"] == "3"
    # The tool knows its tables again, whatever columns stand behind its own.
    assert run_list(table, out) == 0
    passing = videos / "passing.jsonl"
    flags = ["rejudge", "--output_dir", str(out), "--input_dir", str(videos), "--passing"]
    assert command.main([*flags, str(passing), "--segments", str(videos / "again.csv")]) == 0
    assert [json.loads(line) for line in passing.read_text().splitlines()] == [rows[0], rows[2], rows[3]]
    assert [row["score"] for row in rows_in(videos / "again.csv")] == [row["score"] for row in segments]
    assert command.main([*flags, str(videos / "passing.csv")]) == 0
    assert [row["confidence"] for row in rows_in(videos / "passing.csv")] == ["-1"] * 3
    assert [str(v.relative_path) for v in read_manifest(videos / "passing.csv")] == ["in/fine 1.mp4", "in/fine 2.mp4"]
    # A plain list has no rows to keep.
    (videos / "set.txt").write_text("\n".join(NAMES))
    assert run_list(videos / "set.txt", out) == 0
    assert columns_by_name(out / ".sync_filter") == {}
    assert command.main([*flags, str(videos / "passing.csv")]) == 0
    assert [(row["confidence"], row["offset"]) for row in rows_in(videos / "passing.csv")] == [("7.5", "1")] * 2


@pytest.mark.usefixtures("fake_scoring")
def test_parquet_comes_out_with_its_own_types(videos: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="pyarrow is not installed")
    when = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    rows = [{**row, "when": when, "raw": b"\xff\x00"} for row in ROWS]
    table = write_table(videos / "set.parquet", rows)
    out, passing = videos / "out", videos / "passing.parquet"
    assert run_list(table, out, "--table", "parquet") == 0
    # JSON knows neither times nor bytes.
    assert entries_in(out)["in/poor.mp4"]["columns"]["when"] == "2026-01-02 03:04:05+00:00"
    assert parquet.read_schema(out / "results.parquet").field("score").type == "int64"
    flags = ["rejudge", "--output_dir", str(out), "--input_dir", str(videos), "--passing"]
    assert command.main([*flags, str(passing)]) == 0
    assert parquet.read_table(passing).to_pylist() == [rows[0], rows[2], rows[3]]
    assert parquet.read_schema(passing) == parquet.read_schema(table)
    # A table that is another one by now is not taken apart by the rows of the old one.
    write_table(table, [dict(rows[1])])
    assert command.main([*flags, str(passing)]) == 0
    assert [row["score"] for row in parquet.read_table(passing).to_pylist()] == [3, 5, 6]
    passing.write_text("my notes")
    assert command.main([*flags, str(passing)]) == 2


def test_names_of_columns_are_unlike_ours_and_each_other() -> None:
    rows = [{"a": 1, "list_a": True, "x": 1}, {"a": 2.5, "list_a": None, "x": "t"}, None]
    carried = carried_columns({"a": "text"}, rows)
    assert carried == {"a": ("list_a", "number"), "list_a": ("list_list_a", "flag"), "x": ("x", "text")}
    assert carried_values(carried, rows[0]) == [1, True, "1"]
    assert carried_values(carried, None) == [None, None, None]


@pytest.mark.usefixtures("fake_scoring")
def test_the_name_of_a_column_is_no_formula(videos: Path) -> None:
    table = write_table(videos / "set.jsonl", [{"path": NAMES[0], "=1+1": 2}])
    assert run_list(table, videos / "out") == 0
    assert "'=1+1" in rows_in(videos / "out" / "results.csv")[0]


# Shards


def write_shard(path: Path, members: dict[str, bytes], mtime: int = 1_700_000_000) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data), mtime
            archive.addfile(member, io.BytesIO(data))
    return path


@pytest.mark.usefixtures("fake_scoring")
def test_the_videos_of_a_shard_are_scored_named_and_copied(tmp_path: Path) -> None:
    members = {
        "a/1.mp4": b"first", "a/1.json": b'{"caption": "one"}', "./2.mp4": b"second", "2.json": b"[]", "3.txt": b"x",
    }  # fmt: skip
    shard = write_shard(tmp_path / "train-0.tar", members)
    out = tmp_path / "out"
    assert run_list(shard, out) == 0
    assert videos_below(out) == {
        "good_quality/train-0.tar/2.mp4": b"second", "good_quality/train-0.tar/a/1.mp4": b"first",
    }  # fmt: skip
    entry = entries_in(out)["train-0.tar/a/1.mp4"]
    assert entry["video_path"] == f"tar://a/1.mp4::{shard}"
    assert entry["columns"] == {"path": f"tar://a/1.mp4::{shard}", "caption": "one"}
    assert run_list(shard, out) == 0
    assert results_in(out)["this_run"]["unchanged"] == 2
    # A video more leaves the others what they are.
    write_shard(shard, {**members, "a/2.mp4": b"third"})
    assert run_list(shard, out) == 0
    assert (results_in(out)["this_run"]["scored"], results_in(out)["this_run"]["unchanged"]) == (1, 2)
    write_shard(shard, members)
    # Shards, and single members of them, stand in lists and tables too.
    again = tmp_path / "again"
    (tmp_path / "list.txt").write_text("train-0.tar\ntar://a/1.mp4::train-0.tar\n")
    assert run_list(tmp_path / "list.txt", again) == 0
    assert sorted(entries_in(again)) == ["train-0.tar/2.mp4", "train-0.tar/a/1.mp4"]
    passing = tmp_path / "passing.jsonl"
    flags = ["rejudge", "--output_dir", str(out), "--input_dir", str(tmp_path), "--passing", str(passing)]
    assert command.main(flags) == 0
    assert json.loads(passing.read_text().splitlines()[0])["caption"] == "one"


@pytest.mark.usefixtures("fake_scoring")
def test_where_an_archive_keeps_no_times_its_own_tells_that_videos_changed(tmp_path: Path) -> None:
    shard, out = write_shard(tmp_path / "x.tar", {"1.mp4": b"first", "2.mp4": b"second"}, mtime=0), tmp_path / "out"
    assert run_list(shard, out, "--keep_all") == 0
    assert run_list(shard, out, "--keep_all") == 0
    assert results_in(out)["this_run"]["unchanged"] == 2
    write_shard(shard, {"1.mp4": b"FIRST", "2.mp4": b"second"}, mtime=0)
    assert run_list(shard, out, "--keep_all") == 0
    assert results_in(out)["this_run"]["scored"] == 2


@pytest.mark.parametrize("name", ["../out.mp4", "/etc/out.mp4", "a/../../out.mp4", "a::b.mp4"])
def test_a_member_that_leads_out_of_its_archive_is_refused(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    shard = write_shard(tmp_path / "evil.tar", {"fine.mp4": b"x", name: b"y"})
    assert run_list(shard, tmp_path / "out") == 2
    assert "which is no path inside of it" in capsys.readouterr().err
    (tmp_path / "list.txt").write_text(f"tar://{name}::{shard}\n")
    assert run_list(tmp_path / "list.txt", tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "which is no path inside of it" in told or "names no video in an archive" in told
    assert not (tmp_path / "out" / "good_quality").exists()


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    shard = write_shard(tmp_path / "x.tar", {"a.mp4": b"x", "./a.mp4": b"y"})
    with pytest.raises(UsageError, match=r"line 1: two videos would both get the name x\.tar/a\.mp4"):
        read_manifest(shard)


def test_links_inside_an_archive_are_no_videos(tmp_path: Path) -> None:
    link = tarfile.TarInfo("link.mp4")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    with tarfile.open(tmp_path / "links.tar", "w") as archive:
        archive.addfile(link)
    assert read_manifest(tmp_path / "links.tar") == []


@pytest.mark.parametrize(
    ("shard", "name"),
    [("/data/s/x.tar", "s/x.tar/a/1.mp4"), ("/b/x.tar", "_elsewhere/file/b/x.tar/a/1.mp4")],
)
def test_the_name_of_a_member_leads_back_to_it(shard: str, name: str) -> None:
    location = member_uri("a/1.mp4", shard)
    assert str(name_of(location, "/data")) == name
    assert location_of(name_of(location, "/data"), "/data") == location


def test_an_archive_that_cannot_be_read_and_a_missing_library_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "half.tar").write_bytes(b"no archive at all" * 100)
    with pytest.raises(UsageError, match=r"half.tar cannot be read: .*: give a whole \.tar file"):
        read_manifest(tmp_path / "half.tar")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match="needs fsspec, which is not installed: pip install"):
        read_manifest(tmp_path / "half.tar")


@pytest.mark.usefixtures("fake_scoring")
def test_a_folder_keeps_no_rows(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out", *OFF) == 0
    assert entries_in(tmp_path / "out")["fine.mp4"]["columns"] is None
    assert not (tmp_path / "out" / ".sync_filter" / "list.jsonl").exists()

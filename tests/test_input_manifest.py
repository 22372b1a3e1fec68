"""Lists in the place of an input folder: which videos they name, what those are called, and whole runs over them."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path, PurePath

import pytest
from folders import entries_in, files_below, gone_in, make_videos, results_in
from test_session import Scorer, scorer  # noqa: F401 (a fixture)

from syncnet import command
from syncnet.errors import UsageError
from syncnet.inputs.manifest import find_listed, location_of, manifest_base, name_of, read_manifest

OFF = ("--score_cache", "off")


def write_manifest(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines))
    return path


def run(manifest: Path, out: Path, *extra: str) -> int:
    return command.main(["--input_manifest", str(manifest), "--output_dir", str(out), *OFF, *extra])


def told(out: Path) -> dict[str, str]:
    return {entry["video_path"]: entry["status"] for entry in results_in(out)["results"]}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_each_line_is_a_path_from_the_folder_of_the_list(tmp_path: Path) -> None:
    lines = ("# a comment", "", "b.mp4", "  sub/a.mp4\r", "./b.mp4", "sub/../b.mp4", "/data/x/a.mp4", "no_suffix")
    manifest = write_manifest(tmp_path / "lists" / "list.txt", *lines)
    base = tmp_path / "lists"
    assert [(str(video.path), str(video.relative_path)) for video in read_manifest(manifest)] == [
        (str(base / "b.mp4"), "b.mp4"),
        (str(base / "sub/a.mp4"), "sub/a.mp4"),
        ("/data/x/a.mp4", "_elsewhere/file/data/x/a.mp4"),
        (str(base / "no_suffix"), "no_suffix"),
    ]


def test_a_uri_of_files_is_a_path_and_any_other_stays_one(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "l.txt", "file:///data/a.mp4", "S3://Bucket/dir//a b.mp4", "/data/a.mp4")
    first, second = read_manifest(manifest)
    assert (str(first.path), first.uri) == ("/data/a.mp4", "")
    assert (second.uri, str(second.relative_path)) == ("s3://Bucket/dir//a b.mp4", "_elsewhere/s3/Bucket/dir/a b.mp4")
    assert second.location == second.uri


@pytest.mark.parametrize(
    ("location", "name"),
    [
        ("/lists/a.mp4", "a.mp4"),
        ("/lists/sub/..a.mp4", "sub/..a.mp4"),
        ("/lists2/a.mp4", "_elsewhere/file/lists2/a.mp4"),
        ("/a.mp4", "_elsewhere/file/a.mp4"),
        ("gs://bucket/a.mp4", "_elsewhere/gs/bucket/a.mp4"),
    ],
)
def test_a_name_depends_on_its_line_only_and_leads_back_to_it(location: str, name: str) -> None:
    assert str(name_of(location, Path("/lists"))) == name
    assert location_of(PurePath(name), Path("/lists")) == location


def test_names_of_any_bytes_and_a_byte_order_mark(tmp_path: Path) -> None:
    manifest = tmp_path / "list.txt"
    manifest.write_bytes(b"\xef\xbb\xbf\xff\xfe.mp4\n\xc3\xa4.mp4\n")
    assert [os.fsencode(video.relative_path) for video in read_manifest(manifest)] == [b"\xff\xfe.mp4", b"\xc3\xa4.mp4"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("file://host/a.mp4", "line 2: file://host/a.mp4 names another machine"),
        ("s3://bucket", "line 2: s3://bucket names no file"),
        ("s3://bucket/", "line 2: s3://bucket/ names no file"),
        ("s3://bucket/../../etc/a.mp4", "line 2: s3://bucket/../../etc/a.mp4 names no file"),
        ("a\0b.mp4", "line 2 holds a zero byte"),
        ("s3://b/x//a.mp4\ns3://b/x/a.mp4", "lines 2 and 3 would both get the name _elsewhere/s3/b/x/a.mp4"),
        ("_elsewhere/file/a.mp4\n/a.mp4", "lines 2 and 3 would both get the name _elsewhere/file/a.mp4"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(tmp_path: Path, line: str, problem: str) -> None:
    manifest = write_manifest(tmp_path / "list.txt", "fine.mp4", line)
    with pytest.raises(UsageError) as refused:
        read_manifest(manifest)
    assert refused.value.problem == f"--input_manifest {manifest}: {problem}"
    assert refused.value.cure


def test_the_list_may_come_from_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"a.mp4\n")))
    assert manifest_base(Path("-")) == tmp_path
    assert [video.path for video in read_manifest(Path("-"))] == [tmp_path / "a.mp4"]


def test_what_is_there_is_looked_at(tmp_path: Path) -> None:
    make_videos(tmp_path, "a.mp4", "good_quality/b.mp4", "folder/c.mp4")
    os.mkfifo(tmp_path / "pipe.mp4")
    (tmp_path / "link.mp4").symlink_to("folder/c.mp4")
    (tmp_path / "nothing.mp4").symlink_to("none.mp4")
    lines = ("none.mp4", "a.mp4", "a.mp4/b.mp4", "good_quality/b.mp4", "folder", "pipe.mp4")
    lines += ("link.mp4", "nothing.mp4")
    listed = read_manifest(write_manifest(tmp_path / "list.txt", *lines))
    found = find_listed(listed, excluded_dirs=[tmp_path / "good_quality"])
    assert [(str(video.relative_path), video.file_bytes, video.absent, video.is_link) for video in found.videos] == [
        ("a.mp4", 5, False, False),
        ("a.mp4/b.mp4", 0, True, None),
        ("link.mp4", 12, False, True),
        ("none.mp4", 0, True, None),
        ("nothing.mp4", 0, True, None),
    ]
    assert found.videos[0].mtime_ns == (tmp_path / "a.mp4").stat().st_mtime_ns
    assert [(Path(skipped.path).name, skipped.reason) for skipped in found.unreadable] == [
        ("folder", "a folder, and no video"),
        ("pipe.mp4", "not a regular file"),
    ]
    assert [(str(skipped.path), skipped.reason) for skipped in found.left_out] == [
        (str(tmp_path / "good_quality/b.mp4"), "it is in a folder where copies are put")
    ]


def test_a_run_over_a_list_and_the_next_one(
    tmp_path: Path,
    out: Path,
    scorer: Scorer,  # noqa: F811
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_videos(tmp_path / "a", "one/x.mp4", "two/x.mp4", "two/poor.mp4", "not_listed.mp4")
    manifest = write_manifest(tmp_path / "a" / "list.txt", "one/x.mp4", "two/x.mp4", "none.mp4", "two/x.mp4")
    assert run(manifest, out) == 1
    assert scorer.take() == ["x.mp4", "x.mp4"]
    assert files_below(out / "good_quality") == ["one/x.mp4", "two/x.mp4"]
    base = str(tmp_path / "a")
    first = {f"{base}/none.mp4": "failed", f"{base}/one/x.mp4": "success", f"{base}/two/x.mp4": "success"}
    assert told(out) == first
    shown = capsys.readouterr().out
    assert "3 of 3 videos" in shown
    assert "none.mp4\n    no such file or directory\n" in shown
    # A line more, before the others and from elsewhere: nothing that is known is called otherwise.
    elsewhere = make_videos(tmp_path / "b", "x.mp4") / "x.mp4"
    write_manifest(manifest, str(elsewhere), "one/x.mp4", "two/x.mp4", "two/poor.mp4")
    assert run(manifest, out) == 0
    assert scorer.take() == ["poor.mp4", "x.mp4"]
    copy = f"_elsewhere/file{elsewhere}"
    assert files_below(out / "good_quality") == sorted([copy, "one/x.mp4", "two/x.mp4"])
    assert told(out) == {
        f"{base}/one/x.mp4": "success", f"{base}/two/x.mp4": "success", str(elsewhere): "success",
        f"{base}/two/poor.mp4": "success",
    }  # fmt: skip
    # What is no longer named keeps its record and its copy.
    write_manifest(manifest, "two/x.mp4")
    assert run(manifest, out, "--min_confidence", "9") == 0
    assert scorer.take() == []
    results = results_in(out)
    assert (results["total_videos"], results["successful_processing"]) == (1, 1)
    assert gone_in(out) == ["none.mp4", "one/x.mp4", "two/poor.mp4", f"_elsewhere/file{elsewhere}"]
    assert files_below(out / "poor_quality") == sorted([copy, "one/x.mp4", "two/poor.mp4", "two/x.mp4"])


def test_a_file_that_was_scored_and_is_gone_is_not_told_as_failed(
    tmp_path: Path,
    out: Path,
    scorer: Scorer,  # noqa: F811
) -> None:
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4")
    manifest = write_manifest(videos / "list.txt", "a.mp4", "b.mp4")
    assert run(manifest, out) == 0
    (videos / "a.mp4").unlink()
    assert run(manifest, out) == 0
    assert (list(entries_in(out)), gone_in(out)) == (["b.mp4"], ["a.mp4"])
    assert results_in(out)["total_videos"] == 1
    assert scorer.take() == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("place", ["copy", "hardlink", "symlink", "move"])
def test_every_way_of_placing(tmp_path: Path, out: Path, fake_scoring: None, place: str) -> None:
    outside = make_videos(tmp_path / "b", "poor.mp4") / "poor.mp4"
    manifest = write_manifest(make_videos(tmp_path / "a", "x.mp4") / "list.txt", "x.mp4", str(outside))
    for _ in range(2):
        assert run(manifest, out, "--place", place) == 0
        assert files_below(out / "good_quality") == ["x.mp4"]
        assert files_below(out / "poor_quality") == [f"_elsewhere/file{outside}"]
        assert not any(entry["missing"] for entry in results_in(out)["results"])
    assert outside.exists() is (place != "move")
    assert (out / "good_quality" / "x.mp4").is_symlink() is (place == "symlink")


def test_the_parts_of_a_list_are_one_run_when_merged(tmp_path: Path, out: Path, fake_scoring: None) -> None:
    names = [f"{number}.mp4" for number in range(6)]
    outside = make_videos(tmp_path / "b", "poor.mp4") / "poor.mp4"
    manifest = write_manifest(make_videos(tmp_path / "a", *names) / "list.txt", str(outside), *names)
    for part in ("1/2", "2/2"):
        assert run(manifest, out, "--shard", part) == 0
        assert files_below(out / "shards" / part.replace("/", "-of-"))
    assert command.main(["merge", *map(str, (out / "shards").iterdir()), "--output_dir", str(out)]) == 0
    assert files_below(out / "good_quality") == names
    assert files_below(out / "poor_quality") == [f"_elsewhere/file{outside}"]
    assert len(results_in(out)["results"]) == 7


def test_the_passing_ones_are_a_list_again(tmp_path: Path, out: Path, fake_scoring: None) -> None:
    outside = make_videos(tmp_path / "b", "x.mp4") / "x.mp4"
    lines = ("y.mp4", "poor.mp4", "./#1.mp4", str(outside))
    manifest = write_manifest(make_videos(tmp_path / "a", "y.mp4", "poor.mp4", "#1.mp4") / "list.txt", *lines)
    assert run(manifest, out, "--keep_all") == 0
    assert files_below(out) == ["sync_filter_results.json"]
    passing = tmp_path / "a" / "passing.txt"
    assert command.main(["rejudge", "--output_dir", str(out), "--passing", str(passing)]) == 0
    assert passing.read_text().splitlines() == ["./#1.mp4", str(outside), "y.mp4"]
    again = [tmp_path / "a" / "#1.mp4", outside, tmp_path / "a" / "y.mp4"]
    assert [video.path for video in read_manifest(passing)] == again


def test_the_page_is_made_again_from_what_is_stored(tmp_path: Path, out: Path, fake_scoring: None) -> None:
    outside = make_videos(tmp_path / "b", "x.mp4") / "x.mp4"
    manifest = write_manifest(make_videos(tmp_path / "a", "y.mp4") / "list.txt", "y.mp4", str(outside))
    assert run(manifest, out) == 0
    first = (out / "report.html").read_text()
    (out / "report.html").unlink()
    assert command.main(["report", "--output_dir", str(out)]) == 0
    assert (out / "report.html").read_text() == first
    assert "--input_manifest" in first


def test_a_list_that_cannot_be_read_is_wrong_usage(
    tmp_path: Path, out: Path, fake_scoring: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "none.txt", out) == 2
    words = f"--input_manifest {tmp_path}/none.txt: no such file or directory: give a text file"
    assert words in capsys.readouterr().err
    assert not out.exists()


def test_a_list_of_nothing_is_told_as_one(
    tmp_path: Path, out: Path, fake_scoring: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(write_manifest(tmp_path / "list.txt", "# nothing yet"), out) == 0
    assert capsys.readouterr().out.startswith("The list names no video.\n")
    (tmp_path / "folder").mkdir()
    assert run(write_manifest(tmp_path / "list.txt", "folder"), out) == 1
    assert capsys.readouterr().out.startswith("No video of the list could be read.\n")


@pytest.mark.parametrize("flag", [["--input_dir", "in"], ["--calibrate", "in"], ["--recursive"]])
def test_what_does_not_go_with_a_list(flag: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--input_manifest", "list.txt", "--output_dir", "out", *flag]) == 2
    assert f"--input_manifest names every video: {flag[0]} does not go with it" in capsys.readouterr().err
    assert not Path("out").exists()


def test_the_ledger_holds_the_names(tmp_path: Path, out: Path, fake_scoring: None) -> None:
    outside = make_videos(tmp_path / "b", "x.mp4") / "x.mp4"
    assert run(write_manifest(tmp_path / "a" / "list.txt", str(outside)), out, "--keep_all") == 0
    lines = [json.loads(line) for line in (out / ".sync_filter" / "ledger.jsonl").read_text().splitlines()]
    assert [line["path"] for line in lines if line["kind"] == "video"] == [f"_elsewhere/file{outside}"]

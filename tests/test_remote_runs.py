"""Whole runs over URIs: of a memory whose lines break as told, and of an S3 server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from folders import files_below, gone_in, results_in
from remote_fakes import Faulty, emptied_temporary, noted_scoring, started_server  # noqa: F401 (fixtures)

from syncnet import command
from syncnet.inputs import remote
from synthetic.media import Clip, write_clip

registry = pytest.importorskip("fsspec.registry")

OFF = ("--score_cache", "off")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def run(tmp_path: Path, out: Path, *lines_and_flags: str) -> int:
    lines = [word for word in lines_and_flags if "://" in word]
    flags = [word for word in lines_and_flags if "://" not in word]
    manifest = tmp_path / "list.txt"
    manifest.write_text("\n".join(lines))
    return command.main(["--input_manifest", str(manifest), "--output_dir", str(out), *OFF, *flags])


def told(out: Path) -> dict[str, str]:
    return {entry["video_path"]: entry["error"] or entry["status"] for entry in results_in(out)["results"]}


def test_a_video_is_fetched_scored_and_placed_once(
    tmp_path: Path, out: Path, server: Faulty, scoring: list[str]
) -> None:
    server.pipe({"/b/fine.mp4": b"fine", "/b/sub/poor.mp4": b"poor", "/b/faceless.mp4": b"faceless"})
    uris = ("faulty://b/fine.mp4", "faulty://b/sub/poor.mp4", "faulty://b/faceless.mp4")
    assert run(tmp_path, out, *uris) == 0
    assert sorted(scoring) == ["faceless", "fine", "poor"]
    assert told(out) == {
        uris[0]: "success",
        uris[1]: "success",
        uris[2]: "only faces smaller than 50 px (largest 31 px)",
    }
    assert files_below(out / "good_quality") == ["_elsewhere/faulty/b/fine.mp4"]
    assert files_below(out / "poor_quality") == ["_elsewhere/faulty/b/sub/poor.mp4"]
    copy = out / "good_quality/_elsewhere/faulty/b/fine.mp4"
    assert copy.read_bytes() == b"fine"
    # Scoring and placing take one fetch between them, and another run none.
    assert server.opened == {"/b/fine.mp4": 1, "/b/sub/poor.mp4": 1, "/b/faceless.mp4": 1}
    assert run(tmp_path, out, *uris) == 0
    assert results_in(out)["this_run"]["placed"] == 0
    # Other thresholds move the copies that are there.
    assert run(tmp_path, out, *uris, "--min_confidence", "9") == 0
    assert not copy.exists()
    assert server.opened.total() == 3
    # A copy that is missing is fetched again, and only that.
    assert run(tmp_path, out, *uris) == 0
    copy.unlink()
    assert run(tmp_path, out, *uris) == 0
    assert copy.read_bytes() == b"fine"
    assert server.opened == {"/b/fine.mp4": 2, "/b/sub/poor.mp4": 1, "/b/faceless.mp4": 1}
    assert len(scoring) == 3


def test_an_object_that_was_replaced_is_another_video_and_the_copy_of_the_first_stays(
    tmp_path: Path, out: Path, server: Faulty, scoring: list[str]
) -> None:
    server.pipe("/b/a.mp4", b"fine")
    assert run(tmp_path, out, "faulty://b/a.mp4") == 0
    server.pipe("/b/a.mp4", b"poor")
    assert run(tmp_path, out, "faulty://b/a.mp4") == 0
    assert scoring == ["fine", "poor"]
    assert (out / "good_quality/_elsewhere/faulty/b/a.mp4").read_bytes() == b"fine"
    assert (out / "poor_quality/_elsewhere/faulty/b/a~2.mp4").read_bytes() == b"poor"
    assert (len(results_in(out)["results"]), gone_in(out)) == (1, ["_elsewhere/faulty/b/a.mp4"])
    assert run(tmp_path, out, "faulty://b/a.mp4") == 0
    assert scoring == ["fine", "poor"]


@pytest.mark.parametrize(
    ("fault", "words"),
    [("breaks_after", "connection reset by peer"), ("ends_after", "it ended after 2 of 4 bytes")],
)
def test_a_line_that_breaks_fails_the_video_until_the_next_run(
    tmp_path: Path, out: Path, server: Faulty, scoring: list[str], fault: str, words: str
) -> None:
    server.pipe({"/b/a.mp4": b"fine", "/b/b.mp4": b"fine"})
    getattr(server, fault)["/b/a.mp4"] = 2
    uris = ("faulty://b/a.mp4", "faulty://b/b.mp4")
    assert run(tmp_path, out, *uris) == 1
    assert told(out) == {uris[0]: words, uris[1]: "success"}
    assert run(tmp_path, out, *uris) == 1
    getattr(server, fault).clear()
    assert run(tmp_path, out, *uris) == 0
    assert set(told(out).values()) == {"success"}
    assert scoring == ["fine", "fine"]


def test_a_line_that_breaks_while_a_copy_is_placed(
    tmp_path: Path, out: Path, server: Faulty, scoring: list[str]
) -> None:
    server.pipe("/b/a.mp4", b"fine")
    assert run(tmp_path, out, "faulty://b/a.mp4", "--keep_all") == 0
    server.breaks_after["/b/a.mp4"] = 2
    assert run(tmp_path, out, "faulty://b/a.mp4") == 1
    assert told(out) == {"faulty://b/a.mp4": "connection reset by peer"}
    assert files_below(out / "good_quality") == []
    server.breaks_after.clear()
    assert run(tmp_path, out, "faulty://b/a.mp4") == 0
    assert files_below(out / "good_quality") == ["_elsewhere/faulty/b/a.mp4"]
    assert scoring == ["fine"]


def test_a_server_out_of_reach_costs_nothing_that_is_known(
    tmp_path: Path, out: Path, server: Faulty, scoring: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    server.pipe("/b/a.mp4", b"fine")
    assert run(tmp_path, out, "faulty://b/a.mp4") == 0
    server.unreachable.update(["/b/a.mp4", "/b/new.mp4"])
    capsys.readouterr()
    assert run(tmp_path, out, "faulty://b/a.mp4", "faulty://b/new.mp4") == 1
    assert "Could not be read\n  faulty://b/a.mp4\n    no route to\n  faulty://b/new.mp4\n" in capsys.readouterr().out
    assert told(out) == {"faulty://b/a.mp4": "success"}
    assert files_below(out / "good_quality") == ["_elsewhere/faulty/b/a.mp4"]
    server.unreachable.clear()
    assert run(tmp_path, out, "faulty://b/a.mp4") == 0
    assert scoring == ["fine"]
    assert server.opened.total() == 1


def test_an_object_that_is_not_there_is_one_failed_video(
    tmp_path: Path, out: Path, server: Faulty, scoring: list[str]
) -> None:
    server.pipe("/b/folder/a.mp4", b"fine")
    assert run(tmp_path, out, "faulty://b/none.mp4", "faulty://b/folder/a.mp4", "faulty://b/folder") == 1
    assert told(out) == {
        "faulty://b/folder/a.mp4": "success",
        "faulty://b/none.mp4": "no such file or directory",
    }
    assert results_in(out)["unreadable"] == [{"path": "faulty://b/folder", "reason": "a folder, and no video"}]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--place", "symlink"], "--place symlink does not reach memory://b/a.mp4: give --place copy or --keep_all"),
        (
            ["--keep_all", "--visualize", "all"],
            "need a copy of memory://b/a.mp4: leave out --keep_all, or leave out these two flags",
        ),
    ],
)
def test_what_needs_a_file_of_this_machine_is_refused(
    tmp_path: Path, out: Path, fake_scoring: None, capsys: pytest.CaptureFixture[str], flags: list[str], words: str
) -> None:
    assert run(tmp_path, out, "memory://b/a.mp4", *flags) == 2
    assert words in capsys.readouterr().err


def test_a_library_that_is_missing_is_named(
    tmp_path: Path,
    out: Path,
    fake_scoring: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # A protocol of a package that is nowhere.
    known = {"class": "no_such_package.FileSystem", "err": "Install no_such_package to access S3"}
    monkeypatch.setitem(registry.known_implementations, "s3a", known)
    assert run(tmp_path, out, "s3a://b/a.mp4") == 2
    assert capsys.readouterr().err.endswith("s3a:// needs a library that is not installed: pip install s3fs\n")
    assert run(tmp_path, out, "nonsense://b/a.mp4") == 2
    assert "nonsense://b/a.mp4: Protocol not known: nonsense: check that" in capsys.readouterr().err
    monkeypatch.setattr(remote.importlib, "import_module", _refuse)
    assert run(tmp_path, out, "s3://b/a.mp4") == 2
    words = "s3:// needs fsspec, which is not installed: pip install -r requirements-remote.txt\n"
    assert capsys.readouterr().err.endswith(words)


def _refuse(name: str) -> None:
    raise ImportError(f"No module named {name}")


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A bucket of a server of the test's own, as boto3 gives it."""
    pytest.importorskip("s3fs", reason="s3fs is not installed: pip install -r requirements-remote.txt")
    moto = pytest.importorskip("moto.server", reason="the S3 server is not installed: pip install 'moto[server]'")
    boto3 = pytest.importorskip("boto3", reason="the S3 server is not installed: pip install 'moto[server]'")
    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "NO_PROXY": host,
        "no_proxy": host,
    }.items():
        monkeypatch.setenv(name, value)
    bucket = boto3.resource("s3").Bucket("talks")
    bucket.create()
    yield bucket
    server.stop()


def test_videos_of_an_s3_server(tmp_path: Path, out: Path, bucket: Any, scoring: list[str]) -> None:
    bucket.put_object(Key="a/fine.mp4", Body=b"fine")
    bucket.put_object(Key="a/ä b.mp4", Body=b"poor")
    uris = ("s3://talks/a/fine.mp4", "s3://talks/a/ä b.mp4", "s3://talks/none.mp4")
    assert run(tmp_path, out, *uris) == 1
    assert told(out) == {uris[0]: "success", uris[1]: "success", uris[2]: "no such file or directory"}
    assert (out / "good_quality/_elsewhere/s3/talks/a/fine.mp4").read_bytes() == b"fine"
    assert (out / "poor_quality/_elsewhere/s3/talks/a/ä b.mp4").read_bytes() == b"poor"
    assert run(tmp_path, out, *uris[:2]) == 0
    assert (results_in(out)["this_run"]["scored"], results_in(out)["this_run"]["placed"]) == (0, 0)
    # Within the same second, and of the same size.
    bucket.put_object(Key="a/fine.mp4", Body=b"poor")
    assert run(tmp_path, out, *uris[:2]) == 0
    assert scoring == ["fine", "poor", "poor"]
    assert run(tmp_path, out, "s3://nobody/a.mp4") == 1
    assert told(out)["s3://nobody/a.mp4"]
    assert results_in(out)["gone"] == []


def test_clips_of_a_remote_video_are_cut_from_its_copy_or_from_what_is_fetched_again(
    tmp_path: Path, out: Path, server: Faulty, fake_scoring: None
) -> None:
    video = write_clip(tmp_path / "talk.mp4", Clip(seconds=5)).read_bytes()
    server.pipe("/b/talk.mp4", video)
    clip = out / "segments/_elsewhere/faulty/b/talk.mp4/1.00-4.00.mp4"
    assert run(tmp_path, out, "faulty://b/talk.mp4", "--cut", "passing") == 0
    assert clip.is_file()
    assert server.opened == {"/b/talk.mp4": 1}
    clip.unlink()
    assert run(tmp_path, out, "faulty://b/talk.mp4", "--cut", "passing") == 0
    assert clip.is_file()
    assert server.opened == {"/b/talk.mp4": 1}
    clip.unlink()
    assert run(tmp_path, out, "faulty://b/talk.mp4", "--cut", "passing", "--keep_all") == 0
    assert clip.is_file()
    assert server.opened == {"/b/talk.mp4": 2}

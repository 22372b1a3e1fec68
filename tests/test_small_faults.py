"""Small things that went wrong once: names, logs, words."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest
import torch
from fakes import failed
from folders import entries_in, files_below, make_videos, results_in, run
from torch import nn

from syncnet import command, filter_videos
from syncnet.errors import ModelFileError, UsageError
from syncnet.inputs import discovery
from syncnet.inputs.manifest import name_of, video_at
from syncnet.models.checkpoint import load_checkpoint
from syncnet.placement import transfer
from syncnet.report.progress import Progress
from syncnet.system.log import Log
from syncnet.system.text import masked

OFF = ("--score_cache", "off")


def test_calibration_that_is_refused_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for flags in (["--no_such"], ["--min_confidence", "-1"], ["--log_file", str(tmp_path / "none" / "log")]):
        assert command.main(["--calibrate", str(tmp_path), *flags]) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", [("in", ""), ("", "out")])
def test_an_empty_name_is_not_the_current_folder(names: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="the name is empty"):
        filter_videos(*names)


@pytest.mark.parametrize("name", ["run.log", "run.log.1", "run.log.5"])
def test_a_file_that_is_no_log_is_neither_written_to_nor_rotated_away(tmp_path: Path, name: str) -> None:
    Log(tmp_path / "run.log").close()
    (tmp_path / name).write_bytes(b"a video, or whatever it is")
    with pytest.raises(UsageError, match=r"is not a log of this tool: give another file"):
        Log(tmp_path / "run.log")
    assert (tmp_path / name).read_bytes() == b"a video, or whatever it is"


@pytest.mark.parametrize("form", ["text", "json"])
def test_logs_of_the_tool_are_gone_on_with(tmp_path: Path, form: Any) -> None:
    for _ in range(3):
        log = Log(tmp_path / "run.log", form)
        log.error("a line")
        log.close()
    assert len((tmp_path / "run.log").read_text().splitlines()) == 3


def test_files_that_are_not_there_make_a_ledger_no_longer_with_every_run(tmp_path: Path, fake_scoring: None) -> None:
    manifest, out = tmp_path / "list.txt", tmp_path / "out"
    manifest.write_text("".join(f"gone_{number}.mp4\n" for number in range(50)))
    ledger = out / ".sync_filter" / "ledger.jsonl"
    sizes = []
    for _ in range(3):
        assert command.main(["--input_manifest", str(manifest), "--output_dir", str(out), *OFF]) == 1
        sizes.append(ledger.stat().st_size)
        assert len(results_in(out)["results"]) == 50
    assert sizes[0] == sizes[1] == sizes[2]


def test_what_cannot_be_read_is_told_from_what_cannot_be_written(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out"

    class Unreadable:
        name = str(videos / "fine.mp4")

        def read(self, _: int) -> bytes:
            raise OSError(errno.EIO, "Input/output error")

        def seek(self, _: int) -> None: ...

        def fileno(self) -> int:
            return -1

    copy = transfer._copy_bytes
    monkeypatch.setattr(transfer, "_copy_bytes", lambda _reader, writer, stop: copy(Unreadable(), writer, stop))
    assert run(videos, out, *OFF) == 1
    entry = entries_in(out)["fine.mp4"]
    assert (entry["error"], entry["cure"]) == (
        "could not be copied: input/output error",
        "check that the video can be read, then run again",
    )


def test_a_failure_of_a_video_that_is_known_is_not_counted_among_the_new_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dataclasses import replace

    known = replace(failed("a.mp4", "could not be copied"), source="ledger", failed_now=True)
    with Progress(0, Log(None)) as progress:
        progress.show(known)
    assert capsys.readouterr().err == "a.mp4: failed: could not be copied\n"


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    network = nn.Linear(2, 2)
    nn.init.constant_(network.weight, float("nan"))
    torch.save(network.state_dict(), tmp_path / "w.model")
    with pytest.raises(ModelFileError, match=r"holds weights that are not numbers \(weight\)"):
        load_checkpoint(nn.Linear(2, 2), tmp_path / "w.model")


def test_videos_of_a_folder_that_cannot_be_read_are_not_missing(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, out = make_videos(tmp_path / "in", "fine.mp4", "locked/fine.mp4"), tmp_path / "out"
    assert run(videos, out, *OFF, "--recursive") == 0
    scandir, lexists = os.scandir, os.path.lexists

    def refuse(folder: Any) -> Any:
        if Path(folder).name == "locked":
            raise PermissionError(errno.EACCES, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(discovery.os, "scandir", refuse)
    monkeypatch.setattr(os.path, "lexists", lambda path: "in/locked" not in str(path) and lexists(path))
    assert run(videos, out, *OFF, "--recursive") == 1
    assert {name: entry["missing"] for name, entry in entries_in(out).items()} == {
        "fine.mp4": False,
        "locked/fine.mp4": False,
    }
    assert results_in(out)["gone"] == []


SECRETS = [
    ("https://me:hunter2@host/v.mp4", "https://me:***@host/v.mp4"),
    ("https://hunter2@host/v.mp4", "https://***@host/v.mp4"),
    ("s3://key:hunter2@bucket/v.mp4", "s3://key:***@bucket/v.mp4"),
    ("abfs://videos@account.dfs.core.windows.net/v.mp4", "abfs://videos@account.dfs.core.windows.net/v.mp4"),
    ("https://h/v.mp4?X-Amz-Signature=hunter2&part=3", "https://h/v.mp4?X-Amz-Signature=***&part=3"),
    ("https://h/v.mp4?access_token=hunter2", "https://h/v.mp4?access_token=***"),
    ("403, url='https://h/v.mp4?sig=hunter2'", "403, url='https://h/v.mp4?sig=***'"),
    ("s3://bucket/at@noon/v.mp4", "s3://bucket/at@noon/v.mp4"),
]


@pytest.mark.parametrize(("text", "told"), SECRETS)
def test_secrets_of_uris_are_masked(text: str, told: str) -> None:
    assert masked(text) == told
    if text.startswith("403"):
        return
    video = video_at(text, "/")
    assert video.uri == text, "what is fetched is the real one"
    assert video.location == told
    assert "hunter2" not in f"{video.path} {video.relative_path} {name_of(text, '/')}"


def test_no_file_of_a_run_holds_a_secret(
    tmp_path: Path, fake_scoring: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed: pip install -r requirements-remote.txt")
    from fsspec.implementations.memory import MemoryFileSystem

    class Guarded(MemoryFileSystem):  # type: ignore[misc]
        protocol = "guarded"

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            plain = path.split("?", maxsplit=1)[0].replace("guarded://", "memory://").replace("me:hunter2@", "")
            return super()._strip_protocol(plain)  # type: ignore[no-any-return]

        @classmethod
        def _get_kwargs_from_urls(cls, _: str) -> dict[str, Any]:
            return {}

    fsspec.register_implementation("guarded", Guarded, clobber=True)
    Guarded().pipe("/host/fine.mp4", b"fine")
    manifest, out = tmp_path / "list.txt", tmp_path / "out"
    uris = ["guarded://me:hunter2@host/fine.mp4?sig=hunter2", "guarded://me:hunter2@host/none.mp4?token=hunter2"]
    manifest.write_text("\n".join(uris))
    arguments = ["--input_manifest", str(manifest), "--output_dir", str(out), *OFF, "--log_file", str(tmp_path / "log")]
    assert command.main([*arguments, "--verbose"]) == 1
    assert command.main([*arguments, "--preset", "strict"]) in (0, 1)
    assert command.main(["report", "--output_dir", str(out)]) == 0
    shown = capsys.readouterr()
    assert "hunter2" not in shown.out + shown.err + (tmp_path / "log").read_text()
    for path in out.rglob("*"):
        assert "hunter2" not in str(path)
        assert not path.is_file() or b"hunter2" not in path.read_bytes()
    assert [name for name in files_below(out) if "quality" in name]
    assert json.loads((out / "sync_filter_results.json").read_text())["total_videos"] == 2

"""Model files wanted by name, and ``python -m weights``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from faulty_server import CONTENT, NAME, Servers, entry_for, good, status

import weights
from syncnet.errors import ModelFileError
from weights import WeightsPolicy, cache_folder, require_weights
from weights.__main__ import main


@pytest.fixture
def manifest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that knows one file; its address is put in by the test."""
    monkeypatch.setattr(weights, "_OWN_FOLDER", tmp_path)
    monkeypatch.setattr("weights.manifest.MANIFEST", tmp_path / "manifest.json")
    return tmp_path / "manifest.json"


def write_manifest(path: Path, *urls: str) -> None:
    path.write_text(json.dumps({NAME: entry_for(*urls)}))


def test_a_file_wanted_by_name_is_fetched_into_the_cache(manifest_of: Path, servers: Servers) -> None:
    server = servers.start(good)
    write_manifest(manifest_of, server.url)
    found = require_weights(NAME, WeightsPolicy(), "--model x", "--model y")
    assert (found.path, found.verified) == (cache_folder() / NAME, True)
    assert require_weights(NAME, WeightsPolicy(offline=True), "--model x", "--model y") == found
    assert len(server.asked) == 1


def test_offline_opens_no_connection(manifest_of: Path, servers: Servers) -> None:
    server = servers.start(good)
    write_manifest(manifest_of, server.url)
    with pytest.raises(ModelFileError, match="--offline forbids"):
        require_weights(NAME, WeightsPolicy(offline=True), "--model x", "--model y")
    assert server.asked == []


def test_what_cannot_be_fetched_names_the_flag_that_does_without(manifest_of: Path, servers: Servers) -> None:
    write_manifest(manifest_of, servers.start(status(404)).url)
    with pytest.raises(ModelFileError, match=r"it answers 404 Not Found.*check the network.*, or use --model y$"):
        require_weights(NAME, WeightsPolicy(), "--model x", "--model y")


def test_the_list_says_of_each_file_where_it_is(
    manifest_of: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(manifest_of, "http://models.test/file")
    assert main([]) == 0
    missing, looked = capsys.readouterr().out.splitlines()
    assert missing == f"missing   {NAME} (0.0 MB): python -m weights fetch {NAME}"
    assert looked == f"Looked in {manifest_of.parent}, {cache_folder()}"
    (tmp_path / NAME).write_bytes(CONTENT)
    assert main(["list"]) == 0
    assert capsys.readouterr().out.startswith(f"verified  {tmp_path / NAME}\n")


def test_a_wrong_file_is_listed_with_its_origin_and_exit_code_1(
    manifest_of: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(manifest_of, "http://models.test/file")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / NAME).write_bytes(b"other")
    assert main(["--weights_dir", str(mine)]) == 1
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert first == f"WRONG     {NAME}"
    assert f"{mine / NAME} is not the expected file (found by --weights_dir; SHA-256 expected " in second


@pytest.mark.parametrize(
    "arguments", [["fetch"], ["fetch", NAME], ["--weights_dir", "DIR", "fetch"], ["fetch", "--weights_dir", "DIR"]]
)
def test_fetch_gets_what_is_missing_once(
    manifest_of: Path, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Sequence[str]
) -> None:
    server = servers.start(good)
    write_manifest(manifest_of, server.url)
    arguments = [str(tmp_path / "new") if argument == "DIR" else argument for argument in arguments]
    target = tmp_path / "new" if "--weights_dir" in arguments else cache_folder()
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"fetched   {target / NAME}\n"
    assert (target / NAME).read_bytes() == CONTENT
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"verified  {target / NAME}\n"
    assert len(server.asked) == 1


def test_a_folder_that_goes_elsewhere_gets_the_file_itself(
    manifest_of: Path, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_manifest(manifest_of, servers.start(good).url)
    (tmp_path / NAME).write_bytes(CONTENT)  # the checkout's
    assert main(["fetch", "--weights_dir", str(tmp_path / "image")]) == 0
    assert (tmp_path / "image" / NAME).read_bytes() == CONTENT


def test_one_file_that_cannot_be_had_keeps_no_other_back(
    manifest_of: Path, servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = {"gone.model": entry_for(servers.start(status(404)).url), NAME: entry_for(servers.start(good).url)}
    manifest_of.write_text(json.dumps(entries))
    assert main(["fetch"]) == 1
    told = capsys.readouterr()
    assert told.out == f"fetched   {cache_folder() / NAME}\n"
    assert "gone.model could not be downloaded" in told.err


def test_fetch_leaves_a_wrong_file_of_the_users_alone(
    manifest_of: Path, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = servers.start(good)
    write_manifest(manifest_of, server.url)
    (tmp_path / NAME).write_bytes(b"other")
    assert main(["fetch", NAME]) == 1
    assert "delete it and run `python -m weights fetch" in capsys.readouterr().err
    assert (tmp_path / NAME).read_bytes() == b"other"
    assert server.asked == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["fetch", "nothing.model"], f"nothing.model is not a model file of this tool: choose from {NAME}"),
        (["fetch", "--offline"], "--offline forbids downloads"),
        (["--offline", "fetch"], "--offline forbids downloads"),
        (["--weights_dir", "absent"], "--weights_dir names absent, which is not a folder"),
        (["--weights-dir", "absent"], "--weights_dir names absent, which is not a folder"),
        (["--ofline"], "unrecognized arguments: --ofline: did you mean --offline?"),
        (["chekc"], "invalid choice: 'chekc'"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    manifest_of: Path, servers: Servers, capsys: pytest.CaptureFixture[str], arguments: Sequence[str], told: str
) -> None:
    server = servers.start(good)
    write_manifest(manifest_of, server.url)
    assert main(arguments) == 2
    complaint = capsys.readouterr().err
    assert told in complaint and complaint.count("\n") == 1
    assert server.asked == []


def test_files_that_ship_with_the_tool_are_not_fetched(manifest_of: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_manifest(manifest_of)
    assert main(["fetch"]) == 0
    assert capsys.readouterr() == ("", "")


def test_the_check_without_a_network_says_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    if weights.find_weights("example.avi", WeightsPolicy()):
        pytest.skip("example.avi is in the checkout's own folder")
    assert main(["check", "--offline"]) == 1
    assert "the check needs example.avi, which is not here" in capsys.readouterr().err

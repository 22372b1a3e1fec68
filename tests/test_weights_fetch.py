"""Fetching a model file from servers that fail in every way, on real sockets."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import resource
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from faulty_server import (
    CONTENT,
    Server,
    Servers,
    drops_after,
    good,
    redirect_to,
    status,
    too_long,
    truncated,
    without_ranges,
    wrong_bytes,
    wrong_range,
)

import weights
from syncnet.errors import ModelFileError
from weights import ManifestEntry, WeightsPolicy, cache_folder, require_weights
from weights.__main__ import main
from weights.fetch import Patience, fetch_weights

NAME = "tiny.model"
HASTE = Patience(connect_seconds=2, read_seconds=0.3, attempts=3, pause_seconds=0.001)


@pytest.fixture
def servers() -> Iterator[Servers]:
    with Servers.all_ended() as running:
        yield running


def entry_for(*urls: str) -> ManifestEntry:
    digest = hashlib.sha256(CONTENT).hexdigest()
    return {"sha256": digest, "bytes": len(CONTENT), "licence": "", "source": "", "urls": list(urls)}


def fetch(folder: Path, *sources: Server) -> Path:
    return fetch_weights(NAME, entry_for(*(server.url for server in sources)), folder, HASTE)


def left_in(folder: Path) -> dict[str, bytes]:
    """Everything but the lock, which stays and is empty."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


WHOLE = {NAME: CONTENT}
PARTIAL = f".{NAME}.part"


def test_a_good_file_arrives_whole_and_alone(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    assert fetch(tmp_path / "new" / "folder", server) == tmp_path / "new" / "folder" / NAME
    assert left_in(tmp_path / "new" / "folder") == WHOLE
    assert server.asked == [("/file", None)]


def test_a_file_that_is_there_is_not_fetched_again(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    (tmp_path / NAME).write_bytes(CONTENT)
    fetch(tmp_path, server)
    assert server.asked == []


def test_a_dropped_transfer_goes_on_where_it_ended(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(drops_after(4000), good)
    fetch(tmp_path, server)
    assert left_in(tmp_path) == WHOLE
    (_, first), (_, second) = server.asked
    # The library hands on whole pieces only, so that what was kept may be less than what was sent.
    assert first is None
    assert second in (None, *(f"bytes={count}-" for count in range(1, 4001)))


def test_the_part_of_a_killed_fetch_is_continued_and_not_sent_again(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    (tmp_path / PARTIAL).write_bytes(CONTENT[:7000])
    fetch(tmp_path, server)
    assert server.asked == [("/file", "bytes=7000-")]
    assert left_in(tmp_path) == WHOLE


def test_a_whole_part_only_needs_its_name(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    (tmp_path / PARTIAL).write_bytes(CONTENT)
    fetch(tmp_path, server)
    assert server.asked == []
    assert left_in(tmp_path) == WHOLE


def test_a_server_without_ranges_starts_over(tmp_path: Path, servers: Servers) -> None:
    (tmp_path / PARTIAL).write_bytes(CONTENT[:7000])
    fetch(tmp_path, servers.start(without_ranges))
    assert left_in(tmp_path) == WHOLE


def test_a_wrong_part_is_thrown_away_and_the_whole_fetched(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    (tmp_path / PARTIAL).write_bytes(bytes(7000))
    fetch(tmp_path, server)
    assert server.asked == [("/file", "bytes=7000-"), ("/file", None)]
    assert left_in(tmp_path) == WHOLE


def test_another_range_than_asked_for_is_refused(tmp_path: Path, servers: Servers) -> None:
    (tmp_path / PARTIAL).write_bytes(CONTENT[:7000])
    with pytest.raises(ModelFileError, match="another part of the file"):
        fetch(tmp_path, servers.start(wrong_range))
    assert NAME not in left_in(tmp_path)


def test_wrong_bytes_are_deleted_and_the_next_mirror_asked(tmp_path: Path, servers: Servers) -> None:
    bad, right = servers.start(wrong_bytes), servers.start(good)
    fetch(tmp_path, bad, right)
    assert left_in(tmp_path) == WHOLE
    # The same bytes would come again: one look is enough.
    assert len(bad.asked) == 1


def test_wrong_bytes_everywhere_name_both_digests_and_every_address(tmp_path: Path, servers: Servers) -> None:
    bad, worse = servers.start(wrong_bytes), servers.start(wrong_bytes)
    with pytest.raises(ModelFileError) as raised:
        fetch(tmp_path, bad, worse)
    actual = hashlib.sha256(bytes(len(CONTENT))).hexdigest()
    for part in (NAME, bad.url, worse.url, f"expected {entry_for()['sha256']}", f"actual {actual}", str(tmp_path)):
        assert part in str(raised.value)
    assert "\n" not in str(raised.value)
    assert left_in(tmp_path) == {}


def test_a_truncated_file_never_gets_the_final_name(tmp_path: Path, servers: Servers) -> None:
    # It claims to be whole, and gives that half again whenever it is asked.
    with pytest.raises(ModelFileError, match="it ended after 5120 of 10240 bytes"):
        fetch(tmp_path, servers.start(truncated))
    assert NAME not in left_in(tmp_path)


def test_more_bytes_than_the_file_has_are_not_stored(tmp_path: Path, servers: Servers) -> None:
    with pytest.raises(ModelFileError, match="more than the 10240 bytes"):
        fetch(tmp_path, servers.start(too_long))
    assert left_in(tmp_path) == {}


@pytest.mark.parametrize("code", [403, 404, 410])
def test_a_mirror_that_has_it_not_is_asked_once(tmp_path: Path, servers: Servers, code: int) -> None:
    empty, right = servers.start(status(code)), servers.start(good)
    fetch(tmp_path, empty, right)
    assert len(empty.asked) == 1
    assert left_in(tmp_path) == WHOLE


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_server_is_asked_again(tmp_path: Path, servers: Servers, code: int) -> None:
    server = servers.start(status(code), status(code), good)
    fetch(tmp_path, server)
    assert len(server.asked) == 3
    assert left_in(tmp_path) == WHOLE


def test_a_server_that_stays_busy_is_given_up(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(status(503))
    with pytest.raises(ModelFileError, match="it answers 503"):
        fetch(tmp_path, server)
    assert len(server.asked) == HASTE.attempts


def test_a_silent_server_is_given_up_and_the_next_mirror_asked(tmp_path: Path, servers: Servers) -> None:
    slow, right = servers.start(good), servers.start(good)
    slow.answers[:] = [slow.silent]
    fetch(tmp_path, slow, right)
    assert len(slow.asked) == HASTE.attempts
    assert left_in(tmp_path) == WHOLE


def test_a_silent_server_alone_is_an_error_that_says_so(tmp_path: Path, servers: Servers) -> None:
    slow = servers.start(good)
    slow.answers[:] = [slow.silent]
    with pytest.raises(ModelFileError, match="it takes too long to answer"):
        fetch(tmp_path, slow)


def test_a_redirect_is_followed(tmp_path: Path, servers: Servers) -> None:
    target = servers.start(good)
    fetch(tmp_path, servers.start(redirect_to(target.url)))
    assert left_in(tmp_path) == WHOLE


def test_nobody_at_the_address_is_one_line_with_the_cure(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/file"
    with pytest.raises(ModelFileError, match=r"no connection.*check the network"):
        fetch_weights(NAME, entry_for(url), tmp_path, HASTE)


def test_the_proxy_of_the_environment_is_used(
    tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = servers.start(good)
    monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/file"))
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    fetch_weights(NAME, entry_for("http://models.test/file"), tmp_path, HASTE)
    # A proxy is asked for the whole address.
    assert proxy.asked == [("http://models.test/file", None)]


def _fetch_in_a_process(folder: Path, url: str, barrier: object) -> None:
    barrier.wait()  # type: ignore[attr-defined]
    fetch_weights(NAME, entry_for(url), folder, HASTE)


def test_two_processes_at_once_fetch_it_once(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    both = [context.Process(target=_fetch_in_a_process, args=(tmp_path, server.url, barrier)) for _ in range(2)]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
    assert [process.exitcode for process in both] == [0, 0]
    assert len(server.asked) == 1
    assert left_in(tmp_path) == WHOLE


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named_with_the_cure(tmp_path: Path, servers: Servers) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o500)
    with pytest.raises(ModelFileError, match=r"cannot be stored in .*cache .*permission denied.*--weights_dir"):
        fetch(folder, servers.start(good))


def test_a_folder_that_cannot_be_made_is_named_with_the_cure(tmp_path: Path, servers: Servers) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ModelFileError, match=r"cannot be stored in .*file/cache .*not a directory.*--weights_dir"):
        fetch(tmp_path / "file" / "cache", servers.start(good))


def _fetch_with_a_full_disk(folder: Path, url: str, answer: multiprocessing.Queue[str]) -> None:
    # The signal would end the process; ignored, the write itself fails, as on a full disk.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
    try:
        fetch_weights(NAME, entry_for(url), folder, HASTE)
    except ModelFileError as error:
        answer.put(str(error))


def test_a_full_disk_is_told_and_leaves_no_file_under_the_final_name(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    context = multiprocessing.get_context("spawn")
    answer: multiprocessing.Queue[str] = context.Queue()
    process = context.Process(target=_fetch_with_a_full_disk, args=(tmp_path, server.url, answer))
    process.start()
    message = answer.get(timeout=60)
    process.join(60)
    assert f"{NAME} cannot be stored in {tmp_path} (file too large)" in message
    assert NAME not in left_in(tmp_path)
    # With room again the part that was stored is gone on with.
    fetch(tmp_path, server)
    assert left_in(tmp_path) == WHOLE


@pytest.fixture
def manifest_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that knows one file; its address is put in by the test."""
    monkeypatch.setattr(weights, "_OWN_FOLDER", tmp_path)
    monkeypatch.setattr(weights, "_MANIFEST", tmp_path / "manifest.json")
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


def test_the_command_fetches_lists_and_says_what_is_wrong(
    manifest_of: Path, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = servers.start(good)
    write_manifest(manifest_of, server.url)
    assert main([]) == 0
    assert capsys.readouterr().out.startswith(f"missing   {NAME} (0.0 MB): python -m weights fetch {NAME}\n")
    target = tmp_path / "models"
    target.mkdir()
    assert main(["fetch", "--weights_dir", str(target)]) == 0
    assert capsys.readouterr().out == f"fetched   {target / NAME}\n"
    assert main(["fetch", NAME, "--weights_dir", str(target)]) == 0
    assert main(["--weights_dir", str(target)]) == 0
    assert f"verified  {target / NAME}\n" in capsys.readouterr().out
    (target / NAME).write_bytes(b"other")
    assert main(["list", "--weights_dir", str(target)]) == 1
    assert capsys.readouterr().out.startswith(f"WRONG     {NAME}\n")
    assert main(["fetch", "nothing.model"]) == 2
    assert f"choose from {NAME}" in capsys.readouterr().err

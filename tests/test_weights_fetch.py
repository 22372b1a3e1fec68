"""Fetching a model file from servers that fail in every way, on real sockets."""

from __future__ import annotations

import hashlib
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from faulty_server import (
    CONTENT,
    HASTE,
    NAME,
    PARTIAL,
    WHOLE,
    Answer,
    Servers,
    drops_after,
    entry_for,
    fetch,
    good,
    left_in,
    no_such_range,
    redirect_to,
    status,
    too_long,
    too_long_without_a_word,
    truncated,
    truncated_without_a_word,
    unasked_range,
    without_ranges,
    wrong_bytes,
    wrong_range,
)

from detectors.registry import YUNET_FILE, YUNET_FILE_OPENCV_5
from syncnet.errors import ModelFileError
from weights.fetch import fetch_weights
from weights.manifest import load_manifest


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
    # No byte was sent twice.
    assert server.asked == [("/file", None), ("/file", "bytes=4000-")]
    assert server.sent == [4000, len(CONTENT) - 4000]


def test_the_next_mirror_goes_on_where_the_first_one_ended(tmp_path: Path, servers: Servers) -> None:
    first, second = servers.start(drops_after(4000), status(404)), servers.start(good)
    fetch(tmp_path, first, second)
    assert left_in(tmp_path) == WHOLE
    assert second.asked == [("/file", "bytes=4000-")]


def test_attempts_that_get_further_are_no_failures(tmp_path: Path, servers: Servers) -> None:
    # Five drops where three attempts in vain would be the end.
    server = servers.start(*(drops_after(2000) for _ in range(5)), good)
    patience = replace(HASTE, progress_bytes=2000)
    fetch_weights(NAME, entry_for(server.url), tmp_path, patience)
    assert left_in(tmp_path) == WHOLE
    assert [wanted for _, wanted in server.asked] == [None, *(f"bytes={2000 * n}-" for n in range(1, 6))]


def test_a_server_that_starts_over_and_drops_again_is_given_up(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(drops_after(4000, ranges=False))
    with pytest.raises(ModelFileError, match="the connection broke off"):
        fetch_weights(NAME, entry_for(server.url), tmp_path, replace(HASTE, progress_bytes=2000))
    # The first attempt got further than nothing; the next three did not get further than that.
    assert len(server.asked) == HASTE.attempts
    assert NAME not in left_in(tmp_path)


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


@pytest.mark.parametrize("answer", [wrong_range, no_such_range])
def test_another_range_than_asked_for_starts_over(tmp_path: Path, servers: Servers, answer: Answer) -> None:
    (tmp_path / PARTIAL).write_bytes(CONTENT[:7000])
    server = servers.start(answer)
    fetch(tmp_path, server)
    assert server.asked == [("/file", "bytes=7000-"), ("/file", None)]
    assert left_in(tmp_path) == WHOLE


def test_a_range_that_nobody_asked_for_is_refused(tmp_path: Path, servers: Servers) -> None:
    with pytest.raises(ModelFileError, match="it answers 206"):
        fetch(tmp_path, servers.start(unasked_range))
    assert left_in(tmp_path) == {}


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


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (truncated, "it has 5120 bytes where 10240 are expected"),
        (truncated_without_a_word, "it ended after 5120 of 10240 bytes"),
        (too_long, "it has 10245 bytes where 10240 are expected"),
        (too_long_without_a_word, "it sends more than the 10240 bytes"),
    ],
)
def test_a_file_of_another_size_never_gets_the_final_name(
    tmp_path: Path, servers: Servers, answer: Answer, told: str
) -> None:
    bad, right = servers.start(answer), servers.start(good)
    with pytest.raises(ModelFileError, match=told):
        fetch(tmp_path, bad)
    assert NAME not in left_in(tmp_path)
    assert all(len(content) <= len(CONTENT) for content in left_in(tmp_path).values())
    # Nor does what it sent spoil the next mirror's.
    fetch(tmp_path, bad, right)
    assert left_in(tmp_path) == WHOLE


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


def test_a_server_that_asks_for_time_gets_some(
    tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("weights.fetch.time.sleep", pauses.append)
    server = servers.start(status(503, Retry_After="7"), status(429, Retry_After="9999"), status(503), good)
    fetch_weights(NAME, entry_for(server.url), tmp_path, replace(HASTE, attempts=4))
    # As long as asked for, no longer than a minute, and by itself twice as long each time.
    assert pauses == [7, 60, 4 * HASTE.pause_seconds]


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


def test_a_server_that_stalls_in_large_answers_is_asked_for_small_ones(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    server.answers[:] = [server.stalls_beyond(4000)]
    fetch(tmp_path, server, patience=replace(HASTE, range_bytes=4000))
    # 10,240 bytes, of which 1,000 came before the silence.
    assert [asked for _, asked in server.asked] == [None, "bytes=1000-4999", "bytes=5000-8999", "bytes=9000-10239"]
    assert left_in(tmp_path) == WHOLE


def test_a_server_without_ranges_that_stalls_once_gives_the_whole(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    server.answers[:] = [server.silent_after(1000), without_ranges]
    fetch(tmp_path, server, patience=replace(HASTE, range_bytes=4000))
    assert [asked for _, asked in server.asked] == [None, "bytes=1000-4999"]
    assert left_in(tmp_path) == WHOLE


def test_published_files_have_further_mirrors_and_their_publisher_comes_first() -> None:
    hosts = {
        name: [url.split("/")[2] for url in entry["urls"]] for name, entry in load_manifest().items() if entry["urls"]
    }
    hub = "huggingface.co"
    for name in ("syncnet_v2.model", "sfd_face.pth"):
        assert hosts[name] == ["www.robots.ox.ac.uk", hub, hub, hub]
    for name in (YUNET_FILE, YUNET_FILE_OPENCV_5):
        assert hosts[name] == ["github.com", "media.githubusercontent.com", hub]
        assert all(url.endswith(f"/{name}") for url in load_manifest()[name]["urls"])


def test_a_redirect_without_end_is_given_up_at_once(tmp_path: Path, servers: Servers) -> None:
    server = servers.start(good)
    server.answers[:] = [redirect_to(server.url)]
    with pytest.raises(ModelFileError, match="it redirects endlessly"):
        fetch(tmp_path, server)


def test_a_certificate_is_asked_for(tmp_path: Path, servers: Servers) -> None:
    # The server speaks no TLS at all: nothing may be taken from it.
    server = servers.start(good)
    url = server.url.replace("http://", "https://")
    with pytest.raises(ModelFileError, match="the secure connection broke off"):
        fetch_weights(NAME, entry_for(url), tmp_path, HASTE)
    assert left_in(tmp_path) == {}


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

"""Videos that are fetched: what is told of them, and the local copy while there is one."""

from __future__ import annotations

import contextlib
import datetime
import re
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeStages
from remote_fakes import Faulty, emptied_temporary, noted_scoring, started_server  # noqa: F401 (fixtures)

from syncnet.engines.failures import explain
from syncnet.errors import StillChangingError
from syncnet.inputs import remote
from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.inputs.manifest import video_at
from syncnet.inputs.remote import FetchError, identity_of, local_copy, look_at
from syncnet.scorer import ScorerSettings, SyncScorer
from syncnet.system.interruption import Deadline, Interrupted, StopFlag


def test_the_copy_is_gone_whatever_happens(server: Faulty, temporary: Path) -> None:
    server.pipe("/b/a.MP4", b"1234")
    (video,) = _videos("faulty://b/a.MP4")
    with local_copy(video, StopFlag()) as copy:
        assert copy.fetched is not None
        assert (copy.fetched.read_bytes(), copy.fetched.suffix) == (b"1234", ".MP4")
        # What is placed from it is known by these.
        assert FileIdentity.of(copy.fetched.stat()) == video.identity
        assert copy.fetched.is_relative_to(temporary)
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted), local_copy(video, stop):
        pass
    with (
        pytest.raises(FetchError, match="fetching it: it took longer than 0 s"),
        local_copy(video, Deadline(StopFlag(), 0)),
    ):
        pass
    server.pipe("/b/a.MP4", b"5678")
    with pytest.raises(StillChangingError), local_copy(video, StopFlag()):
        pass


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(
    server: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.pipe("/b/a.mp4", b"1234")
    (video,) = _videos("faulty://b/a.mp4")
    monkeypatch.setattr(remote, "RESERVED_BYTES", 2**60)
    with pytest.raises(FetchError, match=r"no room in .* set TMPDIR"), local_copy(video, StopFlag()):
        pass
    assert not server.opened


def _videos(*uris: str) -> list[VideoFile]:
    found = []
    for video, seen in look_at([video_at(uri, "/") for uri in uris]):
        assert isinstance(seen, FileIdentity)
        found.append(VideoFile(video.path, video.relative_path, seen.size, seen.mtime_ns, uri=video.uri))
    return found


NOON = datetime.datetime(2026, 3, 1, 12, 0, 0, 250_000, tzinfo=datetime.timezone.utc)
NOON_SECONDS = 1_772_366_400
"""date -u -d 2026-03-01T12:00:00Z +%s"""


@pytest.mark.parametrize(
    "told",
    [
        {"LastModified": NOON, "ETag": '"abc"'},
        {"mtime": NOON.timestamp()},
        {"updated": "2026-03-01T12:00:00.250Z", "etag": "abc", "generation": "17"},
        {"last_modified": NOON.replace(tzinfo=None), "etag": "0x8D"},
    ],
)
def test_the_time_is_told_to_the_second_and_the_mark_decides_the_rest(told: dict[str, Any]) -> None:
    time = remote._time_with_mark(told)
    assert time // 10**9 == NOON_SECONDS
    # Microseconds, which every usual file system keeps.
    assert time % 1000 == 0
    for name, value in told.items():
        if isinstance(value, str):
            assert remote._time_with_mark({**told, name: value.replace("1", "2") + "x"}) != time
    assert remote._time_with_mark(dict(told)) == time


def test_where_no_time_is_told_the_mark_decides_alone() -> None:
    first, second = (remote._time_with_mark({"blob_id": mark}) for mark in ("aa", "bb"))
    assert first != second
    assert 0 < first < 10**9
    assert remote._time_with_mark({"size": 5}) == 0


def test_a_server_that_tells_no_size_is_refused(server: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Faulty, "info", lambda *_, **__: {"name": "a", "size": None, "type": "file"})
    with pytest.raises(FetchError, match="does not report its size") as refused:
        identity_of("faulty://b/a.mp4")
    assert explain(refused.value)[0] == "environment"


def test_a_program_may_give_a_uri_too(server: Faulty, scoring: list[str]) -> None:
    server.pipe("/b/a.mp4", b"poor")
    scorer = SyncScorer(ScorerSettings(), stages=FakeStages())  # type: ignore[arg-type]
    result = scorer.score("faulty://b/a.mp4")
    assert (result.status, result.passed, result.location) == ("success", False, "faulty://b/a.mp4")
    assert scoring == ["poor"]
    assert scorer.score("faulty://b/none.mp4").error == "no such file or directory"
    assert scorer.score("nonsense://b/a.mp4").error == "nonsense://b/a.mp4: Protocol not known: nonsense"
    assert scorer({"path": ["faulty://b/a.mp4"]})["sync_status"] == ["success"]


def test_each_video_has_its_own_answer_however_many_are_asked_for(
    server: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "LOOKS_PLANNED", 2)
    server.pipe({f"/b/{number}.mp4": b"x" * number for number in range(1, 6)})
    assert [video.file_bytes for video in _videos(*(f"faulty://b/{number}.mp4" for number in range(1, 6)))] == [
        1,
        2,
        3,
        4,
        5,
    ]


def test_a_server_that_does_not_answer_is_not_asked_a_million_times(
    server: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MOST_UNANSWERED", 2)
    # One after the other, so that it is known when the server was given up.
    monkeypatch.setattr(remote, "LOOKS_AT_ONCE", 1)
    server.pipe({"/b/0.mp4": b"x", "/b/3.mp4": b"x", "/b/6.mp4": b"x", "/other/7.mp4": b"x"})
    server.unreachable.update(f"/b/{number}.mp4" for number in (1, 4, 5))
    uris = [f"faulty://b/{number}.mp4" for number in range(7)] + ["faulty://other/7.mp4"]
    seen = [seen for _, seen in look_at([video_at(uri, "/") for uri in uris])]
    lost, given_up = "no route to", "not requested, because faulty://b did not answer for other videos"
    assert [answer if isinstance(answer, str) else type(answer) for answer in seen] == [
        *(FileIdentity, lost, type(None), FileIdentity, lost, lost, given_up, FileIdentity)
    ]


class Answered(Exception):  # noqa: N818 (as aiohttp's own)
    """What aiohttp says of an answer that is no success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status}, message='...'")
        self.status = status


@pytest.mark.parametrize(
    ("cause", "there_is_nothing", "told"),
    [
        (None, True, "no such file or directory"),
        (Answered(404), True, "no such file or directory"),
        (Answered(410), True, "no such file or directory"),
        (Answered(403), False, "403, message='...'"),
        (Answered(500), False, "500, message='...'"),
        (ConnectionRefusedError(111, "Connection refused"), False, "connection refused"),
        (TimeoutError(), False, "TimeoutError"),
    ],
)
def test_a_server_that_is_down_is_told_from_an_object_that_is_not_there(
    server: Faulty, monkeypatch: pytest.MonkeyPatch, cause: Exception | None, there_is_nothing: bool, told: str
) -> None:
    def info(_self: Faulty, path: str, **_how: Any) -> None:
        # As fsspec's http does, whatever went wrong.
        raise FileNotFoundError(path) from cause

    monkeypatch.setattr(Faulty, "info", info)
    ((_, seen),) = look_at([video_at("faulty://b/a.mp4", "/")])
    assert seen == (None if there_is_nothing else told)
    with pytest.raises(FetchError, match=re.escape(told)):
        identity_of("faulty://b/a.mp4")


def test_a_server_that_never_answers_costs_the_time_of_a_look_and_an_interrupt_is_obeyed(
    server: Faulty, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    monkeypatch.setattr(Faulty, "info", lambda *_, **__: released.wait(60))
    videos = [video_at(f"faulty://b/{number}.mp4", "/") for number in range(100)]
    seen = [answer for _, answer in look_at(videos, 0.4)]
    asked = seen.count("no answer within 0.4 s")
    assert remote.MOST_UNANSWERED <= asked <= remote.MOST_UNANSWERED + remote.LOOKS_AT_ONCE
    assert seen.count("not requested, because faulty://b did not answer for other videos") == 100 - asked

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupted)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        # The looks themselves would take half a minute.
        with pytest.raises(KeyboardInterrupt):
            list(look_at(videos))
    finally:
        signal.signal(signal.SIGALRM, before)
        released.set()


def test_requests_that_end_at_once_are_all_counted(server: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    def info(_self: Faulty, _path: str, **_how: Any) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(Faulty, "info", info)
    both = threading.Barrier(2)

    class Meeting(Counter[str]):
        """Two threads that count their first request at the same time read the same number."""

        def __missing__(self, key: str) -> int:
            with contextlib.suppress(threading.BrokenBarrierError):
                both.wait(0.2)
            return 0

    unanswered = Meeting()
    seen = partial(remote._seen, unanswered=unanswered, turn=threading.Lock(), stop=StopFlag(), limit_seconds=1.0)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(seen, [video_at(f"faulty://b/{number}.mp4", "/") for number in range(2)]))
    assert unanswered["faulty://b"] == 2


def test_a_server_that_drips_is_given_up_in_time(server: Faulty, monkeypatch: pytest.MonkeyPatch) -> None:
    server.pipe("/b/a.mp4", b"1234")
    (video,) = _videos("faulty://b/a.mp4")
    released = threading.Event()

    class Dripping:
        def __enter__(self) -> Dripping:
            return self

        def __exit__(self, *_: object) -> None: ...

        def read(self, _: int) -> bytes:
            released.wait(60)
            return b""

    monkeypatch.setattr(Faulty, "_open", lambda *_, **__: Dripping())
    with (
        pytest.raises(FetchError, match=r"fetching it: it took longer than 0.5 s"),
        local_copy(video, Deadline(StopFlag(), 0.5)),
    ):
        pass
    released.set()

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from fakes import make_score, scored

from syncnet.errors import UsageError
from syncnet.faces.no_track import NoTrackReason
from syncnet.state.score_store import ScoreStore, default_folder, hash_content
from syncnet.system.interruption import Interrupted, StopFlag


def confidence_in(store: ScoreStore, content_hash: str, fingerprint: str) -> float | None:
    score = store.find(content_hash, fingerprint)
    return score.tracks[0].score.confidence if score and score.tracks[0].score else None


def test_a_score_is_found_by_content_and_settings_together(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "cache" / "scores")
    store.keep("aa", "f1", scored(make_score(7.5)))
    store.keep("aa", "f2", scored(make_score(2.5)))
    again = ScoreStore(tmp_path / "cache" / "scores")
    assert confidence_in(again, "aa", "f1") == 7.5
    assert confidence_in(again, "aa", "f2") == 2.5
    assert again.find("bb", "f1") is None
    assert again.find("a", "a f1") is None


def test_a_video_without_a_face_is_a_score_too(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path)
    store.keep("aa", "f1", scored())
    found = store.find("aa", "f1")
    assert found is not None
    assert (found.tracks, found.no_track) == ((), NoTrackReason())


@pytest.mark.parametrize("content", [b"", b"{", b"{}", b"\xff\xfe", b'{"info": null}'])
def test_a_damaged_entry_is_none_and_is_replaced(tmp_path: Path, content: bytes) -> None:
    store = ScoreStore(tmp_path)
    store.keep("aa", "f1", scored(make_score(7.5)))
    (entry,) = (path for path in tmp_path.rglob("*") if path.is_file())
    entry.write_bytes(content)
    assert store.find("aa", "f1") is None
    store.keep("aa", "f1", scored(make_score(7.5)))
    assert confidence_in(store, "aa", "f1") == 7.5
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [entry]


def test_what_killed_runs_left_half_written_in_the_store_goes_after_an_hour(tmp_path: Path) -> None:
    ScoreStore(tmp_path).keep("content", "settings", scored())
    (stored,) = tmp_path.rglob("*.json")
    old, young = stored.with_name(".sync_filter_1.part"), stored.with_name(".sync_filter_2.part")
    for path in (old, young):
        path.touch()
    os.utime(old, (0, 0))
    ScoreStore(tmp_path).keep("content", "settings", scored())
    assert sorted(stored.parent.iterdir()) == sorted([young, stored])


def test_a_store_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path / "scores")
    (tmp_path / "scores").rmdir()
    (tmp_path / "scores").write_text("in the way")
    store.keep("aa", "f1", scored(make_score(7.5)))
    assert store.find("aa", "f1") is None


def test_a_folder_that_cannot_be_made_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"--score_cache .*: give a folder you can write to, or off"):
        ScoreStore(tmp_path / "file" / "scores")


def test_the_hash_is_of_all_bytes_and_stops_when_asked(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a").write_bytes(content)
    assert hash_content(tmp_path / "a", StopFlag()) == hashlib.sha256(content).hexdigest()
    stop = StopFlag()
    stop.stop()
    with pytest.raises(Interrupted):
        hash_content(tmp_path / "a", stop)


def test_the_store_lies_in_the_users_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_folder() == tmp_path / "sync_filter" / "scores"

"""One bad line of a ledger, or a bad file of a cache, costs its video only, and no more than another look."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from folders import entries_in, files_below, make_videos, results_in, run

from syncnet import command
from syncnet.keepsake.file import read_keepsake

pytestmark = pytest.mark.usefixtures("fake_scoring")
OFF = ("--score_cache", "off")
DEEP = "[" * 5000 + "]" * 5000


def _track(record: dict[str, Any]) -> dict[str, Any]:
    track: dict[str, Any] = record["score"]["tracks"][0]
    return track


def _no_box(record: dict[str, Any]) -> None:
    _track(record)["mean_box"][2] = None


def _endless_box(record: dict[str, Any]) -> None:
    _track(record)["mean_box"][2] = float("inf")


def _huge_box(record: dict[str, Any]) -> None:
    _track(record)["mean_box"][2] = 10**400


def _endless_confidence(record: dict[str, Any]) -> None:
    _track(record)["score"]["confidence"] = float("inf")


def _short_curve(record: dict[str, Any]) -> None:
    _track(record)["score"]["curve"] = [1.0]


def _nobodys_turn(record: dict[str, Any]) -> None:
    turns = [{"track": 7, "start_seconds": 0.0, "end_seconds": 1.0}]
    record["score"]["conversation"] = {"score": _track(record)["score"], "turns": turns}


def _endless_offset(record: dict[str, Any]) -> None:
    _track(record)["score"]["offset_frames"] = 10**30


def _no_time(record: dict[str, Any]) -> None:
    record["seconds"] = None


def _huge_file(record: dict[str, Any]) -> None:
    record["score"]["info"]["file_bytes"] = 2**64


RECORDS = [
    _no_box, _endless_box, _huge_box, _endless_confidence, _short_curve, _nobodys_turn, _endless_offset, _no_time,
    _huge_file,
]  # fmt: skip


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    return make_videos(tmp_path / "in", "fine.mp4", "fine_too.mp4")


def ledger_lines(out: Path) -> list[str]:
    return (out / ".sync_filter" / "ledger.jsonl").read_text().splitlines()


def write_lines(out: Path, lines: list[str]) -> None:
    (out / ".sync_filter" / "ledger.jsonl").write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize("damage", RECORDS)
def test_a_record_that_says_what_no_run_writes_is_scored_again(
    videos: Path, out: Path, damage: Callable[[dict[str, Any]], None]
) -> None:
    run(videos, out, *OFF)
    before = results_in(out)["results"]
    lines = ledger_lines(out)
    (number,) = (n for n, line in enumerate(lines) if '"video", "path": "fine.mp4"' in line)
    record = json.loads(lines[number])
    damage(record)
    lines[number] = json.dumps(record)
    write_lines(out, lines)
    assert command.main(["rejudge", "--output_dir", str(out)]) == 0
    assert run(videos, out, *OFF) == 0
    document = results_in(out)
    assert document["this_run"]["scored"] == 1
    assert "Lines of the ledger that cannot be read: 1. Their videos were scored again." in document["notices"]
    for entry in (*before, *document["results"]):
        del entry["processing_time"], entry["peak_memory_mb"], entry["scored_at"]
    assert document["results"] == before
    assert run(videos, out, *OFF) == 0
    assert results_in(out)["this_run"]["scored"] == 0


def _video(path: str, size: int = 1) -> str:
    identity = {"size": size, "mtime_ns": 1}
    fields = {"path": path, "identity": identity, "fingerprint": "f", "score": None, "seconds": 1}
    return json.dumps({"kind": "video", **fields})


LINES = [
    *map(_video, ["a\0.mp4", "../../a.mp4", "/etc/a.mp4", "\ud800.mp4", ""]),
    _video("a.mp4", 10**400),
    f'{{"kind": "video", "path": "a.mp4", "score": {DEEP}}}',
    f'{{"kind": "of_tomorrow", "path": {DEEP}}}',
    DEEP,
    '{"kind": "moving", "path": "a\\u0000"}',
    '{"kind": "placed", "path": "fine.mp4", "placement": {"mode": "thrown", "identity": 3}}',
    '{"kind": "started", "path": "b\\u0000.mp4", "identity": {"size": 1, "mtime_ns": 1}}',
    "\x00" * 50,
]


@pytest.mark.parametrize("line", LINES)
def test_a_line_of_anybodys_ends_no_run_and_leads_nowhere(videos: Path, out: Path, tmp_path: Path, line: str) -> None:
    run(videos, out, *OFF)
    write_lines(out, [*ledger_lines(out), line])
    for _ in range(2):
        assert run(videos, out, *OFF, "--preset", "strict") == 0
        assert sorted(entries_in(out)) == ["fine.mp4", "fine_too.mp4"]
    assert command.main(["report", "--output_dir", str(out)]) == 0
    assert command.main(["rejudge", "--output_dir", str(out), "--passing", str(tmp_path / "passing.txt")]) == 0
    assert command.main(["merge", str(out), "--output_dir", str(tmp_path / "merged")]) == 0
    assert files_below(tmp_path / "merged" / "poor_quality") == ["fine.mp4", "fine_too.mp4"]


@pytest.mark.parametrize("text", [DEEP, "", "[1", '{"tracks": 7}', "\x00", f'{{"info": {DEEP}}}'])
def test_a_file_of_the_cache_that_is_none_is_no_score(videos: Path, tmp_path: Path, out: Path, text: str) -> None:
    cache = tmp_path / "cache"
    assert run(videos, out, "--score_cache", str(cache)) == 0
    for path in cache.rglob("*.json"):
        path.write_text(text)
    assert run(videos, tmp_path / "other", "--score_cache", str(cache)) == 0
    assert results_in(tmp_path / "other")["this_run"]["found_again"] == 0
    assert run(videos, tmp_path / "third", "--score_cache", str(cache)) == 0
    assert results_in(tmp_path / "third")["this_run"]["found_again"] == 2


@pytest.mark.parametrize("damage", [record for record in RECORDS if record is not _no_time])
def test_a_score_of_the_cache_is_checked_as_a_record_is(
    videos: Path, tmp_path: Path, out: Path, damage: Callable[[dict[str, Any]], None]
) -> None:
    cache = tmp_path / "cache"
    assert run(videos, out, "--score_cache", str(cache)) == 0
    for path in cache.rglob("*.json"):
        record = {"score": json.loads(path.read_text())}
        damage(record)
        path.write_text(json.dumps(record["score"]))
    assert run(videos, tmp_path / "other", "--score_cache", str(cache)) == 0
    assert results_in(tmp_path / "other")["this_run"]["scored"] == 2


@pytest.mark.parametrize("name", ["models.json", "command.json", "lock", "lock.json"])
@pytest.mark.parametrize("text", [DEEP, "", "\x00", '{"model": 1}'])
def test_other_notes_that_cannot_be_read_end_no_run_with_a_traceback(
    videos: Path, out: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(videos, out, *OFF)
    (out / ".sync_filter" / name).write_text(text)
    # Nobody knows any more which model the scores are of; the cure is told.
    assert run(videos, out, *OFF) == (2 if name == "models.json" else 0)
    assert ("restore or delete it" in capsys.readouterr().err) is (name == "models.json")


def test_a_keepsake_without_numbers_is_none(tmp_path: Path) -> None:
    def stored(**changed: np.ndarray) -> Path:
        arrays = {
            "format": np.array(1), "shot_starts": np.array([0], np.int32), "loudness_db": np.zeros(3, np.float16),
            "first_frames": np.array([0], np.int32),
            **{name: value for kind, value in {
                "boxes": np.zeros((2, 4), np.int32), "confidence": np.zeros(2, np.float16),
                "windows": np.zeros((1, 3), np.float32), "thumbnail": np.zeros(2, np.uint8),
                "strip": np.zeros(2, np.uint8), "strip_frames": np.zeros(1, np.int32),
            }.items() for name, value in ((kind, value), (f"{kind}_lengths", np.array([len(value)], np.int32)))},
        }  # fmt: skip
        np.savez_compressed(tmp_path / "k.npz", **{**arrays, **changed})
        return tmp_path / "k.npz"

    assert read_keepsake(stored()) is not None
    for damaged in (
        {"windows": np.array([[0, 0, np.nan]], np.float32)},
        {"windows": np.array([[0, np.inf, 0]], np.float32)},
        {"shot_starts": np.array([0.5])},
        {"strip_frames": np.array([np.nan])},
        {"loudness_db": np.zeros((2, 2))},
        {"format": np.array(np.inf)},
    ):
        assert read_keepsake(stored(**damaged)) is None
    shutil.copy(__file__, tmp_path / "k.npz")
    assert read_keepsake(tmp_path / "k.npz") is None

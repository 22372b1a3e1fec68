"""The time line of a video in the results file."""

from __future__ import annotations

import dataclasses
import json

from fakes import IN_SYNC, MIXED, OFF_SCREEN, judged, make_run, make_score, successful

from syncnet.report.results import build_results
from syncnet.results import with_share
from syncnet.scoring.evidence import Evidence


def test_the_time_line_of_a_video_is_told_in_seconds() -> None:
    result = dataclasses.replace(
        successful("a.mp4", make_score(6.0, 1)), over_time=judged(IN_SYNC, OFF_SCREEN, along=MIXED)
    )
    (entry,) = build_results(make_run([result]))["results"]
    speech, off_screen = entry["segments"]
    assert speech == {
        "kind": "speech", "from": 1.0, "to": 4.0, "track": 0, "box": [10, 21, 110, 141], "offset": 1, "offset_ms": 40,
        "offset_fine_ms": 41.3, "offset_interval_ms": [30.0, 52.0], "confidence": 7.123, "evidence": "strong",
        "windows": 6, "windows_agreeing": 5, "speech_seconds": 2.8, "passes": True, "reasons": [],
        "decision": None,
    }  # fmt: skip
    assert (off_screen["kind"], off_screen["track"], off_screen["offset"], off_screen["passes"]) == (
        "off_screen", None, None, False,
    )  # fmt: skip
    assert off_screen["reasons"] == ["somebody speaks, but no face is seen"]
    sums = ("speech_seconds", "seen_speech_seconds", "off_screen_seconds", "in_sync_seconds", "coverage")
    assert [entry[name] for name in sums] == [5.0, 2.8, 2.2, 3.0, 1.0]
    assert entry["offset_along"] == {
        "kind": "mixed",
        "offset_ms": None,
        "jumps": [{"at": 3.0, "earliest": 2.5, "from_ms": 40.0, "to_ms": -200.0, "size_ms": -240.0}],
        "drift": {
            "ms_per_minute": -120.0, "interval_ms_per_minute": [-130.0, -110.0], "from": 1.0, "from_ms": 40.0,
            "to": 9.0, "to_ms": -216.0, "ratio": "1000/1001",
        },
    }  # fmt: skip


def test_where_nothing_supports_an_offset_no_words_are_made_of_it() -> None:
    none = make_score(6.0, 0, evidence=Evidence("none", "no speech in the sound"))
    (entry,) = build_results(make_run([successful("a.mp4", none)]))["results"]
    assert (entry["offset"], entry["offset_direction"], entry["evidence"]) == (0, None, "none")
    assert "in sync" not in json.dumps(entry).replace("in_sync", "")


def test_a_share_is_told_beside_the_offset_and_in_the_place_of_in_sync() -> None:
    known = dataclasses.replace(successful("a.mp4", make_score(7.0, 1)), over_time=judged(IN_SYNC))
    assert with_share("sound 40 ms early", known) == "sound 40 ms early, in sync for 3.0 of 4.0 s"
    assert with_share("in sync", known) == "in sync for 3.0 of 4.0 s"
    assert with_share("in sync", dataclasses.replace(known, over_time=None)) == "in sync"

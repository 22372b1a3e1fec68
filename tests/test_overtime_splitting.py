"""Long segments in parts, by what was kept of them; and new thresholds on stored time lines."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from fakes import IN_SYNC, INFO, OFF_SCREEN, make_score, make_track, over_time_of
from test_records import make_record

from syncnet import command
from syncnet.keepsake.file import Keepsake, TrackKeepsake, keepsake_path, write_keepsake
from syncnet.models.scale import scale_of
from syncnet.overtime.splitting import split_segment
from syncnet.overtime.timeline import Jump, OffsetAlong, OverTime, Segment
from syncnet.results import VideoScore
from syncnet.state.ledger import open_ledger
from syncnet.state.pinning import Pin, pin_choice
from weights import Identity

LONG = Segment("speech", 0.0, 20.0, 19.0, 0, (0.0, 0.0, 9.0, 9.0), 1, None, 7.0, "strong", 48, 48, 0.5)
SECONDS = 20


def kept(*pauses: tuple[int, int], bad_from: int = 500) -> Keepsake:
    """20 s of one face: windows every 0.4 s, of which those from ``bad_from`` on have another offset and no depth."""
    starts = np.arange(0, SECONDS * 25 - 24, 10)
    curves = np.ones((len(starts), 31), np.float32)
    good = starts + 12.5 < bad_from
    curves[good, 14] = 0.4
    windows = np.stack([starts, np.where(good, 1, 9), np.full(len(starts), 0.6)], axis=1).astype(np.float32)
    boxes = np.tile(np.array([0, 0, 100, 100], np.float32), (SECONDS * 25, 1))
    speech = np.ones(SECONDS * 25, bool)
    for first, end in pauses:
        speech[first:end] = False
    empty = np.empty(0, np.uint8)
    track = TrackKeepsake(0, boxes, boxes[:, 0], windows, empty, empty, empty.astype(np.int32), curves)
    return Keepsake((track,), np.zeros(1, np.int32), np.zeros(SECONDS * 25, np.float32), speech)


def split(most: float, keepsake: Keepsake | None, segment: Segment = LONG) -> list[Segment]:
    return split_segment(segment, most, keepsake, lambda raw, lips: 5 * raw)


def test_a_segment_is_cut_in_the_longest_pause_near_its_middle() -> None:
    # The longest of all lies in the first quarter; of those of 10 and 20 frames the longer one is taken.
    parts = split(15, kept((20, 60), (200, 210), (300, 320)))
    assert [(part.start_seconds, part.end_seconds) for part in parts] == [(0.0, 12.4), (12.4, 20.0)]
    assert [part.speech_seconds for part in parts] == [(310 - 40 - 10 - 10) / 25, (190 - 10) / 25]


def test_a_segment_without_a_pause_is_halved_until_it_is_short_enough() -> None:
    parts = split(6, kept())
    assert [(part.start_seconds, part.end_seconds) for part in parts] == [(0, 5), (5, 10), (10, 15), (15, 20)]
    # (1 - 0.4) in units of 0.5, times 5.
    assert [part.confidence for part in parts] == [6.0] * 4
    assert all(part.evidence == "strong" and part.timing for part in parts)


def test_each_part_has_what_its_own_windows_say() -> None:
    first, second = split(15, kept(bad_from=250))
    assert (first.confidence, first.evidence, first.windows, first.agreeing) == (6.0, "strong", 24, 24)
    assert (second.confidence, second.evidence, second.agreeing) == (0.0, "none", 0)


def test_what_nothing_is_kept_of_stays_whole() -> None:
    assert split(5, None) == [LONG]
    assert split(20, kept()) == [LONG]
    off_screen = dataclasses.replace(OFF_SCREEN, end_seconds=60.0)
    assert split(5, kept(), off_screen) == [off_screen]


def test_the_scale_of_a_model_is_known_without_loading_it() -> None:
    lite = scale_of("lite")
    assert 0 < lite(0.5, 50) < lite(2.0, 50)
    # Little speech is worth less.
    assert lite(1.0, 50) < lite(1.0, 500)
    assert scale_of("syncnet_v2")(7.25, 50) == 7.25


def remember(out: Path, **over_times: OverTime | None) -> None:
    with open_ledger(out / ".sync_filter" / "ledger.jsonl") as ledger:
        for name, over_time in over_times.items():
            track = make_track(make_score(7.0, 1))
            ledger.add(make_record(name, score=VideoScore(INFO, (track,), over_time=over_time)))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out" / ".sync_filter").mkdir(parents=True)
    return tmp_path / "out"


def rejudge(out: Path, *extra: str, verb: str = "rejudge") -> tuple[dict[str, dict[str, object]], list[dict[str, str]]]:
    verdicts, segments = out / "verdicts.jsonl", out / "new_segments.csv"
    arguments = [verb, "--output_dir", str(out), "--verdicts", str(verdicts), "--segments", str(segments), *extra]
    assert command.main(arguments) == 0
    entries = [json.loads(line) for line in verdicts.read_text().splitlines()]
    with open(segments, newline="") as reader:
        return {entry["path"]: entry for entry in entries}, list(csv.DictReader(reader))


@pytest.mark.parametrize("verb", ["rejudge", "rescore"])
def test_new_thresholds_derive_segments_anew(out: Path, verb: str) -> None:
    late = OffsetAlong("jumps", None, (Jump(90.2, 88.0, -3.0, -243.0),))
    remember(out, a=over_time_of(IN_SYNC, OFF_SCREEN), b=over_time_of(IN_SYNC, along=late))
    told, rows = rejudge(out, verb=verb)
    assert told["a"]["passes_quality"] is True
    assert (told["a"]["in_sync_seconds"], told["a"]["coverage"]) == (3.0, 1.0)
    assert told["b"]["quality_reasons"] == ["sound 240 ms late from 1:30 on"]
    assert [(row["relative_path"], row["kind"], row["passes"]) for row in rows] == [
        ("a", "speech", "true"), ("a", "off_screen", "false"), ("b", "speech", "true"),
    ]  # fmt: skip
    told, rows = rejudge(out, "--min_confidence", "7.2", "--min_coverage", "0.5", "--min_segment", "2.6", verb=verb)
    assert told["a"]["quality_reasons"] == [
        "confidence 7.0 is below 7.2", "in sync for 0.0% of the speech with a face in view, 50.0% is needed",
    ]  # fmt: skip
    assert [(row["relative_path"], row["passes"]) for row in rows] == [("a", "false"), ("b", "false")]
    told, _ = rejudge(out, "--max_abs_offset", "6", "--max_off_screen", "0.4", verb=verb)
    assert told["b"]["passes_quality"] is True
    assert told["a"]["quality_reasons"] == ["no face is seen for 44.0% of the speech, 40.0% is allowed"]


def test_long_segments_are_split_by_what_lies_beside_the_ledger(out: Path) -> None:
    remember(out, a=over_time_of(LONG), b=over_time_of(LONG))
    write_keepsake(keepsake_path(out / ".sync_filter", "a"), kept())
    pin_choice(out, out / "results.json", Pin(Identity("syncnet_v2", "ab"), Identity("yunet", "cd")))
    _, rows = rejudge(out, "--max_segment", "12", "--min_confidence", "1")
    assert [(row["relative_path"], row["from"], row["to"], row["confidence"]) for row in rows] == [
        ("a", "0.0", "10.0", "1.2"), ("a", "10.0", "20.0", "1.2"), ("b", "0.0", "20.0", "7.0"),
    ]  # fmt: skip


def test_a_record_of_before_is_told_with_its_cure(out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    remember(out, a=None)
    told, rows = rejudge(out)
    assert (told["a"]["passes_quality"], told["a"]["segments"], rows) == (True, [], [])
    assert "Videos without a stored time line, scored by an earlier version: 1. To get" in capsys.readouterr().out
    told, _ = rejudge(out, "--min_coverage", "0.5")
    assert told["a"]["quality_reasons"] == [
        "no time line is stored, its score is of an earlier version: run the filter on its folder again"
    ]
    assert command.main(["rejudge", "--output_dir", str(out), "--max_segment", "9"]) == 2
    assert "tells which model scored it: run the filter on it again" in capsys.readouterr().err

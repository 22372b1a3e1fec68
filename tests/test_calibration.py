"""Thresholds that fit a folder which is in sync, worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fakes import faceless, failed, make_run, make_score, successful

from syncnet.cli.request import parse_request
from syncnet.command import main
from syncnet.errors import UsageError
from syncnet.report.calibration import fit_thresholds, format_calibration
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore

# Confidences 4.06 to 8.01 in steps of a twentieth: 80 videos. Ten more lie 2 frames off, ten 5.
SCORES = [
    *(make_score(4.06 + 0.05 * step, 0) for step in range(80)),
    *(make_score(9.0, 2) for _ in range(10)),
    *(make_score(9.0, -5) for _ in range(10)),
]


@pytest.mark.parametrize(
    ("share", "confidence", "limit", "kept"),
    [
        # One may go. No limit below 5 keeps 99; the one with the lowest confidence goes, at 4.06, and 4.11 stays.
        (0.99, 4.1, 5, 99),
        # Five may go: the narrowest limit that costs two at most is 5 again. The sixth lowest is 4.31.
        (0.95, 4.3, 5, 95),
        # Ten may go. Limit 2 costs all ten, more than half of them, so limit 5. The eleventh lowest is 4.56,
        # and at 4.5 the tenth, 4.51, stays too.
        (0.90, 4.5, 5, 91),
        # Thirty may go, and limit 2 costs ten of them: the twenty-first lowest is 5.06, and 5.01 stays too.
        (0.70, 5.0, 2, 71),
    ],
)
def test_the_strictest_thresholds_that_keep_a_share(share: float, confidence: float, limit: int, kept: int) -> None:
    fit = fit_thresholds(SCORES, share)
    assert fit.thresholds is not None
    assert (fit.thresholds.min_confidence, fit.thresholds.max_abs_offset) == (pytest.approx(confidence), limit)
    assert fit.kept == kept


def test_what_has_no_evidence_is_kept_by_no_threshold() -> None:
    scores: list[SyncScore] = [make_score(7.0, 0) for _ in range(9)] + [
        make_score(7.0, 0, evidence=Evidence("none", "no speech"))
    ]
    assert fit_thresholds(scores, 0.95).thresholds is None
    assert fit_thresholds(scores, 0.95).kept == 9
    fit = fit_thresholds(scores, 0.90)
    assert fit.thresholds is not None and fit.thresholds.min_confidence == 7.0


def test_the_answer_names_flags_presets_and_what_was_left_out() -> None:
    results = [successful(f"{number}.mp4", score) for number, score in enumerate(SCORES)]
    text = format_calibration(make_run([*results, faceless("x.mp4"), failed("y.mp4")]), Path("in\nsync"))
    assert "in\\nsync: 102 videos taken to be in sync" in text
    assert "--min_confidence 4.5 --max_abs_offset 5" in text
    assert "1 without a usable face and 1 failed: not counted below" in text
    # high: 6.0 and 3 frames. Of the 80, those from 6.01 to 8.01 are 41; and ten at 2 frames.
    assert "confidence >= 6.0, |offset| <= 3   51.0% (51 of 100)" in text
    assert "median" in text and "whole folder is shifted" not in text


def test_a_constant_of_the_folder_is_pointed_out() -> None:
    text = format_calibration(make_run([successful("a.mp4", make_score(7.0, 2))] * 3), Path("in"))
    assert "median +2 (sound 80 ms early)" in text
    assert "whole folder is shifted" in text
    assert "3 videos are few" in text


def test_nothing_scored() -> None:
    assert "none of them could be scored" in format_calibration(make_run([failed("y.mp4")]), Path("in"))


def test_it_takes_the_place_of_the_input_folder() -> None:
    request = parse_request(["--calibrate", "good", "--output_dir", "out"])
    assert (request.input_dir, request.output_dir) == (Path("good"), Path("out"))
    assert request.keep_all and request.calibrate and not request.temporary_output
    with pytest.raises(UsageError, match="takes the place of --input_dir"):
        parse_request(["--calibrate", "good", "--input_dir", "in"])


def test_both_folders_are_needed_without_it() -> None:
    with pytest.raises(UsageError, match="no folder was named"):
        parse_request([])


@pytest.mark.slow
def test_the_command_leaves_nothing_behind(
    tmp_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    samples, temporary = tmp_path / "good", tmp_path / "temporary"
    samples.mkdir()
    temporary.mkdir()
    (samples / "one.mp4").write_bytes((repository / "samples" / "in_sync.mp4").read_bytes())
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert main(["--calibrate", str(samples), "--model", "lite", "--detector", "lite", "--score_cache", "off"]) == 0
    out = capsys.readouterr().out
    assert "1 videos taken to be in sync" in out and "--min_confidence" in out
    assert list(temporary.iterdir()) == []
    assert sorted(path.name for path in samples.iterdir()) == ["one.mp4"]


def test_results_stay_where_a_folder_is_named(tmp_path: Path, repository: Path) -> None:
    code = main(["--calibrate", str(repository / "samples" / "nothing_here"), "--output_dir", str(tmp_path / "out")])
    assert code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    assert main(["--calibrate", str(empty), "--output_dir", str(tmp_path / "out"), "--model", "lite"]) == 0
    assert json.loads((tmp_path / "out" / "sync_filter_results.json").read_text())["total_videos"] == 0

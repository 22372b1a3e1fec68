from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from folders import files_below, make_videos, results_in, run

from syncnet import command

# The command, with scores that follow from the names of the files


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
    first, *others = shown.err.splitlines()
    assert first == f"4 videos in {videos}, 1 skipped by their ending; loading lite"
    assert len(others) == 4


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


def assert_one_line(capsys: pytest.CaptureFixture[str], message: str, *, found: str = "") -> None:
    """``found``: what was said before, if anything."""
    shown = capsys.readouterr()
    assert shown.out == ""
    *before, line = shown.err.splitlines()
    assert before == ([found] if found else [])
    assert line.startswith("filter_videos_by_sync_score.py: error: ")
    assert message in line


@pytest.mark.usefixtures("fake_scoring")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--input_dir", "none", "--output_dir", "out"], "--input_dir none: no such folder"),
        (["--input_dir", "two\nlines", "--output_dir", "out"], "--input_dir two\\nlines: no such folder"),
        (["--input_dir", "in", "--output_dir", "in"], "the same folder"),
        (["--input_dir", "in", "--output_dir", "in/../in"], "the same folder"),
        (["--input_dir", "in", "--output_dir", "file"], "file is a file: name a folder as --output_dir"),
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
    ("extra", "message", "loaded"),
    [
        (["--weights_dir", "none"], "--weights_dir names none", ""),
        (["--min_track", "8"], "--min_track 8 is too short for the model lite: give 26 or more", "; loading lite"),
    ],
)
def test_what_the_models_refuse_is_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    extra: Sequence[str],
    message: str,
    loaded: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_videos(tmp_path / "in", "fine.mp4")
    assert run(Path("in"), Path("out"), *extra) == 2
    assert_one_line(capsys, message, found=f"1 video in in{loaded}")
    assert files_below(tmp_path) == ["in/fine.mp4"]


@pytest.mark.parametrize("flag", ["--weights_dir", "SYNC_FILTER_WEIGHTS"])
def test_a_corrupt_model_file_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flag: str
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "lite.safetensors").write_bytes(b"half a file")
    monkeypatch.setattr("syncnet.engines.threads.share_cores", lambda _workers: 1)
    if flag.startswith("--"):
        extra = [flag, str(tmp_path / "models")]
    else:
        extra = []
        monkeypatch.setenv(flag, str(tmp_path / "models"))
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out", *extra) == 2
    assert_one_line(
        capsys, "lite.safetensors is not the expected file", found=f"1 video in {tmp_path / 'in'}; loading lite"
    )
    assert files_below(tmp_path / "out") == []


def test_a_device_that_is_not_there_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr("syncnet.engines.threads.share_cores", lambda _workers: 1)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out", "--device", "cuda") == 2
    assert_one_line(capsys, "--device cuda", found=f"1 video in {tmp_path / 'in'}; loading lite")


def test_a_missing_package_is_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def missing(*_: object) -> None:
        raise ModuleNotFoundError("No module named 'torch'")

    monkeypatch.setattr("syncnet.stages.choose_stages", missing)
    assert run(make_videos(tmp_path / "in", "fine.mp4"), tmp_path / "out") == 2
    assert_one_line(
        capsys,
        "No module named 'torch': use .venv/bin/python, which make demo sets up, or pip install -r requirements.txt",
        found=f"1 video in {tmp_path / 'in'}; loading lite",
    )

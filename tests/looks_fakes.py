"""Scored videos of a small clip, made by hand, for tests of overlay videos and kept outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePath

import numpy as np
from fakes import make_score

from syncnet.keepsake.file import Keepsake, TrackKeepsake
from syncnet.results import TrackScore, VideoResult
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds
from syncnet.verdict import judge

CURVE = np.abs(np.arange(31) - 15).astype(np.float32)


def make_curve_score(confidence: float, offset_frames: int = 0) -> SyncScore:
    return replace(make_score(confidence, offset_frames), curve=CURVE)


def make_result(path: Path, *scores: SyncScore | None, first_frame: int = 0, length: int = 50) -> VideoResult:
    tracks = tuple(TrackScore(first_frame, length, (40.0, 30.0, 100.0, 90.0), score) for score in scores)
    best = max((s for s in scores if s), key=lambda s: s.confidence, default=None)
    return VideoResult(
        path, PurePath(path.name), 7, "success", 1.0, tracks=tracks, best=best, verdict=judge(best, Thresholds())
    )


def make_keepsake(result: VideoResult) -> Keepsake:
    nothing = np.empty(0, np.uint8)
    tracks = [
        TrackKeepsake(
            track.first_frame,
            np.tile(np.array(track.mean_box, np.float32), (track.frame_count, 1)),
            np.full(track.frame_count, track.score.confidence if track.score else np.nan, np.float32),
            np.empty((0, 3), np.float32),
            nothing,
            nothing,
            np.empty(0, np.int32),
        )
        for track in result.tracks
    ]
    return Keepsake(tuple(tracks), np.zeros(1, np.int32), np.zeros(50, np.float32))

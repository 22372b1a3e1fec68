"""Scores that follow from the names of files, in place of the models: an attack is on everything else."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from syncnet.faces.no_track import NoTrackReason
from syncnet.media.info import MediaInfo
from syncnet.results import TrackScore, VideoScore
from syncnet.scoring.score import SHIFT_COUNT, SyncScore
from syncnet.settings import DetectSettings, ShotSettings, TrackSettings
from syncnet.system.interruption import StopFlag

INFO = MediaInfo(640, 480, 25.0, 4.0, "mov,mp4", "h264", "aac", 0, 1000)


@dataclass
class NamedStages:
    """As much of the stages as the command looks at itself."""

    model: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="named", identity="a" * 64))
    detector: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(name="named", identity="b" * 64))
    reference: str = ""
    tracks: TrackSettings = field(default_factory=TrackSettings)
    detect: DetectSettings = field(default_factory=DetectSettings)
    shots: ShotSettings = field(default_factory=ShotSettings)
    precision: str = "float32"
    decode_threads: int = 1
    min_track_frames: int = 9

    def load(self) -> NamedStages:
        return self


def score_by_name(path: Path, _stages: object, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
    """``fine``: passes, but not with the preset strict; ``poor``, ``faceless`` and ``damaged`` as they say."""
    stop.check()
    name = path.name.lower()
    if "damaged" in name:
        raise ValueError("it is damaged")
    if "faceless" in name:
        return VideoScore(INFO, (), NoTrackReason())
    confidence, offset = (1.0, -15) if "poor" in name else (7.0, 1)
    score = SyncScore(offset, confidence, 7.0, np.zeros(SHIFT_COUNT, np.float32))
    return VideoScore(INFO, (TrackScore(0, 100, (10.0, 20.0, 110.0, 140.0), score),), None)


def install() -> None:
    """From here on the command of this process scores so."""
    import syncnet.pipeline
    import syncnet.stages

    syncnet.stages.choose_stages = lambda _settings, _workers: NamedStages()  # type: ignore[assignment, return-value]
    syncnet.pipeline.score_video = score_by_name  # type: ignore[assignment]

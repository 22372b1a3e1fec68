"""Frozen settings per stage, presets and every default. Standard library only, so that ``--help`` is instant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from syncnet.errors import UsageError


@dataclass(frozen=True)
class Thresholds:
    """What a video needs to pass. Offsets in frames of 1/25 s; positive: the sound comes early."""

    min_confidence: float = 5.0
    max_abs_offset: int = 3
    min_offset: int | None = None
    """Takes the place of ``-max_abs_offset``."""
    max_offset: int | None = None
    """Takes the place of ``max_abs_offset``."""

    def __post_init__(self) -> None:
        if not math.isfinite(self.min_confidence) or self.min_confidence < 0:
            raise UsageError(f"--min_confidence {self.min_confidence}", cure="give a number of 0 or more")
        if self.max_abs_offset < 0:
            raise UsageError(f"--max_abs_offset {self.max_abs_offset}", cure="give a whole number of 0 or more")
        if self.lowest_offset > self.highest_offset:
            raise UsageError(
                f"no offset lies between {self.lowest_offset} and {self.highest_offset}",
                cure="give a --min_offset that is not above --max_offset",
            )

    @property
    def lowest_offset(self) -> int:
        return -self.max_abs_offset if self.min_offset is None else self.min_offset

    @property
    def highest_offset(self) -> int:
        return self.max_abs_offset if self.max_offset is None else self.max_offset

    def allow(self, offset_frames: int) -> bool:
        return self.lowest_offset <= offset_frames <= self.highest_offset


PRESETS = {
    "strict": Thresholds(8.0, 2),
    "high": Thresholds(6.0, 3),
    "medium": Thresholds(4.0, 5),
    "relaxed": Thresholds(2.0, 8),
}


def resolve_thresholds(
    preset: str | None,
    min_confidence: float | None,
    max_abs_offset: int | None,
    min_offset: int | None = None,
    max_offset: int | None = None,
) -> Thresholds:
    """Thresholds of the preset (or the defaults), each replaced by the explicit value where one was given."""
    base = PRESETS[preset] if preset else Thresholds()
    return Thresholds(
        base.min_confidence if min_confidence is None else min_confidence,
        base.max_abs_offset if max_abs_offset is None else max_abs_offset,
        min_offset,
        max_offset,
    )


@dataclass(frozen=True)
class TrackSettings:
    """Which runs of face boxes count as a track."""

    min_face_px: int = 50
    """Mean width or height of the face, in pixels of the original frame."""
    min_track_frames: int = 50
    max_gap_frames: int = 25
    """Missed frames that are bridged by interpolation."""
    min_overlap: float = 0.5
    """Intersection over union that links two boxes; strictly more is needed."""

    def __post_init__(self) -> None:
        if self.min_face_px < 1:
            raise UsageError(f"--min_face_size {self.min_face_px}", cure="give a number of pixels of 1 or more")
        if self.min_track_frames < 1:
            raise UsageError(f"--min_track {self.min_track_frames}", cure="give a number of frames of 1 or more")


PUBLISHED_TRACKS = TrackSettings(min_face_px=100, min_track_frames=100)
"""The published pipeline's own; both have to be exceeded there."""


@dataclass(frozen=True)
class ShotSettings:
    """PySceneDetect's ContentDetector."""

    content_threshold: float = 27.0
    """The library's default."""


S3FD_SMALL_FRAME_PX = 320
"""Longer side up to which ``s3fd`` looks at a frame unreduced: a quarter of 720p, which is what the published way sees.
Each of its looks costs as much as the score of ten frames, and grows with the pixels."""


@dataclass(frozen=True)
class DetectSettings:
    """How often, and at which size, faces are looked for."""

    detect_every_frames: int = 5
    """Keeps every track and verdict of looking at each frame (``benchmarks/detect_every.py``)."""
    min_face_px: int = 50


COSTLY_DETECT_EVERY_FRAMES = 10
"""For s3fd, of which one look costs as much as the whole score of ten frames (docs/performance.md)."""

Precision = Literal["float32", "bfloat16", "float16"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16"]
PRECISION_CHOICES: tuple[PrecisionChoice, ...] = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class SpeedSettings:
    """What is given up for speed."""

    precision: PrecisionChoice = "auto"
    """Of the networks. ``auto`` is float32."""
    detect_every_frames: int | None = None
    """1 looks at every frame. None: the detector's own default."""

    def __post_init__(self) -> None:
        if self.detect_every_frames is not None and self.detect_every_frames < 1:
            raise UsageError(f"--detect_every {self.detect_every_frames}", cure="give a whole number of 1 or more")

    def every_frames(self, detector: str) -> int:
        """How often this detector looks."""
        if self.detect_every_frames is not None:
            return self.detect_every_frames
        return COSTLY_DETECT_EVERY_FRAMES if detector == "s3fd" else DetectSettings().detect_every_frames


@dataclass(frozen=True)
class MediaSettings:
    """Which sound of a file is heard, and how much memory a video may take."""

    audio_track: int | None = None
    """Counted from 0 among the file's sound tracks, as in ffmpeg's ``0:a:N``. None: the first that can be decoded."""
    max_memory_mb: float | None = None
    """A video that may take more is refused before it is decoded. None: what the machine has."""

    def __post_init__(self) -> None:
        if self.audio_track is not None and self.audio_track < 0:
            raise UsageError(
                f"--audio_track {self.audio_track}", cure="give a whole number of 0 or more: 0 is the first"
            )
        if self.max_memory_mb is not None and not self.max_memory_mb > 0:
            raise UsageError(f"--max_memory {self.max_memory_mb}", cure="give a number of megabytes above 0")


PlaceMode = Literal["copy", "hardlink", "symlink", "move"]
PLACE_MODES: tuple[PlaceMode, ...] = ("copy", "hardlink", "symlink", "move")
"""How a video comes into the folder of its verdict."""

DEFAULT_WORKERS = 2
"""Videos at once."""
CRON_SETTLE_SECONDS = 60.0


@dataclass(frozen=True)
class RunOptions:
    """How a run deals with what earlier runs found out, and with what is not finished yet."""

    place: PlaceMode = "copy"
    rescan: bool = False
    retry_failed: bool = False
    limit: int | None = None
    """Most videos that are scored."""
    settle_seconds: float = 0.0
    """A file that changed within this time is left for a later run."""
    score_cache: Path | Literal["off"] | None = None
    """None: in the user's cache folder."""
    cron: bool = False
    """Nobody watches: nothing is said unless something failed."""
    log_file: Path | None = None
    timeout_seconds: float = 7200.0
    """Most time that scoring one video may take."""
    isolate: bool = False
    """Every video is scored in a child process."""

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 0:
            raise UsageError(f"--limit {self.limit}", cure="give a whole number of 0 or more")
        if not 0 <= self.settle_seconds < math.inf:
            raise UsageError(f"--settle {self.settle_seconds}", cure="give a number of seconds of 0 or more")
        if not self.timeout_seconds > 0:
            raise UsageError(f"--timeout {self.timeout_seconds}", cure="give a number of seconds above 0")


@dataclass(frozen=True)
class RaySettings:
    """Which Ray cluster scores, and how much of it one worker takes."""

    address: str | None = None
    """``auto``, ``host:port``, ``ray://host:port``, or ``local`` for a new one on this machine. None: the one that runs
    on this machine, else a new one."""
    num_cpus_per_worker: float = 1.0
    num_gpus_per_worker: float = 0.0
    workers: int | None = None
    """None: as many as the cluster holds."""

    def __post_init__(self) -> None:
        if not 0 < self.num_cpus_per_worker < math.inf:
            raise UsageError(f"--num_cpus_per_worker {self.num_cpus_per_worker:g}", cure="give a number above 0")
        if not 0 <= self.num_gpus_per_worker < math.inf:
            raise UsageError(f"--num_gpus_per_worker {self.num_gpus_per_worker:g}", cure="give a number of 0 or more")


Visualize = Literal["none", "poor", "all"]
VISUALIZE: tuple[Visualize, ...] = ("none", "poor", "all")
"""Which scored videos get an overlay video."""


@dataclass(frozen=True)
class LookOptions:
    """What is left for looking at beside the results."""

    visualize: Visualize = "none"
    save_outputs: bool = False

    @property
    def any(self) -> bool:
        return self.save_outputs or self.visualize != "none"

"""The one scorer: settings that can be sent anywhere, models that are loaded where they are used.

The thread pool, child processes, Ray and a user's own pipeline all score with ``SyncScorer`` (docs/scale-out.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Protocol, cast

from syncnet.errors import UsageError
from syncnet.settings import (
    DetectSettings,
    MediaSettings,
    Precision,
    RunOptions,
    SpeedSettings,
    Thresholds,
    TrackSettings,
)
from syncnet.system.interruption import StopFlag
from syncnet.system.memory import FREED_BY_PROCESS, PEAK_OF_PROCESS
from weights import WeightsPolicy

if TYPE_CHECKING:
    from detectors.protocol import DetectorSpec
    from detectors.s3fd import S3fdSpec
    from syncnet.engines.video import VideoJob
    from syncnet.pipeline import Stages
    from syncnet.results import VideoResult, VideoScore


class ScoringChoices(Protocol):
    """What a score depends on beside the video; a command line's request has it too."""

    @property
    def thresholds(self) -> Thresholds: ...
    @property
    def tracks(self) -> TrackSettings: ...
    @property
    def media(self) -> MediaSettings: ...
    @property
    def speed(self) -> SpeedSettings: ...
    @property
    def model(self) -> str: ...
    @property
    def detector(self) -> str: ...
    @property
    def no_detection(self) -> bool: ...
    @property
    def reference(self) -> bool: ...
    @property
    def device(self) -> str: ...
    @property
    def weights(self) -> WeightsPolicy: ...


@dataclass(frozen=True)
class ScorerSettings:
    """The same for a program; each field is the flag of that name, with its default."""

    thresholds: Thresholds = field(default_factory=Thresholds)
    tracks: TrackSettings = field(default_factory=TrackSettings)
    media: MediaSettings = field(default_factory=MediaSettings)
    speed: SpeedSettings = field(default_factory=SpeedSettings)
    model: str = "auto"
    detector: str = "auto"
    no_detection: bool = False
    reference: bool = False
    device: str = "auto"
    weights: WeightsPolicy = field(default_factory=WeightsPolicy)


class SyncScorer:
    """Scores videos one by one. Pickles as its settings; each process loads the models once, at the first video.

    Raises UsageError, at that first video, where the models cannot be had. Threads may share one.
    """

    def __init__(
        self,
        settings: ScoringChoices | None = None,
        *,
        device: str | None = None,
        workers: int = 1,
        timeout_seconds: float = RunOptions().timeout_seconds,
        stages: Stages | None = None,
    ) -> None:
        """``device`` takes the place of that of the settings. ``workers``: how many videos are scored at once in this
        process, which share its cores. ``stages``: models that are loaded already."""
        chosen = settings or ScorerSettings()
        self._settings: ScoringChoices = replace(cast(Any, chosen), device=device) if device else chosen
        self._workers = workers
        self._timeout_seconds = timeout_seconds
        self._stages = stages
        self._turn = threading.Lock()

    def __getstate__(self) -> dict[str, Any]:
        return {"settings": self._settings, "workers": self._workers, "timeout_seconds": self._timeout_seconds}

    def __setstate__(self, state: dict[str, Any]) -> None:
        SyncScorer.__init__(self, **state)

    @property
    def stages(self) -> Stages:
        """The models and settings of every stage, loaded when they are first asked for."""
        with self._turn:
            if self._stages is None:
                self._stages = load_stages(self._settings, self._workers)
            return self._stages

    def measure(self, path: Path, stop: StopFlag) -> VideoScore:
        """The score of every face track, without a verdict. Raises VideoError, and Interrupted once ``stop`` is set."""
        from syncnet.pipeline import score_video

        # Loading the models is not part of any video's memory.
        stages = self.stages
        try:
            with PEAK_OF_PROCESS.measured() as span:
                score = score_video(path, stages, stop)
        finally:
            FREED_BY_PROCESS.give_back()
        return replace(score, peak_memory_mb=span.peak_mb)

    def score(self, path: Path | str) -> VideoResult:
        """Score and verdict. Whatever is wrong with the video is in the result, as ``status`` and ``error``.

        A string may be a URI (s3:// and others, docs/scale-out.md); the video is then fetched for the time being.
        """
        from syncnet.engines.video import process_video
        from syncnet.inputs.discovery import VideoFile
        from syncnet.inputs.manifest import is_uri

        uri = path if isinstance(path, str) and is_uri(path) else ""
        path = Path(path)
        return process_video(VideoFile(path, PurePath(path.name), 0, uri=uri), self._job(), StopFlag())

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with its score in columns ``sync_...``. Its ``path`` is one path, or those of a batch."""
        paths = row["path"]
        if isinstance(paths, (str, Path)):
            return {**row, **_columns(self.score(paths))}
        return {**row, **_transposed(_columns(self.score(str(path))) for path in paths)}

    def _job(self) -> VideoJob:
        from syncnet.engines.conclusion import Conclusions
        from syncnet.engines.video import VideoJob

        chosen = self._settings
        rules = Conclusions(chosen.thresholds, chosen.tracks, self.stages.model.min_track_frames, None, _NoRecords())
        return VideoJob(self.measure, "", rules, timeout_seconds=self._timeout_seconds)


class _NoRecords:
    """In place of a ledger: a scorer remembers nothing."""

    def note_started(self, path: str, identity: Any) -> None: ...

    def note_given_up(self, path: str) -> None: ...

    def note_moving(self, path: str) -> None: ...

    def add(self, record: Any) -> None: ...

    def knows(self, path: str, identity: Any) -> bool:
        return False

    def was_moved(self, path: str) -> bool:
        return False


def load_stages(choices: ScoringChoices, workers: int) -> Stages:
    """The models and settings that all workers of a process share. Raises UsageError; no video is touched."""
    from syncnet.engines.threads import share_cores
    from syncnet.models.precision import resolve_precision
    from syncnet.models.registry import load_model, resolve_device
    from syncnet.pipeline import Stages
    from syncnet.reference.choice import find_reference_tools

    share = share_cores(workers)
    device = resolve_device(choices.device)
    # Published numbers are those of float32.
    precision = resolve_precision("float32" if choices.reference else choices.speed.precision, device)
    model = load_model("syncnet_v2" if choices.reference else choices.model, device, choices.weights, precision)
    check_track_length(choices.tracks, model.name, model.min_track_frames)
    detector = _load_detector(choices, device, precision)
    detector_name = detector.name if detector else ""
    return Stages(
        model=model,
        detector=detector,
        tracks=choices.tracks,
        detect=detect_settings(choices, detector_name),
        media=choices.media,
        decode_threads=share,
        reference=find_reference_tools(share) if choices.reference else None,
        precision=precision_told(precision, model.name, detector_name),
    )


def check_track_length(tracks: TrackSettings, model: str, min_track_frames: int) -> None:
    """Raises UsageError where tracks may be shorter than the model needs."""
    if tracks.min_track_frames < min_track_frames:
        raise UsageError(
            f"--min_track {tracks.min_track_frames} is too short for the model {model}",
            cure=f"give {min_track_frames} or more",
        )


def detect_settings(choices: ScoringChoices, detector: str) -> DetectSettings:
    """How the detector of that name looks for faces."""
    # The published way looks at every frame, whatever is set here.
    every_frames = choices.speed.every_frames("" if choices.reference else detector)
    return DetectSettings(every_frames, choices.tracks.min_face_px)


def precision_told(precision: Precision, model: str, detector: str) -> Precision:
    """The precision, where it means anything to the model and the detector."""
    return precision if model == "syncnet_v2" or detector == "s3fd" else "float32"


def _load_detector(choices: ScoringChoices, device: str, precision: Precision) -> DetectorSpec | None:
    from detectors.registry import resolve_detector

    if choices.no_detection:
        return None
    if choices.reference:
        return replace(
            cast("S3fdSpec", resolve_detector("s3fd", choices.weights, device, precision)), published_scale=True
        )
    return resolve_detector(choices.detector, choices.weights, device, precision)


def _columns(result: VideoResult) -> dict[str, Any]:
    """Plain values of fixed types, as tables want them; None where there is no score."""
    best = result.best
    reasons = result.verdict.reasons if result.verdict else ()
    return {
        "sync_status": result.status,
        "sync_passes": result.passed,
        "sync_confidence": None if best is None else round(float(best.confidence), 3),
        "sync_offset": None if best is None else int(best.offset_frames),
        "sync_min_distance": None if best is None else round(float(best.min_distance), 3),
        "sync_tracks": len(result.tracks),
        "sync_reasons": "; ".join(reasons),
        "sync_error": result.error,
    }


def _transposed(rows: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {}
    for row in rows:
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
    return columns

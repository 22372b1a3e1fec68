"""The one scorer: settings that can be sent anywhere, models that are loaded where they are used.

The thread pool, child processes, Ray and a user's own pipeline all score with ``SyncScorer`` (docs/scale-out.md).
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from syncnet.settings import Request, RunOptions, ScorerSettings, settled
from syncnet.settings.checks import fitted
from syncnet.system.interruption import StopFlag
from syncnet.system.memory import FREED_BY_PROCESS, PEAK_OF_PROCESS

if TYPE_CHECKING:
    from syncnet.engines.serving import Score
    from syncnet.engines.video import VideoJob
    from syncnet.pipeline import Stages
    from syncnet.results import VideoResult, VideoScore


class SyncScorer:
    """Scores videos one by one. Pickles as its settings; each process loads the models once, at the first video.

    Raises UsageError, at that first video, where the models cannot be had. Threads may share one.
    """

    def __init__(
        self,
        settings: ScorerSettings | None = None,
        *,
        device: str | None = None,
        workers: int = 1,
        timeout_seconds: float = RunOptions().timeout_seconds,
        stages: Stages | None = None,
        measure: Score | None = None,
    ) -> None:
        """``device`` takes the place of that of the settings. ``workers``: how many videos are scored at once in this
        process, which share its cores. ``stages``: models that are loaded already. ``measure``: what
        scores in place of this process, which then loads no models. Raises UsageError."""
        self._settings = settled(settings, device=device)
        self._workers = fitted(Request, "max_workers", workers)
        self._timeout_seconds = fitted(RunOptions, "timeout_seconds", timeout_seconds)
        self._stages = stages
        self._measure = measure
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
                from syncnet.stages import choose_stages

                self._stages = choose_stages(self._settings, self._workers).load()
            return self._stages

    def measure(self, path: Path, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:
        """The score of every face track, without a verdict. Raises VideoError, and Interrupted once ``stop`` is set.

        ``sound_file``: takes the place of the video's own sound.
        """
        from syncnet.pipeline import score_video

        # Loading the models is not part of any video's memory.
        stages = self.stages
        try:
            with PEAK_OF_PROCESS.measured() as span:
                score = score_video(path, stages, stop, sound_file)
        finally:
            FREED_BY_PROCESS.give_back()
        return replace(score, peak_memory_mb=span.peak_mb)

    def score(self, path: Path | str, *, audio: Path | str | None = None, stop: StopFlag | None = None) -> VideoResult:
        """Score and verdict. Whatever is wrong with the video is in the result, as ``status`` and ``error``.

        ``audio``: a sound file in the place of the video's own sound. A path that is a string may be a URI (s3:// and
        others, docs/scale-out.md); the video is then fetched for the time being. Raises Interrupted once ``stop`` is
        set.
        """
        from syncnet.engines.video import process_video
        from syncnet.inputs.discovery import VideoFile
        from syncnet.inputs.manifest import is_uri
        from syncnet.inputs.sounds import sound_at

        uri = path if isinstance(path, str) and is_uri(path) else ""
        path = Path(path)
        sound = None if audio is None else sound_at(Path(audio))
        video = VideoFile(path, PurePosixPath(path.name), 0, uri=uri, sound=sound)
        return process_video(video, self._job(), stop or StopFlag())

    def __call__(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """The row with its score in columns ``sync_...``. Its ``path`` is one path, or those of a batch."""
        paths = row["path"]
        if isinstance(paths, (str, Path)):
            return {**row, **_columns(self.score(paths))}
        return {**row, **_transposed(_columns(self.score(str(path))) for path in paths)}

    def _job(self) -> VideoJob:
        from syncnet.engines.conclusion import VerdictRules
        from syncnet.engines.video import VideoJob
        from syncnet.scoring.evidence import least_telling_frames
        from syncnet.stages import choose_stages

        chosen = self._settings
        elsewhere = self._measure is not None
        least = choose_stages(chosen, 1).min_track_frames if elsewhere else self.stages.model.min_track_frames
        rules = VerdictRules(
            chosen.thresholds, chosen.tracks, least_telling_frames(least), None, NoRecords(), over_time=chosen.over_time
        )
        return VideoJob(self._measure or self.measure, "", rules, timeout_seconds=self._timeout_seconds)


class NoRecords:
    """In place of a ledger: a scorer remembers nothing."""

    def note_started(self, path: str, identity: Any) -> None: ...

    def note_given_up(self, path: str) -> None: ...

    def note_moving(self, path: str) -> None: ...

    def add(self, record: Any) -> None: ...

    def knows(self, path: str, identity: Any) -> bool:
        return False

    def was_moved(self, path: str) -> bool:
        return False

    def placement(self, path: str) -> None: ...

    def has_placement(self, path: str) -> bool:
        return False

    def note_placed(self, path: str, placement: Any) -> None: ...


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

"""How many videos at once; and what is told of each one, by whichever engine it went through."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Literal

from syncnet.advice import advise_on_no_track
from syncnet.discovery import VideoFile
from syncnet.errors import EmptyVideoError, SyncFilterError
from syncnet.interruption import Interrupted, StopFlag
from syncnet.media import MediaInfo
from syncnet.pipeline import TrackScore, VideoScore, best_score
from syncnet.placement import OutputFolders, place_video
from syncnet.scoring import SyncScore
from syncnet.settings import Thresholds, TrackSettings
from syncnet.verdict import Verdict, judge

Status = Literal["success", "no_faces", "failed"]


@dataclass(frozen=True)
class VideoResult:
    """What became of one video."""

    path: Path
    """As given."""
    relative_path: PurePath
    """Below the input folder."""
    file_bytes: int
    status: Status
    seconds: float
    """Wall time, from opening to the finished copy."""
    info: MediaInfo | None = None
    """None where the file could not be opened."""
    tracks: tuple[TrackScore, ...] = ()
    best: SyncScore | None = None
    """Score of the best track."""
    verdict: Verdict | None = None
    """None for a failed video."""
    error: str = ""
    """Why there is no score, or no copy; empty for a success."""
    cure: str = ""

    @property
    def passed(self) -> bool:
        return self.verdict is not None and self.verdict.passed


@dataclass(frozen=True)
class VideoJob:
    """What is done with each video of a run."""

    score: Callable[[Path, StopFlag], VideoScore]
    thresholds: Thresholds
    tracks: TrackSettings
    least_track_frames: int
    """What the model needs; only for advice."""
    folders: OutputFolders | None
    """None: copy nothing."""


def process_video(video: VideoFile, job: VideoJob, stop: StopFlag) -> VideoResult:
    """Scores, judges and places one video. Whatever goes wrong with it is in the result; raises Interrupted only."""
    started = time.perf_counter()
    scored: VideoScore | None = None
    try:
        stop.check()
        scored = job.score(video.path, stop)
        best = best_score(scored.tracks)
        if scored.tracks and best is None:
            raise EmptyVideoError(
                "no sound while a face is seen", path=video.path, cure="see that the sound is as long as the picture"
            )
        verdict = judge(best, job.thresholds, scored.no_track_reason)
        if job.folders:
            passed = verdict.passed if best else None
            place_video(video.path, video.relative_path, job.folders, passed=passed, stop=stop)
    except Interrupted:
        raise
    except Exception as error:
        # The one catch-all of the program: a video, whatever is in it, never stops the others.
        problem, cure = _explain(error)
        return _result(video, started, "failed", scored, error=problem, cure=cure)
    if best:
        return _result(video, started, "success", scored, verdict=verdict)
    reason = scored.no_track_reason
    cure = advise_on_no_track(reason, job.tracks, job.least_track_frames)
    return _result(video, started, "no_faces", scored, verdict=verdict, error=reason, cure=cure)


def _result(
    video: VideoFile,
    started: float,
    status: Status,
    scored: VideoScore | None,
    *,
    verdict: Verdict | None = None,
    error: str = "",
    cure: str = "",
) -> VideoResult:
    tracks = scored.tracks if scored else ()
    return VideoResult(
        path=video.path,
        relative_path=video.relative_path,
        file_bytes=video.file_bytes,
        status=status,
        seconds=time.perf_counter() - started,
        info=scored.info if scored else None,
        tracks=tracks,
        best=best_score(tracks),
        verdict=verdict,
        error=error,
        cure=cure,
    )


def _explain(error: Exception) -> tuple[str, str]:
    """Problem and cure, each one line."""
    if isinstance(error, SyncFilterError):
        return error.problem, error.cure
    # torch's own OutOfMemoryError is a RuntimeError; its name is all that is needed of it here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "not enough memory", "give fewer --max_workers"
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower(), "see that the file can be read, then run again"
    place = traceback.extract_tb(error.__traceback__)[-1]
    first_line = next(iter(str(error).splitlines()), "")
    problem = f"{type(error).__name__}: {first_line} ({Path(place.filename).name}, line {place.lineno})"
    return problem, "this is a fault of the tool: please report it with the video"

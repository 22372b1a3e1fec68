"""The command for other programs: one video, or a folder of them. docs/api.md shows how.

Whatever is wrong with a video is in its result; what is wrong with the call or the set-up is raised as UsageError
(or ModelFileError, LockedError, which are UsageErrors). Nothing is printed, and no signal is taken over.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from syncnet.scorer import SyncScorer
from syncnet.settings import (
    DEFAULT_WORKERS,
    ReportOptions,
    Request,
    RunOptions,
    ScorerSettings,
    TerminalOptions,
    Thresholds,
    settled,
)
from syncnet.system.interruption import StopFlag
from syncnet.system.log import Log

if TYPE_CHECKING:
    from syncnet.command import Finished
    from syncnet.results import VideoResult


@dataclass(frozen=True)
class FilteredVideos:
    """What became of a folder."""

    results: tuple[VideoResult, ...]
    """One for each video that is known of and not gone, in path order; after a stop those that were finished."""
    gone: tuple[VideoResult, ...]
    """Of videos that are no longer where an earlier call found them."""
    results_file: Path
    """``sync_filter_results.json``."""
    page: Path | None
    """``report.html``; None where it was not asked for, or could not be written."""
    problems: tuple[str, ...]
    """A sentence for each file beside the videos that could not be written; empty when all is well."""
    interrupted: bool
    """Whether ``stop`` was set before the end."""
    exit_code: int
    """What the command would have ended with: 0 where every video was processed, whatever its verdict."""

    @property
    def passed(self) -> tuple[VideoResult, ...]:
        """Those whose file lies in ``good_quality``."""
        return tuple(result for result in self.results if result.passed)


def score_video(
    path: Path | str,
    settings: ScorerSettings | None = None,
    *,
    thresholds: Thresholds | None = None,
    audio: Path | str | None = None,
) -> VideoResult:
    """Score and verdict of one video. Writes no file.

    ``audio``: a sound file that takes the place of the video's own sound, from its first sample on.

    ``thresholds`` take the place of those of the settings. The models are loaded at the first call and kept for as
    long as the settings stay the same; for settings in turn, and for other processes, keep a ``SyncScorer`` each.

    Confidence and offset are those of Chung and Zisserman, "Out of time: automated lip sync in the wild", 2016, on
    the scale of their network; the offset is in frames of 1/25 s, positive where the sound comes early.

    Raises:
        UsageError: the settings contradict each other, or a model or detector cannot be had.
    """
    return _scorer_for(settled(settings, thresholds=thresholds)).score(path, audio=audio)


@functools.lru_cache(maxsize=1)
def _scorer_for(settings: ScorerSettings) -> SyncScorer:
    return SyncScorer(settings)


def filter_videos(
    input_dir: Path | str | None,
    output_dir: Path | str,
    settings: ScorerSettings | None = None,
    *,
    thresholds: Thresholds | None = None,
    input_manifest: Path | str | None = None,
    audio_dir: Path | str | None = None,
    recursive: bool = False,
    keep_all: bool = False,
    max_workers: int = DEFAULT_WORKERS,
    options: RunOptions | None = None,
    report: ReportOptions | None = None,
    on_result: Callable[[VideoResult], None] | None = None,
    stop: StopFlag | None = None,
) -> FilteredVideos:
    """Sorts a folder of videos as the command does, and leaves the same files.

    ``thresholds`` take the place of those of the settings, ``input_manifest`` (a list of paths and URIs, see
    docs/scale-out.md) that of ``input_dir``, which is None then, and the sound files of ``audio_dir`` that of the
    videos' own sound. ``on_result`` is called in this thread for each video,
    as soon as it is finished. Once another thread calls ``stop.stop()``, the videos under way are given up within a
    frame; what is finished is kept, and the next call goes on from there. The same holds for KeyboardInterrupt.

    Raises:
        UsageError: what the command ends with exit code 2 for; no video was touched.
        LockedError: another run is at work in the output folder (the command's exit code 75).
    """
    from syncnet import command

    request = Request(
        # Texts are as good as paths.
        input_dir=cast("Path | None", input_dir),
        input_manifest=cast("Path | None", input_manifest),
        audio_dir=cast("Path | None", audio_dir),
        output_dir=cast("Path", output_dir),
        recursive=recursive,
        keep_all=keep_all,
        max_workers=max_workers,
        settings=settled(settings, thresholds=thresholds),
        options=RunOptions() if options is None else options,
        report=ReportOptions() if report is None else report,
        terminal=TerminalOptions(quiet=True),
    )
    audience = command.Audience(
        on_end=lambda *_: None,
        on_result=on_result or bool,
        stopping=functools.partial(_stopping, stop or StopFlag()),
    )
    log = Log(request.options.log_file)
    try:
        finished = command.run_folder(request, log, audience)
    finally:
        log.close()
    return _told(finished)


def _told(finished: Finished) -> FilteredVideos:
    return FilteredVideos(
        results=tuple(finished.run.results),
        gone=tuple(finished.run.gone),
        results_file=finished.run.folders.results_path,
        page=next(iter(finished.written.pages), None),
        problems=finished.written.problems,
        interrupted=finished.run.interrupted,
        exit_code=finished.code,
    )


@contextlib.contextmanager
def _stopping(flag: StopFlag) -> Iterator[StopFlag]:
    """The flag, set where the caller's own thread is interrupted: the others must not go on behind its back."""
    try:
        yield flag
    except BaseException:
        flag.stop()
        raise

"""What ``repair`` is given: files, folders, and output folders of earlier runs, whose scores it takes as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath, PurePosixPath

from syncnet.errors import UsageError
from syncnet.inputs.discovery import find_videos
from syncnet.placement.folders import OutputFolders
from syncnet.report.content import read_content
from syncnet.results import VideoResult
from syncnet.settings import OverTimeSettings, ScorerSettings, Thresholds, settled

Score = Callable[[Path], VideoResult]
ScoreWith = Callable[[ScorerSettings], Score]
"""What scores with such settings, in this process or beside it."""


@dataclass(frozen=True)
class ToRepair:
    """One file, and how it and what becomes of it are scored."""

    path: Path
    relative_path: PurePath
    """Of what is written, below ``repaired/``."""
    result: Callable[[], VideoResult]
    score: Score
    unreadable: str = ""
    """Why it was not looked into; then ``result`` has nothing to tell."""


def find_files(
    inputs: list[Path], output_dir: Path, score_with: ScoreWith, settings: ScorerSettings, *, recursive: bool
) -> Iterator[ToRepair]:
    """In the order in which they are given. Raises UsageError for what is neither a file nor a folder."""
    score = score_with(settings)
    for given in inputs:
        if given.is_dir() and OutputFolders(given).results_path.is_file():
            yield from _of_run(OutputFolders(given), score_with, settings)
        elif given.is_dir():
            folders = OutputFolders(output_dir)
            found = find_videos(given, recursive=recursive, excluded_dirs=folders.all_dirs)
            for video in found.videos:
                yield ToRepair(video.path, video.relative_path, partial(score, video.path), score)
            for skipped in found.unreadable:
                path = Path(skipped.path)
                yield ToRepair(path, path.relative_to(given), partial(score, path), score, skipped.reason)
        elif given.is_file():
            yield ToRepair(given, PurePosixPath(given.name), partial(score, given), score)
        else:
            problem = "not a regular file" if given.exists() else "no such file or folder"
            raise UsageError(f"{given}: {problem}", cure="give videos, folders or an earlier --output_dir")


def _of_run(folders: OutputFolders, score_with: ScoreWith, settings: ScorerSettings) -> Iterator[ToRepair]:
    content = read_content(folders)
    own = _settings_of(settings, content.model, content.detector, content.thresholds, content.over_time)
    score = score_with(own)
    for result in content.results:
        path = next((p for p in _places(result, folders) if p.is_file()), None)
        if path is not None and not result.uri:
            yield ToRepair(path, result.relative_path, partial(_told, result), score)


def _places(result: VideoResult, folders: OutputFolders) -> Iterator[Path]:
    """Where the video is, or was moved to."""
    yield result.path
    yield folders.good_dir / result.relative_path
    yield folders.poor_dir / result.relative_path


def _told(result: VideoResult) -> VideoResult:
    return result


def _settings_of(
    settings: ScorerSettings, model: str, detector: str, thresholds: Thresholds, over_time: OverTimeSettings
) -> ScorerSettings:
    chosen = settled(settings, model=model, thresholds=thresholds, over_time=over_time)
    return settled(chosen, no_detection=True) if detector == "none" else settled(chosen, detector=detector)

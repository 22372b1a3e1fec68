"""After a run: the overlay videos, kept outputs and previews that were asked for and are not there yet."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, TypeVar

from syncnet.engines.activity import Activities
from syncnet.engines.failures import explain
from syncnet.errors import VideoError
from syncnet.inputs.discovery import VideoFile
from syncnet.keepsake.file import Keepsake, keepsake_path, read_keepsake
from syncnet.looks.kept_outputs import made_from, save_outputs
from syncnet.looks.movie import read_comment
from syncnet.looks.overlay import draw_overlay
from syncnet.looks.preview import is_played, make_preview, preview_digest
from syncnet.media.opening import Media, open_media
from syncnet.placement.folders import OutputFolders
from syncnet.report.ownership import mark_folder
from syncnet.results import VideoResult
from syncnet.settings import LookOptions, MediaSettings
from syncnet.state.codec import to_plain
from syncnet.system.interruption import Deadline, Interrupted, StopFlag

Item = TypeVar("Item")
Done = TypeVar("Done")
MADE_BY = "sync_filter "
"""At the start of what tells what a look was made from."""
LOOKS_VERSION = 1
"""Raised whenever the same score is drawn in another way; what earlier versions drew is drawn again."""


@dataclass(frozen=True)
class LookJob:
    """Where looks go, and what they show beside the results."""

    options: LookOptions
    folders: OutputFolders
    min_confidence: float
    media: MediaSettings = field(default_factory=MediaSettings)
    threads: int = 1

    @property
    def overlays_dir(self) -> Path:
        return self.folders.overlays_dir

    @property
    def outputs_dir(self) -> Path:
        return self.folders.outputs_dir

    def overlay_path(self, result: VideoResult) -> Path:
        return self.folders.overlay_path(result.relative_path)

    def outputs_folder(self, result: VideoResult) -> Path:
        return self.outputs_dir / result.relative_path


@dataclass
class Made:
    """What came of it."""

    overlays: int = 0
    """There now, whether drawn in this run or an earlier one."""
    outputs: int = 0
    previews: int = 0
    problems: list[tuple[VideoResult, str]] = field(default_factory=list)
    """Videos whose looks could not be made, and why."""
    interrupted: bool = False


@dataclass
class Batch(Generic[Item, Done]):
    """What became of many of one kind."""

    done: list[Done] = field(default_factory=list)
    """In the order in which they were finished."""
    problems: list[tuple[Item, str]] = field(default_factory=list)
    interrupted: bool = False


def in_threads(
    items: Iterable[Item], work: Callable[[Item], Done], workers: int, on_done: Callable[[Item], object]
) -> Batch[Item, Done]:
    """``on_done`` is called for each item in this thread, but for those that a stop cut short."""
    batch: Batch[Item, Done] = Batch()
    with ThreadPoolExecutor(max(1, workers), thread_name_prefix="look") as pool:
        futures = {pool.submit(work, item): item for item in items}
        for future in as_completed(futures):
            item = futures[future]
            try:
                batch.done.append(future.result())
            except Interrupted:
                batch.interrupted = True
                continue
            except Exception as error:
                # As in scoring: no video, whatever is in it, stops the others.
                batch.problems.append((item, describe_problem(error)))
            on_done(item)
    return batch


def describe_problem(error: Exception) -> str:
    """What is wrong, and what to do about it, in a line."""
    _, problem, cure = explain(error)
    return f"{problem} -> {cure}" if cure else problem


def choose_videos(results: Iterable[VideoResult], job: LookJob) -> list[VideoResult]:
    """Those that something was asked for of."""
    wants = _wants_overlay, _wants_outputs, _wants_preview
    return [result for result in results if any(want(result, job) for want in wants)]


def make_looks(
    videos: Sequence[VideoResult],
    job: LookJob,
    stop: StopFlag,
    *,
    workers: int,
    on_done: Callable[[VideoResult], object],
    activities: Activities | None = None,
) -> Made:
    """``on_done`` is called for each video in this thread; ``activities`` hear what is under way. What could not be
    made is a problem, and stops nothing."""
    for asked, folder in (
        (job.options.visualize != "none", job.overlays_dir),
        (job.options.save_outputs, job.outputs_dir),
        (job.options.previews, job.folders.previews_dir),
    ):
        if asked and videos:
            # Where that cannot be written, nothing else can, which is told of each video.
            with contextlib.suppress(OSError):
                mark_folder(folder)
    shown = activities or Activities()

    def make(result: VideoResult) -> tuple[bool, bool, bool]:
        counting = Deadline(stop, math.inf)
        with shown.at(VideoFile(result.path, result.relative_path, result.file_bytes), counting):
            return _make(result, job, counting)

    batch = in_threads(videos, make, workers, on_done)
    made = Made(problems=batch.problems, interrupted=batch.interrupted)
    for overlay, outputs, preview in batch.done:
        made.overlays += overlay
        made.outputs += outputs
        made.previews += preview
    made.problems.sort(key=lambda problem: str(problem[0].path))
    return made


def remove_old_previews(results: Iterable[VideoResult], job: LookJob) -> None:
    """Those of videos that are gone, failed, or were replaced by one that browsers play; only what this tool made."""
    for result in results if job.options.previews else ():
        path = job.folders.preview_path(result.relative_path)
        if not _wants_preview(result, job) and path.is_file() and read_comment(path).startswith(MADE_BY):
            with contextlib.suppress(OSError):
                path.unlink()


def _make(result: VideoResult, job: LookJob, stop: StopFlag) -> tuple[bool, bool, bool]:
    """Whether there is an overlay now, whether there are outputs, and whether there is a preview."""
    stop.check()
    keepsake = read_keepsake(keepsake_path(job.folders.state_dir, result.relative_path))
    digest = digest_of(result, keepsake, job.min_confidence)
    overlay, outputs = _wants_overlay(result, job), _wants_outputs(result, job)
    comment = read_comment(job.overlay_path(result)) if overlay else ""
    draw = overlay and comment != digest
    save = outputs and made_from(job.outputs_folder(result)) != digest
    preview, small = _wants_preview(result, job), job.folders.preview_path(result.relative_path)
    seen = read_comment(small) if preview else ""
    shrink = preview and seen != preview_digest(result, MADE_BY)
    if draw or save or shrink:
        media = _open(result, job, stop)
        if draw:
            target = job.overlay_path(result)
            _refuse_foreign(target, comment)
            draw_overlay(media, result, keepsake, target, stop, min_confidence=job.min_confidence, comment=digest)
        if save:
            save_outputs(media, result, keepsake, job.outputs_folder(result), stop, comment=digest)
        if shrink:
            _refuse_foreign(small, seen)
            make_preview(media, small, stop, comment=preview_digest(result, MADE_BY))
    return overlay, outputs, preview


def _refuse_foreign(target: Path, comment: str) -> None:
    """Raises VideoError where a file stands that this tool did not draw."""
    if not comment.startswith(MADE_BY) and target.exists() and target.stat().st_size:
        raise VideoError(f"{target} was not drawn by this tool", path=target, cure="move it away")


def digest_of(result: VideoResult, keepsake: Keepsake | None, min_confidence: float) -> str:
    """Of all that a look shows: one that was made from the same is not made again."""
    shown = {
        "version": LOOKS_VERSION,
        "bytes": result.file_bytes,
        "tracks": to_plain(list(result.tracks)),
        "best": to_plain(result.best),
        "conversation": to_plain(result.conversation),
        "reasons": list(result.verdict.reasons) if result.verdict else [],
        "min_confidence": min_confidence,
        "boxes": keepsake is not None,
    }
    return f"{MADE_BY}{hashlib.sha256(json.dumps(shown, sort_keys=True).encode()).hexdigest()}"


def _wants_overlay(result: VideoResult, job: LookJob) -> bool:
    chosen = job.options.visualize == "all" or (job.options.visualize == "poor" and not result.passed)
    return chosen and _can_be_seen(result)


def _wants_outputs(result: VideoResult, job: LookJob) -> bool:
    return job.options.save_outputs and _can_be_seen(result)


def _wants_preview(result: VideoResult, job: LookJob) -> bool:
    """Also without a face: the page shows it, and one may want to see why."""
    if not job.options.previews or result.status not in ("success", "no_faces") or result.missing:
        return False
    return result.info is not None and not is_played(result.relative_path.name, result.info)


def _can_be_seen(result: VideoResult) -> bool:
    return result.status == "success" and not result.missing


def _open(result: VideoResult, job: LookJob, stop: StopFlag) -> Media:
    """The video where it is now: ``--place move`` takes it into the folder of its verdict."""
    moved_to = (job.folders.good_dir, job.folders.poor_dir)
    places = [result.path, *(folder / result.relative_path for folder in moved_to)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        raise VideoError("the video is gone", path=result.path)
    media = open_media(path, threads=job.threads, settings=job.media, stop=stop, sound_file=result.sound_path)
    # Boxes are in pixels of the size that was scored, which may be that of pictures further on.
    return media if result.info is None else replace(media, info=result.info)

"""One run over a folder: what is known stays, what is new is scored, all of it is judged and placed."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from syncnet.decisions.kept import NO_DECISIONS, Decisions
from syncnet.engines.conclusion import recall_resting
from syncnet.engines.isolated import ChildScorers, TakenAlongError
from syncnet.engines.serving import Score
from syncnet.engines.threads import run_in_threads
from syncnet.engines.video import VideoJob, process_video, recall_video, report_hung, seconds_until_settled
from syncnet.inputs.discovery import FoundVideos, SkippedPath, VideoFile
from syncnet.inputs.manifest import location_of, video_at
from syncnet.placement.resting import RestingPlaces
from syncnet.results import VideoResult
from syncnet.settings import RunOptions
from syncnet.state.ledger import Ledger
from syncnet.state.records import VideoRecord
from syncnet.system.collector import without_collector
from syncnet.system.interruption import Interrupted, StopFlag

TRIED_AGAIN = ("environment", "killed")
"""Failures that are not the video's own."""
TRIED_ALONE = ("crash", "killed")
"""Those that could take the run along."""


@dataclass
class Plan:
    """What is to be done with each video."""

    known: list[tuple[VideoRecord, VideoFile]] = field(default_factory=list)
    """Judged and placed from their records."""
    gone: list[tuple[VideoRecord, VideoFile]] = field(default_factory=list)
    """The same for those that are no longer in the input folder, or named by the manifest."""
    new: list[VideoFile] = field(default_factory=list)
    alone: list[VideoFile] = field(default_factory=list)
    """New ones that may take their process along: a run died while they were under way."""
    pending: list[SkippedPath] = field(default_factory=list)
    """Still changing."""
    left_for_later: int = 0
    """New ones beyond the limit."""
    decisions: Decisions = NO_DECISIONS
    """Of people, who win over the thresholds."""

    @property
    def total(self) -> int:
        """All videos that are known of."""
        return len(self.known) + len(self.gone) + self.to_score + len(self.pending) + self.left_for_later

    @property
    def to_score(self) -> int:
        return len(self.new) + len(self.alone)


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    results: list[VideoResult]
    """In path order."""
    pending: list[SkippedPath]
    abandoned: int
    """Threads that did not end; the process must end without waiting for them."""


@without_collector()
def plan_run(found: FoundVideos, input_dir: Path, ledger: Ledger, fingerprint: str, options: RunOptions) -> Plan:
    """Sorts the videos by what is known of them. Reads nothing of any file but its size and times."""
    plan = Plan()
    for video in found.videos:
        path = str(video.relative_path)
        if video.absent and (last := ledger.records.get(path)) and last.score:
            # What was found out about it stays; as a failure it would be lost.
            plan.gone.append((last, replace(video, file_bytes=last.identity.size, mtime_ns=last.identity.mtime_ns)))
            continue
        record = None if options.rescan else ledger.reusable(path, video.identity, video.kind(fingerprint))
        if record and not _is_tried_again(record, options):
            plan.known.append((record, video))
            continue
        reason = _unsettled(video, options.settle_seconds)
        if reason:
            plan.pending.append(SkippedPath(video.path, reason))
        elif options.limit is not None and plan.to_score >= options.limit:
            plan.left_for_later += 1
        elif ledger.under_way.get(path) == video.identity or (record and record.failure in TRIED_ALONE):
            plan.alone.append(video)
        else:
            plan.new.append(video)
    listed = {str(video.relative_path) for video in found.videos}
    sources = {video.source for video in found.videos}
    unread = {str(skipped.path) for skipped in found.unreadable}
    for path in ledger.records:
        if path in listed:
            continue
        source = ledger.source_of(path)
        if found.from_manifest:
            video = video_at(location_of(PurePosixPath(source), input_dir), input_dir)
        elif source in listed or source in sources or not os.path.lexists(input_dir / source):
            # Another file may have its place.
            video = VideoFile(input_dir / source, PurePosixPath(path), 0)
        else:
            # What is there but not listed (in a subfolder, without --recursive) is not looked at in this run.
            continue
        if source != path:
            video = replace(video, relative_path=PurePosixPath(path), source=source)
        if unread and (video.location in unread or any(str(folder) in unread for folder in video.path.parents)):
            video = replace(video, unseen=True)
        if record := ledger.records.get(path):
            plan.gone.append(
                (record, replace(video, file_bytes=record.identity.size, mtime_ns=record.identity.mtime_ns))
            )
    return plan


def carry_out(
    plan: Plan,
    job: VideoJob,
    load: Callable[[], Score],
    *,
    workers: int,
    isolate: bool,
    stop: StopFlag,
    on_result: Callable[[VideoResult], None],
) -> Outcome:
    """``on_result`` is called for each video in this thread, first for all that are known.

    ``load`` makes the scorer of a child process; ``isolate``: every worker has one of its own. Videos whose process
    died with others under way are tried once more at the end, alone.
    """
    resting, moving = _recall_resting(plan, job, stop, on_result)
    records = {id(video): (record, gone) for record, video, gone in moving}
    taken_along: list[VideoFile] = []
    with ChildScorers(load) as children:
        alone = replace(job, score=children.score)

        def work(video: VideoFile) -> VideoResult:
            if id(video) in records:
                record, gone = records[id(video)]
                idle = job.timeout_seconds
                return recall_video(record, video, job.rules, stop, gone=gone, idle_seconds=idle)
            try:
                return process_video(video, alone if isolate else job, stop)
            except TakenAlongError:
                taken_along.append(video)
                raise Interrupted from None

        def overdue() -> list[VideoResult]:
            return [report_hung(video, job) for video in job.watch.take_hung()]

        videos = [*(video for _, video, _ in moving), *plan.new]
        batch = run_in_threads(videos, work, workers=workers, stop=stop, on_result=on_result, overdue=overdue)
        last = run_in_threads(
            [*plan.alone, *taken_along],
            lambda video: process_video(video, alone, stop),
            workers=1,
            stop=stop,
            on_result=on_result,
        )
    done = [*resting, *batch.results]
    results = [*done, *last.results, *_not_reached(plan, job, done)]
    finished = [result for result in results if result.status != "pending"]
    changing = [SkippedPath(result.location, result.error) for result in results if result.status == "pending"]
    pending = sorted([*plan.pending, *changing], key=lambda skipped: str(skipped.path))
    return Outcome(in_path_order(finished), pending, batch.abandoned + last.abandoned)


@without_collector()
def _recall_resting(
    plan: Plan, job: VideoJob, stop: StopFlag, on_result: Callable[[VideoResult], None]
) -> tuple[list[VideoResult], list[tuple[VideoRecord, VideoFile, bool]]]:
    """Results of the known videos whose files are where they belong, and the other known ones, with whether each is
    gone.

    Thousands of them take less time here than to be handed to another thread and back.
    """
    rules = job.rules
    places = RestingPlaces(rules.folders, rules.ledger, rules.place) if rules.folders else None
    resting, moving = [], []
    for videos, gone in ((plan.known, False), (plan.gone, True)):
        for record, video in videos:
            result = None if stop.stopped else recall_resting(record, video, rules, places, gone=gone)
            if result is None:
                moving.append((record, video, gone))
            else:
                resting.append(result)
                on_result(result)
    return resting, moving


def _not_reached(plan: Plan, job: VideoJob, results: Sequence[VideoResult]) -> list[VideoResult]:
    """What is known of videos that a stopped run did not reach: in the results all the same, placed by the next run."""
    reached = {result.relative_path for result in results}
    rules = replace(job.rules, folders=None)
    return [
        recall_video(record, video, rules, StopFlag(), gone=gone)
        for known, gone in ((plan.known, False), (plan.gone, True))
        for record, video in known
        if video.relative_path not in reached
    ]


def in_path_order(results: Sequence[VideoResult]) -> list[VideoResult]:
    """The order of ``find_videos``."""
    return sorted(results, key=lambda result: (str(result.path), str(result.relative_path)))


def _is_tried_again(record: VideoRecord, options: RunOptions) -> bool:
    return record.failure in TRIED_AGAIN or (bool(record.failure) and options.retry_failed)


def _unsettled(video: VideoFile, settle_seconds: float) -> str:
    """Why the video has to wait; empty when it has not."""
    try:
        seconds = seconds_until_settled(video.path, settle_seconds) if settle_seconds else 0.0
    except OSError:
        # Gone since the listing: its failure is noted when its turn comes.
        return ""
    return "it changed a moment ago" if seconds > 0 else ""

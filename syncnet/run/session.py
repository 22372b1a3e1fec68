"""One run over a folder: what is known stays, what is new is scored, all of it is judged and placed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from syncnet.engines.conclusion import recall_resting
from syncnet.engines.isolated import ChildScorers, TakenAlongError
from syncnet.engines.serving import Score
from syncnet.engines.threads import run_in_threads
from syncnet.engines.video import VideoJob, process_video, recall_video, report_hung
from syncnet.inputs.discovery import SkippedPath, VideoFile
from syncnet.placement.resting import RestingPlaces
from syncnet.results import VideoResult
from syncnet.run.planning import Plan
from syncnet.state.records import VideoRecord
from syncnet.system.collector import without_collector
from syncnet.system.interruption import Interrupted, StopFlag


@dataclass(frozen=True)
class Outcome:
    """What a run came to."""

    results: list[VideoResult]
    """In path order."""
    pending: list[SkippedPath]
    abandoned: int
    """Threads that did not end; the process must end without waiting for them."""


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

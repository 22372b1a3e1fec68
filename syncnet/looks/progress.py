"""Making overlay videos, kept outputs and previews while somebody watches: a bar, and a line for each problem."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tqdm import tqdm

from syncnet.engines.activity import Activities
from syncnet.inputs.paths import job_of
from syncnet.looks.making import LookJob, Made, choose_videos, make_looks, remove_old_previews
from syncnet.report.live import LiveLines
from syncnet.report.run import Run
from syncnet.report.summary import whole_path
from syncnet.system.interruption import StopFlag
from syncnet.system.log import Log
from syncnet.system.text import printable


def make_looks_with_progress(run: Run, job: LookJob, stop: StopFlag, *, workers: int, log: Log, quiet: bool) -> Made:
    """Makes what was asked for. Problems go to stderr, also where it is to be quiet."""
    videos = choose_videos(run.results, job)
    remove_old_previews(run.results, job)
    activities = Activities()
    with progress_bar(0 if quiet else len(videos), "drawing", activities) as advance:
        made = make_looks(videos, job, stop, workers=workers, on_done=advance, activities=activities)
    for result, problem in made.problems:
        line = f"no overlay, outputs or preview: {problem}"
        log.error(f"{result.relative_path}: {line}")
        # Where it is to be quiet it is read in a mail.
        name, job_words = (whole_path(result), job_of(run.folders.output_dir)) if quiet else (result.relative_path, "")
        with contextlib.suppress(OSError):
            print(printable(f"{name}: {line}{job_words}"), file=sys.stderr, flush=True)
    for line in describe_looks(made, job):
        log.info(line)
    return made


def describe_looks(made: Made, job: LookJob) -> list[str]:
    """Where what was asked for is to be found, a line each."""
    lines = []
    if job.options.visualize != "none":
        lines.append(f"Overlay videos: {printable(str(job.overlays_dir))} ({made.overlays})")
    if job.options.save_outputs:
        lines.append(f"Kept outputs: {printable(str(job.outputs_dir))} ({made.outputs})")
    if job.options.previews:
        lines.append(f"Previews: {printable(str(job.folders.previews_dir))} ({made.previews})")
    return lines


@contextmanager
def progress_bar(total: int, what: str, activities: Activities | None = None) -> Iterator[Callable[[object], object]]:
    """What is to be called for each video that is done; nothing is shown where nobody looks, and for a total of 0.

    ``activities``: what is under way has a line each below the bar.
    """
    if not total or not sys.stderr.isatty():
        yield bool
        return
    with tqdm(total=total, unit="video", desc=what, dynamic_ncols=True) as bar, contextlib.ExitStack() as stack:
        if activities is not None:
            stack.enter_context(contextlib.closing(LiveLines(activities.now)))
        yield lambda _: bar.update()

"""Cutting clips while somebody watches: a bar on stderr, and a line for each problem."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Any

from syncnet.inputs.paths import job_of
from syncnet.looks.progress import progress_bar
from syncnet.system.interruption import StopFlag
from syncnet.system.text import printable
from syncnet.takeaway.clips import CutJob
from syncnet.takeaway.making import Cuts, make_cuts


def make_cuts_with_progress(
    entries: Sequence[dict[str, Any]],
    job: CutJob,
    stop: StopFlag,
    *,
    workers: int,
    quiet: bool,
    note: Callable[[str], object] = bool,
) -> Cuts:
    """``note``: gets each problem too. Problems go to stderr, also where it is to be quiet."""
    with progress_bar(0 if quiet else len(entries), "cutting") as advance:
        cuts = make_cuts(entries, job, stop, workers=workers, on_done=advance)
    of_job = job_of(job.folders.output_dir) if quiet else ""
    for name, problem in cuts.problems:
        line = f"{name}: {problem}"
        note(line)
        with contextlib.suppress(OSError):
            print(printable(line + of_job), file=sys.stderr, flush=True)
    return cuts


def describe_cuts(cuts: Cuts, job: CutJob) -> list[str]:
    """Where the clips are, and what became of others, a line each."""
    facts = [
        f"{cuts.there:,} of {cuts.videos:,} {'video' if cuts.videos == 1 else 'videos'}",
        f"{cuts.cut_now:,} cut now",
    ]
    facts += [f"{cuts.removed} no longer asked for and removed"] if cuts.removed else []
    lines = [f"Cut clips: {printable(str(job.folders.segments_dir))} ({', '.join(facts)})"]
    if cuts.kept:
        lines.append(f"Clips that are no longer asked for, kept since their videos are gone: {cuts.kept}")
    return lines

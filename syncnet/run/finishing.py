"""From what became of each video to the run as it is told of."""

from __future__ import annotations

from dataclasses import replace

from syncnet.engines.video import VideoJob
from syncnet.report.run import Run
from syncnet.run.calibrating import try_other_sounds
from syncnet.run.deciding import useless_decisions
from syncnet.run.repairing import repair_run
from syncnet.run.session import Outcome
from syncnet.settings import Request
from syncnet.system.interruption import StopFlag


def finish_run(run: Run, outcome: Outcome, request: Request, job: VideoJob, stop: StopFlag, seconds: float) -> Run:
    """The run with its results, and with what is repaired. ``seconds``: how long it took until now."""
    run = replace(
        run,
        pending=outcome.pending,
        notices=(*useless_decisions(run.decisions, outcome.results), *run.notices),
        interrupted=stop.stopped,
        complete=True,
        seconds=seconds,
    ).with_results(outcome.results)
    run = try_other_sounds(run, request, stop) if request.calibrate else run
    return repair_run(run, request, job, stop)

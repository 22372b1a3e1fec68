"""What is made when a run has told its results: overlay videos, kept outputs, cut clips."""

from __future__ import annotations

from syncnet.engines.threads import share_cores
from syncnet.report.entries import describe_results
from syncnet.report.run import Run
from syncnet.run.output import tell, write_page_again
from syncnet.settings import Request
from syncnet.state.ledger import Ledger
from syncnet.system.interruption import EXIT_SOME_FAILED, StopFlag
from syncnet.system.log import Log


def make_the_rest(run: Run, request: Request, ledger: Ledger, workers: int, stop: StopFlag, log: Log) -> int:
    """Makes what was asked for, unless the run was stopped, and gives the exit code that it asks for; 0 for none."""
    code = 0
    if request.looks.any and not run.interrupted:
        code = _look_back(run, request, workers, stop, log)
    if request.cuts.cut != "none" and not run.interrupted and not stop.stopped:
        code = _cut(run, request, ledger, workers, stop, log) or code
    return code


def _look_back(run: Run, request: Request, workers: int, stop: StopFlag, log: Log) -> int:
    """Makes overlay videos and kept outputs, and gives the exit code that they ask for."""
    # They load a decoder, which most runs over known videos do without.
    from syncnet.looks.making import LookJob
    from syncnet.looks.progress import describe_looks, make_looks_with_progress

    threads, settings = share_cores(workers), request.settings
    job = LookJob(request.looks, run.folders, settings.thresholds.min_confidence, settings.media, threads)
    made = make_looks_with_progress(run, job, stop, workers=request.max_workers, log=log, quiet=request.quiet)
    if not request.quiet:
        tell("".join(f"{line}\n" for line in describe_looks(made, job)), request)
    if made.overlays and request.report.page:
        write_page_again(run, request)
    if made.interrupted:
        return stop.exit_code
    return EXIT_SOME_FAILED if made.problems else 0


def _cut(run: Run, request: Request, ledger: Ledger, workers: int, stop: StopFlag, log: Log) -> int:
    """Cuts the clips that were asked for, and gives the exit code that they ask for."""
    from syncnet.takeaway.clips import CutJob
    from syncnet.takeaway.progress import describe_cuts, make_cuts_with_progress

    uris = {str(result.relative_path): result.uri for result in run.results if result.uri}
    threads = share_cores(workers)
    job = CutJob(request.cuts, run.folders, ledger.identity_of, uris, request.settings.media, threads)
    entries, quiet = describe_results(run.results), request.quiet
    cuts = make_cuts_with_progress(entries, job, stop, workers=request.max_workers, quiet=quiet, note=log.error)
    lines = describe_cuts(cuts, job)
    for line in lines:
        log.info(line)
    if not quiet:
        tell("".join(f"{line}\n" for line in lines), request)
    if cuts.interrupted:
        return stop.exit_code
    return EXIT_SOME_FAILED if cuts.problems else 0

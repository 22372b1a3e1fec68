"""The command: folder in, sorted folders, results file, summary and exit code out."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

from syncnet.cli.request import parse_request
from syncnet.cli.subcommands import find_subcommand
from syncnet.errors import UsageError
from syncnet.inputs.paths import job_of
from syncnet.placement.folders import OutputFolders, prepare_folders, remove_leftovers
from syncnet.run.engine_choice import Engine, idle_engine, on_this_machine, open_engine, pin_of, shared_child
from syncnet.run.output import Written, print_run, write_run
from syncnet.scorer import SyncScorer
from syncnet.settings import Request, ScorerSettings
from syncnet.state.pinning import begun_with, pin_choice
from syncnet.system.interruption import (
    EXIT_INTERRUPTED,
    StopFlag,
    end_on_sigterm,
    ignore_signals,
    stop_on_signals,
)
from syncnet.system.invocation import PROGRAM, install_requirements
from syncnet.system.locking import EXIT_LOCKED, LockedError, hold
from syncnet.system.log import Log
from syncnet.system.streams import prepare_streams
from syncnet.system.text import format_duration, printable

if TYPE_CHECKING:
    from syncnet.decisions.file import Entry
    from syncnet.engines.serving import Score
    from syncnet.inputs.discovery import FoundVideos
    from syncnet.report.opening import OpeningLine
    from syncnet.report.run import Run
    from syncnet.results import VideoResult
    from syncnet.run.planning import Plan
    from syncnet.stages import ChosenStages
    from syncnet.state.ledger import Ledger

EXIT_WRONG_USAGE = 2
EXITS_OF_STOPS = (128 + signal.SIGINT, 128 + signal.SIGTERM)


@dataclass(frozen=True)
class Audience:
    """Who gets the results of a run, and who stops it: the terminal, or a program (syncnet/api.py)."""

    on_end: Callable[[Run, Request, Written], object] = print_run
    """Called once, when all files of the run are written. False: what was asked for could not be told."""
    on_result: Callable[[VideoResult], object] = bool
    """Called for each video; by default with no effect."""
    stopping: Callable[[], AbstractContextManager[StopFlag]] = stop_on_signals
    own_process: bool = False
    """Whether this process is the command's own. Then another one scores, which a video may take along. It begins by
    importing the main module again, which a program of somebody else may not be made for."""


@dataclass(frozen=True)
class Finished:
    """What a run came to."""

    run: Run
    written: Written
    code: int
    """For the process to end with."""
    abandoned: int
    """Threads that hang inside a decoder."""


def run_as_process(arguments: Sequence[str] | None = None) -> NoReturn:
    """``main`` for a process of its own: ends it with the exit code."""
    prepare_streams()
    code = main(arguments, own_process=True)
    ignore_signals()
    if code in EXITS_OF_STOPS:
        # All is written and closed. Taking torch down takes a second, on a busy machine ten, and a stop is waited for.
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def main(arguments: Sequence[str] | None = None, *, own_process: bool = False) -> int:
    """Runs the command and returns its exit code; ``--help`` lists them. ``own_process``: see ``Audience``."""
    for stream in filter(None, (sys.stdout, sys.stderr)):
        # A terminal that cannot show a letter of a name is no reason to stop.
        stream.reconfigure(errors="backslashreplace")
    log = Log(None)
    quiet, request = False, None
    given = sys.argv[1:] if arguments is None else arguments
    try:
        subcommand = find_subcommand(given, own_process=own_process)
        if subcommand is not None:
            with end_on_sigterm():
                return subcommand()
        request = parse_request(given)
        with end_on_sigterm(), _cleared_away(request):
            log = Log(request.options.log_file, request.terminal.log_format)
            # An earlier run that is still at work is no failure, and the log has the line.
            quiet = request.options.cron and request.options.log_file is not None
            return _run(request, log, Audience(own_process=own_process))
    except LockedError as error:
        log.info(str(error))
        if not quiet:
            print(f"{PROGRAM}: {printable(str(error))}", file=sys.stderr)
        return EXIT_LOCKED
    except UsageError as error:
        return _refuse(f"{error}{_job(request)}", log)
    except ImportError as error:
        return _refuse(f"{error}: {install_requirements()}", log)
    except KeyboardInterrupt:
        # Before the first video: there is nothing to keep.
        return EXIT_INTERRUPTED
    finally:
        log.close()


@contextlib.contextmanager
def _cleared_away(request: Request) -> Iterator[None]:
    try:
        yield
    finally:
        if request.temporary_output:
            shutil.rmtree(request.output_dir, ignore_errors=True)


def _job(request: Request | None) -> str:
    """For the reader of a mail, who may have several of them."""
    return job_of(request.output_dir) if request and request.options.cron else ""


def _refuse(problem: str, log: Log) -> int:
    log.error(problem)
    # A name with a line break in it must not make two lines.
    print(f"{PROGRAM}: error: {printable(problem)}", file=sys.stderr)
    return EXIT_WRONG_USAGE


def load_scorer(settings: ScorerSettings, workers: int) -> Score:
    """What a child process scores with; the models are loaded."""
    from syncnet.stages import choose_stages

    return SyncScorer(settings, stages=choose_stages(settings, workers).load()).measure


def _run(request: Request, log: Log, audience: Audience) -> int:
    finished = run_folder(request, log, audience)
    if finished.abandoned:
        # A thread that hangs inside a decoder would be waited for at the end of the interpreter.
        sys.stdout.flush()
        sys.stderr.flush()
        log.close()
        os._exit(finished.code)
    return finished.code


def run_folder(request: Request, log: Log, audience: Audience) -> Finished:
    """Scores, judges and places what the request names, and leaves the files that tell of it. Raises UsageError."""
    from syncnet.report.opening import OpeningLine, model_for_new_folder
    from syncnet.report.table import check_table_format
    from syncnet.run.foreign import refuse_foreign_outputs
    from syncnet.run.inputs import find_inputs, note_list, read_given, read_list, with_one_video, work_folder

    check_table_format(request.report.table)
    request = with_one_video(request)
    listed, given = read_list(request), read_given(request)
    refuse_foreign_outputs(request, work_folder(request))
    folders = prepare_folders(request.searched_dir, work_folder(request), keep_all=request.keep_all)
    with hold(folders.state_dir / "lock"), OpeningLine(quiet=request.quiet) as opening:
        remove_leftovers(folders)
        found = find_inputs(request, folders, listed)
        opening.tell_found(found, request, model_for_new_folder(request, folders, found))
        note_list(request, folders, listed)
        finished = _run_over(request, folders, found, given, opening, log, audience)
    seconds, code = finished.run.seconds, finished.code
    told = f"finished with exit code {code} after {format_duration(seconds)}"
    log.info(told, exit_code=code, seconds=round(seconds, 3))
    return finished


def _run_over(
    request: Request,
    folders: OutputFolders,
    found: FoundVideos,
    given: Sequence[Entry],
    opening: OpeningLine,
    log: Log,
    audience: Audience,
) -> Finished:
    # From here on libraries are loaded: it has been said that something is under way.
    from syncnet.run.afterwards import make_the_rest
    from syncnet.run.calibrating import score_again_without_embeddings
    from syncnet.run.continued import go_on_with
    from syncnet.run.deciding import decide
    from syncnet.run.finishing import exit_code_of
    from syncnet.run.planning import plan_run
    from syncnet.run.preparation import run_fingerprint
    from syncnet.run.pruning import prune_if_asked
    from syncnet.run.renaming import take_up_changes
    from syncnet.stages import choose_stages
    from syncnet.state.ledger import open_ledger

    workers = max(1, min(request.max_workers, len(found.videos)))
    with open_ledger(folders.state_dir / "ledger.jsonl") as ledger, contextlib.ExitStack() as stack:
        begun = begun_with(folders.output_dir, folders.results_path) if ledger.has_scores else None
        request, kept = go_on_with(request, begun)
        chosen = choose_stages(on_this_machine(request), workers)
        pin_choice(folders.output_dir, folders.results_path, pin_of(chosen), scored=ledger.has_scores)
        changes = take_up_changes(found, request, folders, ledger)
        pruned = prune_if_asked(changes, request, folders, ledger)
        plan = plan_run(changes, run_fingerprint(request.settings, chosen), request.options)
        plan.pruned = pruned
        if request.calibrate:
            score_again_without_embeddings(plan, folders.state_dir)
        opening.tell_work(chosen.model.name, known=len(plan.known), to_score=plan.to_score)
        plan.decisions, told = decide(request, given, folders, found, ledger)
        told = (*changes.listing.notices([video for _, video in plan.gone]), *told)
        # Models are loaded, and a cluster is called, where there is something to score.
        load = partial(load_scorer, request.settings, workers)
        child = shared_child(request, load, log) if audience.own_process else None
        opened = open_engine(request, chosen, workers, len(found.videos), child)
        engine = stack.enter_context(opened if plan.to_score or request.repair.repair else idle_engine(workers))
        stop = stack.enter_context(audience.stopping())
        run, abandoned = _process(
            request, folders, found, chosen, ledger, plan, engine, stop, log, audience.on_result, (*told, *kept)
        )
        written = write_run(run, request)
        told_all = audience.on_end(run, request, written) is not False
        for problem in written.problems:
            log.error(problem)
        code = stop.exit_code if run.interrupted else exit_code_of(run, results_written=written.results and told_all)
        code = make_the_rest(run, request, ledger, workers, stop, log) or code
    return Finished(run, written, code, abandoned)


def _process(
    request: Request,
    folders: OutputFolders,
    found: FoundVideos,
    chosen: ChosenStages,
    ledger: Ledger,
    plan: Plan,
    engine: Engine,
    stop: StopFlag,
    log: Log,
    on_result: Callable[[VideoResult], object],
    told: tuple[str, ...],
) -> tuple[Run, int]:
    """The finished run, and how many threads it left behind."""
    from syncnet.report.command_line import command_of
    from syncnet.report.keeper import ResultsKeeper
    from syncnet.report.progress import Progress
    from syncnet.run.finishing import finish_run
    from syncnet.run.preparation import describe_run, make_job
    from syncnet.run.session import carry_out

    started = time.perf_counter()
    run = describe_run(request, folders, found, chosen, ledger, plan, told)
    if request.options.rescan:
        ledger.forget()
    job = make_job(request, folders, chosen, ledger, engine, plan.decisions)
    if engine.remote:
        plan.new, plan.alone = [*plan.new, *plan.alone], []
    keeper = ResultsKeeper(replace(run, pending=plan.pending), command_of(request), page=request.report.page)
    why_not = plan.why_not(request.options.settle_seconds)
    log.info(f"{plan.to_score} of {len(found.videos)} videos in {request.input_name} to be scored{why_not}")
    said = {"quiet": request.quiet, "verbose": request.terminal.verbose, "answered": request.one_video}
    least = request.settings.thresholds.min_confidence
    with Progress(plan.to_score, log, **said, min_confidence=least, activities=job.activities.now) as progress:

        def add(result: VideoResult) -> None:
            keeper.add(result)
            if not result.missing:
                progress.show(result)
                on_result(result)

        outcome = carry_out(
            plan,
            job,
            partial(load_scorer, request.settings, engine.workers),
            workers=engine.workers,
            isolate=request.options.isolate and not engine.remote,
            stop=stop,
            on_result=add,
        )
    seconds = time.perf_counter() - started
    return finish_run(run, outcome, request, job, stop, seconds), outcome.abandoned

"""The end of a run: its files are written, and its summary is printed."""

from __future__ import annotations

import contextlib
import errno
import shutil
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncnet.inputs.paths import absolute, job_of
from syncnet.settings import Request
from syncnet.system.invocation import PROGRAM
from syncnet.system.streams import print_out, write_out
from syncnet.system.text import printable

if TYPE_CHECKING:
    from syncnet.report.run import Run

PLAIN_WIDTH = 100
"""Columns of the summary where stdout is no terminal."""


@dataclass(frozen=True)
class Written:
    """What a run left beside the videos."""

    results: bool
    """Whether the results file could be written."""
    pages: tuple[Path, ...]
    """The report page, where it was asked for and could be written."""
    problems: tuple[str, ...]
    """A sentence for each file that could not be."""
    document: dict[str, Any] = field(default_factory=dict)
    """The results as they were written, where they are to be printed."""


def write_run(run: Run, request: Request) -> Written:
    """Writes results, table and page; what cannot be written is told, and keeps no other file back."""
    from syncnet.report.command_line import command_of
    from syncnet.report.outputs import write_outputs
    from syncnet.report.results import build_results, write_results

    document = build_results(run)
    problems, told = list(run.pruned.problems), True
    try:
        write_results(document, run.folders.results_path)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cure = "free some space and run again" if full else "check the output disk, then run again"
        told = False
        problems.append(f"cannot write {absolute(run.folders.results_path)}: {error.strerror}: {cure}")
    command = command_of(request)
    pages, unwritten = write_outputs(run, document, command, table=request.report.table, page=request.report.page)
    answer = document if request.terminal.json else {}
    return Written(told, tuple(pages), (*problems, *unwritten), answer)


def write_page_again(run: Run, request: Request) -> None:
    """When looks were made, to which the page has links. Where it cannot be written the old one stays."""
    from syncnet.report.command_line import command_of
    from syncnet.report.content import content_of_run
    from syncnet.report.names import PAGE_NAME
    from syncnet.report.page import write_page

    command = command_of(request)
    with contextlib.suppress(OSError):
        write_page(content_of_run(run, command, round(time.time(), 3)), run.folders.output_dir / PAGE_NAME)


def print_run(run: Run, request: Request, written: Written) -> bool:
    """Prints the summary, or as much of it as was asked for. False where the JSON could not be written whole."""
    from syncnet.report.calibration import format_calibration
    from syncnet.report.summary import format_alarms

    unwritten = _print_json(run, request, written) if request.terminal.json else ""
    if request.calibrate:
        print_out(format_calibration(run, request.base_dir))
    elif request.quiet:
        for line in format_alarms(run):
            print(f"{PROGRAM}: {line}", file=sys.stderr)
    elif not request.terminal.json:
        _print_summary(run, request, written)
    job = job_of(request.output_dir) if request.quiet else ""
    for problem in filter(None, (*written.problems, unwritten)):
        print(f"{PROGRAM}: error: {printable(problem + job)}", file=sys.stderr)
    return not unwritten


def _print_json(run: Run, request: Request, written: Written) -> str:
    """What is wrong, if anything is."""
    from syncnet.report.answer import describe_answer
    from syncnet.report.results import as_json

    document = describe_answer(written.document, run) if request.one_video else written.document
    try:
        write_out(piece.encode("ascii") for piece in as_json(document, ascii_only=True))
    except OSError as error:
        return f"cannot write to stdout: {error.strerror}: check that it can be written"
    return ""


def _print_summary(run: Run, request: Request, written: Written) -> None:
    from syncnet.repair.wording import format_repairs
    from syncnet.report.answer import format_answer
    from syncnet.report.colours import palette_for
    from syncnet.report.command_line import command_of
    from syncnet.report.summary import format_summary

    if request.one_video:
        # Who asks is still in the folder that the command starts from.
        command = replace(command_of(request), directory="")
        if request.temporary_output:
            print_out(format_answer(run, command))
        else:
            print_out(format_answer(run, command, str(request.output_dir)))
            print_out(f"Results: {printable(str(run.folders.results_path))}\n")
    else:
        width = shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns
        print_out(format_summary(run, width, palette_for(sys.stdout)))
    if request.repair.repair:
        print_out(format_repairs(run.repaired))
    print_out("".join(f"Report:  {printable(str(page))}\n" for page in written.pages))


def tell(text: str, request: Request) -> None:
    """To stdout; to stderr where stdout is for the results as JSON."""
    if request.terminal.json:
        print(text, end="", file=sys.stderr, flush=True)
    else:
        print_out(text)

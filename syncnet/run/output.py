"""The end of a run: its files are written, and its summary is printed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from syncnet.settings import Request
from syncnet.system.invocation import PROGRAM
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


def write_run(run: Run, request: Request) -> Written:
    """Writes results, table and page; what cannot be written is told, and keeps no other file back."""
    from syncnet.report.command_line import command_of
    from syncnet.report.outputs import write_outputs
    from syncnet.report.results import build_results, write_results

    document = build_results(run)
    problems = []
    try:
        write_results(document, run.folders.results_path)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        cure = "free some space and run again" if full else "check the output disk, then run again"
        problems.append(f"cannot write {run.folders.results_path}: {error.strerror}: {cure}")
    command = command_of(request)
    pages, unwritten = write_outputs(run, document, command, table=request.report.table, page=request.report.page)
    return Written(not problems, tuple(pages), (*problems, *unwritten))


def write_page_again(run: Run, request: Request) -> None:
    """When looks were made, to which the page has links. Where it cannot be written the old one stays."""
    from syncnet.report.command_line import command_of
    from syncnet.report.content import content_of_run
    from syncnet.report.page import PAGE_NAME, write_page

    command = command_of(request)
    with contextlib.suppress(OSError):
        write_page(content_of_run(run, command, round(time.time(), 3)), run.folders.output_dir / PAGE_NAME)


def print_run(run: Run, request: Request, written: Written) -> None:
    """Prints the summary, or as much of it as was asked for."""
    from syncnet.repair.wording import format_repairs
    from syncnet.report.calibration import format_calibration
    from syncnet.report.colours import palette_for
    from syncnet.report.summary import format_alarms, format_summary

    if request.calibrate:
        print_out(format_calibration(run, request.base_dir))
    elif request.quiet:
        for line in format_alarms(run):
            print(f"{PROGRAM}: {line}", file=sys.stderr)
    else:
        width = shutil.get_terminal_size((PLAIN_WIDTH, 0)).columns
        print_out(format_summary(run, width, palette_for(sys.stdout)))
        if request.repair.repair:
            print_out(format_repairs(run.repaired))
        print_out("".join(f"Report:  {printable(str(page))}\n" for page in written.pages))
    for problem in written.problems:
        print(f"{PROGRAM}: error: {printable(problem)}", file=sys.stderr)


def print_out(text: str) -> None:
    """To stdout, whose reader may have gone."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        # The reader (`| head`) has gone. Python would complain again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

"""What a run writes beside the results file: tables and page. None of it changes a verdict or an exit code."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from syncnet.inputs.paths import absolute
from syncnet.report.command_line import COMMAND_NAME, CommandLine, note_command
from syncnet.report.content import content_of_run
from syncnet.report.names import NEW_PASSING_NAME, PAGE_NAME
from syncnet.report.new_passing import write_new_passing
from syncnet.report.ownership import is_own
from syncnet.report.page import write_page
from syncnet.report.run import Run
from syncnet.report.segments_table import (
    SEGMENTS_CSV_NAME,
    SEGMENTS_PARQUET_NAME,
    write_segments_csv,
    write_segments_parquet,
)
from syncnet.report.table import CSV_NAME, PARQUET_NAME, write_csv, write_parquet


def write_outputs(
    run: Run, document: dict[str, Any], command: CommandLine, *, table: str, page: bool
) -> tuple[list[Path], list[str]]:
    """Writes what is wanted, each on its own.

    Returns the page, where it was written, and a sentence for each file that could not be.
    """
    folder = run.folders.output_dir
    writers: list[tuple[Path, Callable[[Path], None]]] = [
        (run.folders.state_dir / COMMAND_NAME, partial(note_command, command=command)),
        (folder / CSV_NAME, partial(write_csv, document)),
        (folder / SEGMENTS_CSV_NAME, partial(write_segments_csv, document["results"])),
        (folder / NEW_PASSING_NAME, partial(write_new_passing, run)),
    ]
    if table == "parquet":
        writers.append((folder / PARQUET_NAME, partial(write_parquet, document)))
        writers.append((folder / SEGMENTS_PARQUET_NAME, partial(write_segments_parquet, document["results"])))
    if page:
        writers.append((folder / PAGE_NAME, partial(write_page, content_of_run(run, command, document["timestamp"]))))
    written, problems = [], []
    for path, write in writers:
        try:
            if path.name != COMMAND_NAME and not is_own(path):
                # It came while the run was under way.
                raise FileExistsError(errno.EEXIST, "it was not written by this tool")
            write(path)
            written.append(path)
        except OSError as error:
            problems.append(f"cannot write {absolute(path)}: {error.strerror}; verdicts and results are not affected")
    return [path for path in written if path.name == PAGE_NAME], problems

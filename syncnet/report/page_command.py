"""``report``: the page again, from what the last run stored; no video is opened."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from syncnet.cli import PROGRAM, Parser
from syncnet.errors import UsageError
from syncnet.locking import hold
from syncnet.placement_folders import OutputFolders
from syncnet.report.page import PAGE_NAME, write_page
from syncnet.report.told import read_told

DESCRIPTION = """\
Writes OUTPUT_DIR/report.html again, the page that each run leaves: after an update of this tool, or after runs with
--report off. Scores, verdicts and videos are left alone.
"""


def main(arguments: Sequence[str]) -> int:
    """Exit code 0. Raises UsageError, and LockedError while a run is at work in the folder."""
    options = _build_parser().parse_args(arguments)
    folders = OutputFolders(options.output_dir)
    if not folders.results_path.is_file():
        raise UsageError(f"{folders.results_path}: no such file", cure="give the --output_dir of an earlier run")
    with hold(folders.state_dir / "lock"):
        told = read_told(folders)
        page_path = folders.output_dir / PAGE_NAME
        try:
            write_page(told, page_path)
        except OSError as error:
            raise UsageError(
                f"cannot write {page_path}: {error.strerror}", cure="see that it can be written"
            ) from error
    print(page_path)
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = Parser(prog=f"{PROGRAM} report", description=DESCRIPTION)
    parser.add_argument(
        "--output_dir", "--output-dir", type=Path, required=True, metavar="DIR", help="of an earlier run"
    )
    return parser

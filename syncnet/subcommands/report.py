"""``report``: the page again, and the contact sheet, from what the last run stored; no video is opened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.placement.folders import OutputFolders
from syncnet.report.content import ReportContent, read_content
from syncnet.report.montage import check_matplotlib, write_montage
from syncnet.report.names import MONTAGE_NAME, PAGE_NAME
from syncnet.report.ownership import refuse_foreign
from syncnet.report.page import write_page
from syncnet.system.argument_parser import Parser
from syncnet.system.invocation import PROGRAM

MOST_TURNS = 3
"""Where the results change meanwhile, the page of the run that wrote them must not be replaced by an older one."""
DESCRIPTION = """\
Writes OUTPUT_DIR/report.html again. Use it after an update of this tool, or after runs with --report off. It changes no
score, no verdict and no video. --montage also writes OUTPUT_DIR/report/montage.png, a contact sheet of the videos
nearest to the thresholds.
"""


def main(arguments: Sequence[str]) -> int:
    """Exit code 0. Raises UsageError.

    It holds no lock: a run may be at work in the folder, and none may be kept from it.
    """
    options = build_parser().parse_flags(arguments)
    folders = OutputFolders(options.output_dir)
    if not folders.results_path.is_file():
        if folders.state_dir.is_dir():
            problem = f"{folders.output_dir}: no video is finished yet"
            raise UsageError(problem, cure="wait for the first one of the run that is under way, or start it again")
        raise UsageError(f"{folders.results_path}: no such file", cure="give the --output_dir of an earlier run")
    writers: list[tuple[Path, Callable[[ReportContent, Path], object]]] = [(folders.output_dir / PAGE_NAME, write_page)]
    if options.montage:
        check_matplotlib()
        writers.append((folders.output_dir / MONTAGE_NAME, write_montage))
    for path, write in writers:
        refuse_foreign(path)
        for _ in range(MOST_TURNS):
            before = _identity(folders.results_path)
            content = read_content(folders)
            try:
                write(content, path)
            except OSError as error:
                raise UsageError(
                    f"cannot write {path}: {error.strerror}", cure="check that it can be written"
                ) from error
            if _identity(folders.results_path) == before:
                break
        print(path)
    return 0


def _identity(path: Path) -> tuple[int, int] | None:
    """Of the results file, which is replaced as a whole; None where it is gone."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns


def build_parser() -> Parser:
    parser = Parser(prog=f"{PROGRAM} report", description=DESCRIPTION)
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="output folder of an earlier run")
    parser.add_argument("--montage", action="store_true", help="also write the contact sheet; needs matplotlib")
    return parser

"""``export``: the ranges that the last run found, as lists that other programs read, and as cut clips."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from syncnet.engines.threads import share_cores
from syncnet.errors import UsageError
from syncnet.placement.folders import OutputFolders
from syncnet.report.ownership import mark_folder, refuse_foreign
from syncnet.report.segments_table import write_segments_csv, write_segments_parquet
from syncnet.report.table import check_table_format
from syncnet.report.typed_table import ROWS_A_PIECE
from syncnet.settings import DEFAULT_WORKERS, CutOptions, Request
from syncnet.settings.checks import fitted
from syncnet.settings.cuts import add_cut_flags
from syncnet.state.ledger import open_ledger
from syncnet.system.argument_parser import Parser
from syncnet.system.atomic import write_file
from syncnet.system.interruption import EXIT_SOME_FAILED, stop_on_signals
from syncnet.system.invocation import PROGRAM
from syncnet.system.locking import hold
from syncnet.system.plain import read_json
from syncnet.takeaway.clips import CutJob
from syncnet.takeaway.editors import check_editors, format_edl, format_otio
from syncnet.takeaway.exported import EXPORT_DIR, TABLES, list_path
from syncnet.takeaway.progress import describe_cuts, make_cuts_with_progress
from syncnet.takeaway.ranges import Chosen, RangedVideo, find_ranges
from syncnet.takeaway.webvtt import format_webvtt

DESCRIPTION = """\
Writes the ranges of all videos that are in sync, from what the last run stored, to OUTPUT_DIR/export/. csv, jsonl and
parquet: one table, segments.EXT. webvtt, otio, edl: a file for each video, NAME.EXT, for players and editing programs.
With --cut also, or only, as clips (docs/take-away.md). No video is scored, and without --cut none is opened.
"""
A_VIDEO: dict[str, Callable[[RangedVideo], str]] = {"webvtt": format_webvtt, "otio": format_otio, "edl": format_edl}
"""Formats with a file for each video, and what writes it."""
FORMATS = (*TABLES, *A_VIDEO)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0; 1 where a clip could not be cut. Raises UsageError, and LockedError while a run is at work in the
    folder."""
    options = build_parser().parse_flags(arguments)
    cuts, workers = CutOptions.of_flags(vars(options)), fitted(Request, "max_workers", options.max_workers)
    if options.format is None and cuts.cut == "none":
        raise UsageError("nothing is asked for", cure="give --format, or --cut passing")
    folders = OutputFolders(options.output_dir)
    if not folders.results_path.is_file():
        raise UsageError(f"{folders.results_path}: no such file", cure="give the --output_dir of an earlier run")
    if options.format is not None:
        _check_libraries(options.format)
        refuse_foreign(folders.output_dir / EXPORT_DIR)
    if cuts.cut != "none":
        refuse_foreign(folders.segments_dir)
    with hold(folders.state_dir / "lock"):
        entries = _read_entries(folders.results_path)
        if options.format is not None:
            print(_write_lists(entries, options.format, options.segments, folders))
        return 0 if cuts.cut == "none" else _cut(entries, cuts, folders, workers)


def _write_lists(entries: list[dict[str, Any]], wanted: str, chosen: Chosen, folders: OutputFolders) -> str:
    """What was written, in words. Raises UsageError."""
    target = folders.output_dir / EXPORT_DIR
    videos = list(_ranged(entries, chosen, folders.results_path))
    try:
        target.mkdir(exist_ok=True)
        mark_folder(target)
        written = _write(entries, videos, wanted, chosen, target)
    except OSError as error:
        raise UsageError(f"cannot write {target}: {error.strerror}", cure="check that it can be written") from error
    return f"{sum(len(video.ranges) for video in videos)} segments of {len(videos)} videos: {written}"


def _cut(entries: list[dict[str, Any]], options: CutOptions, folders: OutputFolders, workers: int) -> int:
    """The exit code. Raises UsageError."""
    deque(_ranged(entries, "all", folders.results_path), maxlen=0)
    with open_ledger(folders.state_dir / "ledger.jsonl") as ledger, stop_on_signals() as stop:
        job = CutJob(options, folders, ledger.identity_of, threads=share_cores(workers))
        cuts = make_cuts_with_progress(entries, job, stop, workers=workers, quiet=False)
    print("\n".join(describe_cuts(cuts, job)))
    if cuts.interrupted:
        return stop.exit_code
    return EXIT_SOME_FAILED if cuts.problems else 0


def build_parser() -> Parser:
    parser = Parser(prog=f"{PROGRAM} export", description=DESCRIPTION)
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="output folder of an earlier run")
    parser.add_argument("--format", choices=FORMATS, help="of the lists; needed without --cut")
    parser.add_argument(
        "--segments",
        choices=("passing", "all"),
        default="passing",
        help="which: those that pass, or also those that do not, speech without a match and speech without a face "
        "(default: %(default)s)",
    )
    add_cut_flags(parser)
    parser.add_argument(
        "--max_workers",
        type=int,
        default=DEFAULT_WORKERS,
        metavar="N",
        help="videos that are cut in parallel (default %(default)s)",
    )
    return parser


def _check_libraries(wanted: str) -> None:
    check_table_format(wanted, "--format")
    if wanted in ("otio", "edl"):
        check_editors()


def _read_entries(path: Path) -> list[dict[str, Any]]:
    try:
        return cast("list[dict[str, Any]]", read_json(path.read_text(encoding="utf-8"))["results"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be read as a results file", cure="run the filter on the folder again"
        ) from error


def _ranged(entries: list[dict[str, Any]], chosen: Chosen, path: Path) -> Iterator[RangedVideo]:
    try:
        yield from find_ranges(entries, chosen)
    except (KeyError, TypeError) as error:
        raise UsageError(
            f"{path} is of a version without segments", cure="run the filter on the folder again"
        ) from error


def _write(
    entries: list[dict[str, Any]], videos: Sequence[RangedVideo], wanted: str, chosen: Chosen, target: Path
) -> Path:
    """Returns the file, or the folder of several. Raises OSError; every file is whole."""
    if wanted not in A_VIDEO:
        path = target / f"segments.{wanted}"
        if wanted == "jsonl":
            write_file(path, _json_lines(videos))
        else:
            write_table = write_segments_csv if wanted == "csv" else write_segments_parquet
            write_table(_only_chosen(entries, chosen), path)
        return path
    for video in videos:
        path = list_path(target, wanted, video.relative_path)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, A_VIDEO[wanted](video).encode("utf-8", errors="backslashreplace"))
    return target / wanted


def _only_chosen(entries: list[dict[str, Any]], chosen: Chosen) -> Iterator[dict[str, Any]]:
    for entry in entries:
        yield {**entry, "segments": [one for one in entry["segments"] if chosen == "all" or one["passes"]]}


def _json_lines(videos: Sequence[RangedVideo]) -> Iterator[bytes]:
    """An object a segment, with its video; ASCII."""
    lines = (
        json.dumps({"video_path": video.location, "relative_path": str(video.relative_path), **one.fields}) + "\n"
        for video in videos
        for one in video.ranges
    )
    piece: list[str] = []
    for line in lines:
        piece.append(line)
        if len(piece) == ROWS_A_PIECE:
            yield "".join(piece).encode("ascii")
            piece = []
    yield "".join(piece).encode("ascii")

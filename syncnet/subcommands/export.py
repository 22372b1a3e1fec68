"""``export``: the ranges that the last run found, as lists that other programs read; no video is opened."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any, cast

from syncnet.errors import UsageError
from syncnet.placement.folders import OutputFolders, longer_name
from syncnet.report.ownership import mark_folder, refuse_foreign
from syncnet.report.segments_table import write_segments_csv, write_segments_parquet
from syncnet.report.table import check_table_format
from syncnet.report.typed_table import ROWS_A_PIECE
from syncnet.system.argument_parser import Parser
from syncnet.system.atomic import write_file
from syncnet.system.invocation import PROGRAM
from syncnet.system.locking import hold
from syncnet.system.plain import read_json
from syncnet.takeaway.editors import check_editors, format_edl, format_otio
from syncnet.takeaway.ranges import Chosen, RangedVideo, find_ranges
from syncnet.takeaway.webvtt import format_webvtt

EXPORT_DIR = "export"
DESCRIPTION = """\
Writes the ranges of all videos that are in sync, from what the last run stored, to OUTPUT_DIR/export/. csv, jsonl and
parquet: one table, segments.EXT. webvtt, otio, edl: a file for each video, NAME.EXT, for players and editing programs
(docs/take-away.md).
"""
A_VIDEO: dict[str, tuple[str, Callable[[RangedVideo], str]]] = {
    "webvtt": (".vtt", format_webvtt),
    "otio": (".otio", format_otio),
    "edl": (".edl", format_edl),
}
"""Formats with a file for each video: its ending, and what writes it."""
FORMATS = ("csv", "jsonl", "parquet", *A_VIDEO)


def main(arguments: Sequence[str]) -> int:
    """Exit code 0. Raises UsageError, and LockedError while a run is at work in the folder."""
    options = build_parser().parse_flags(arguments)
    folders = OutputFolders(options.output_dir)
    if not folders.results_path.is_file():
        raise UsageError(f"{folders.results_path}: no such file", cure="give the --output_dir of an earlier run")
    _check_libraries(options.format)
    target = folders.output_dir / EXPORT_DIR
    refuse_foreign(target)
    with hold(folders.state_dir / "lock"):
        entries = _read_entries(folders.results_path)
        videos = list(_ranged(entries, options.segments, folders.results_path))
        try:
            target.mkdir(exist_ok=True)
            mark_folder(target)
            written = _write(entries, videos, options.format, options.segments, target)
        except OSError as error:
            raise UsageError(f"cannot write {target}: {error.strerror}", cure="check that it can be written") from error
    count = sum(len(video.ranges) for video in videos)
    print(f"{count} segments of {len(videos)} videos: {written}")
    return 0


def build_parser() -> Parser:
    parser = Parser(prog=f"{PROGRAM} export", description=DESCRIPTION)
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="output folder of an earlier run")
    parser.add_argument("--format", choices=FORMATS, required=True, help="of the lists")
    parser.add_argument(
        "--segments",
        choices=("passing", "all"),
        default="passing",
        help="which: those that pass, or also those that do not, speech without a match and speech without a face "
        "(default: %(default)s)",
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
    ending, format_video = A_VIDEO[wanted]
    for video in videos:
        path = target / wanted / _below(video.relative_path, ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, format_video(video).encode("utf-8", errors="backslashreplace"))
    return target / wanted


def _below(relative_path: PurePath, ending: str) -> PurePath:
    """``talks/a.mp4.vtt``: with the video's own ending, so that no two are of one name."""
    return relative_path.parent / longer_name(relative_path.name, ending)


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

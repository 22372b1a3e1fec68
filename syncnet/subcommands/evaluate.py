"""``evaluate``: the LSE-C and LSE-D of a folder, by the protocol of a paper, with their statistics."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from syncnet.command import Audience, Finished, run_folder
from syncnet.errors import UsageError
from syncnet.evaluation.findings import Difference, FolderFindings, Names, find_difference, find_in_folder
from syncnet.evaluation.header import describe_making, names_for
from syncnet.evaluation.measures import measure_files
from syncnet.evaluation.protocols import PROTOCOLS, Protocol, settings_for
from syncnet.evaluation.tables import columns_of, describe, write_files
from syncnet.evaluation.texts import TITLE, format_latex, format_markdown
from syncnet.inputs.discovery import VIDEO_SUFFIXES
from syncnet.models.registry import choose_model
from syncnet.report.ownership import refuse_other_kind
from syncnet.settings import (
    DEFAULT_WORKERS,
    DETECTORS,
    DEVICES,
    MODELS,
    MediaSettings,
    Request,
    RunOptions,
    ScorerSettings,
    WeightsPolicy,
)
from syncnet.system.argument_parser import Parser
from syncnet.system.atomic import write_file
from syncnet.system.invocation import PROGRAM
from syncnet.system.log import Log
from syncnet.system.text import printable

COMPARED = "compared"
"""Folder of the other folder's results, below the output folder."""
MARKDOWN, LATEX, CSV, JSON = (f"evaluation.{ending}" for ending in ("md", "tex", "csv", "json"))
DESCRIPTION = """\
Scores a folder and writes mean, median, standard deviation and a 95 % interval of LSE-C, LSE-D and |offset|, as a
Markdown and a LaTeX row that say how they were made, and a table by file. With the embedded model the numbers are
called lite-C and lite-D. docs/evaluate.md says what each protocol does, and how it differs from its source.
"""


def main(arguments: Sequence[str], *, own_process: bool = False) -> int:
    """Exit code as of a run. ``own_process``: see ``Audience``.

    Raises UsageError, and LockedError while a run is at work in the output folder.
    """
    options = build_parser().parse_flags(arguments)
    out: Path = options.output_dir
    if options.seed < 0:
        raise UsageError(f"--seed {options.seed}", cure="give a whole number of 0 or more")
    protocol = PROTOCOLS[options.protocol]
    settings = _settings(options, protocol)
    names = names_for(settings.model)
    for name, is_such in _kinds(names).items():
        refuse_other_kind(out / name, is_such)
    labels = _labels([options.input, *([options.compare] if options.compare else [])])
    inputs = [(options.input, out), *([(options.compare, out / COMPARED)] if options.compare else [])]
    if lost := next((place for place, _ in inputs if not place.exists()), None):
        raise UsageError(f"{lost}: no such file or folder", cure="give a folder of videos, a list, or one video")
    folders: list[FolderFindings] = []
    headers, codes = [], []
    for (place, folder), label in zip(inputs, labels, strict=True):
        finished = _score(place, folder, settings, options, own_process=own_process)
        for missed in finished.run.found.unreadable:
            print(f"{printable(str(missed.path))}: could not be read: {missed.reason}", file=sys.stderr)
        if finished.run.interrupted:
            return finished.code
        published = protocol.as_published and settings.model == "syncnet_v2"
        files = measure_files(finished.run.results, protocol.faces, from_curve=published)
        folders.append(find_in_folder(label, files, protocol, options.seed))
        headers.append(describe_making(protocol, finished.run, options.seed))
        codes.append(finished.code)
    if headers[-1] != headers[0]:
        what = next(name for name, text in headers[0].items() if headers[-1][name] != text)
        raise UsageError(f"the two folders were scored with another {what} each", cure="give another --output_dir")
    difference = find_difference(folders[0], folders[1], options.seed) if options.compare else None
    _write(out, headers[0], names, folders, difference)
    return max(codes)


def _settings(options: Any, protocol: Protocol) -> ScorerSettings:
    """With the model that ``auto`` comes to: the recipe depends on it."""
    weights = WeightsPolicy(options.weights_dir, options.offline, options.allow_unverified_weights)
    given = ScorerSettings(
        media=MediaSettings(audio_track=options.audio_track),
        model=options.model,
        detector=options.detector,
        device=options.device,
        weights=weights,
    )
    model = choose_model(given.model, weights).name
    return settings_for(protocol, replace(given, model=model), model)


def _score(place: Path, out: Path, settings: ScorerSettings, options: Any, *, own_process: bool) -> Finished:
    """A run of the command that places nothing."""
    is_list = place.is_file() and place.suffix.lower() not in VIDEO_SUFFIXES
    request = Request(
        input_dir=None if is_list else place,
        input_manifest=place if is_list else None,
        audio_dir=options.audio_dir,
        output_dir=out,
        recursive=options.recursive and place.is_dir(),
        keep_all=True,
        max_workers=options.max_workers,
        settings=settings,
        options=RunOptions(score_cache=options.score_cache, timeout_seconds=options.timeout, rescan=options.rescan),
    )
    return run_folder(request, Log(None), Audience(on_end=lambda *_: None, own_process=own_process))


def _labels(places: Sequence[Path]) -> list[str]:
    """The names of the folders; their paths where both have one name."""
    names = [place.stem if place.is_file() else (place.name or place.resolve().name) for place in places]
    return names if len(set(names)) == len(names) else [str(place) for place in places]


def _write(
    out: Path, header: dict[str, str], names: Names, folders: list[FolderFindings], difference: Difference | None
) -> None:
    found = header, names, folders, difference
    text = format_markdown(*found)
    document = json.dumps(describe(*found), indent=2, allow_nan=False) + "\n"
    writers: dict[str, Callable[[Path], None]] = {
        MARKDOWN: partial(write_file, data=_encoded(text)),
        LATEX: partial(write_file, data=_encoded(format_latex(*found))),
        CSV: partial(write_files, names, folders),
        JSON: partial(write_file, data=_encoded(document)),
    }
    for name, write in writers.items():
        try:
            write(out / name)
        except OSError as error:
            raise UsageError(
                f"cannot write {out / name}: {error.strerror}", cure="check that it can be written"
            ) from error
    print(text)
    for name in writers:
        print(out / name)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", errors="backslashreplace")


def _kinds(names: Names) -> dict[str, Callable[[Path], bool]]:
    """How each file begins that this subcommand wrote."""
    starts = {
        MARKDOWN: (f"# {TITLE}",),
        LATEX: (f"% {TITLE}",),
        CSV: tuple(",".join(columns_of(each)) for each in (names, Names("LSE"), Names("lite"))),
        JSON: ('{\n  "evaluation": ',),
    }
    return {name: partial(_begins, starts=start) for name, start in starts.items()}


def _begins(path: Path, starts: Sequence[str]) -> bool:
    with open(path, "rb") as reader:
        head = reader.read(max(map(len, starts)))
    return any(head.startswith(start.encode()) for start in starts)


def build_parser() -> Parser:
    parser = Parser(prog=f"{PROGRAM} evaluate", description=DESCRIPTION)
    parser.add_argument(
        "input", type=Path, metavar="INPUT", help="folder of videos, a list as --input_manifest takes it, or one video"
    )
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the results")
    parser.add_argument(
        "--protocol",
        choices=tuple(PROTOCOLS),
        default="best",
        help="how faces come to numbers: "
        + "; ".join(f"{each.name}: {each.words}" for each in PROTOCOLS.values())
        + " (default %(default)s)",
    )
    parser.add_argument(
        "--compare",
        type=Path,
        metavar="OTHER",
        help="another folder: the differences of files of the same name, INPUT minus OTHER",
    )
    parser.add_argument("--audio_dir", type=Path, metavar="DIR", help="sound files for the videos, as in the command")
    parser.add_argument("--recursive", action="store_true", help="include subfolders")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the bootstrap (default %(default)s)")
    _add_scoring(parser)
    return parser


def _add_scoring(parser: Parser) -> None:
    usual = RunOptions()
    parser.add_argument("--model", choices=MODELS, default="auto", help="as in the command (default %(default)s)")
    parser.add_argument("--detector", choices=DETECTORS, default="auto", help="as in the command (default %(default)s)")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="as in the command (default %(default)s)")
    parser.add_argument("--weights_dir", type=Path, metavar="DIR", help="folder to search first for model files")
    parser.add_argument("--offline", action="store_true", help="never download a model file")
    parser.add_argument(
        "--allow_unverified_weights", action="store_true", help="accept a model file that is not the published one"
    )
    parser.add_argument("--audio_track", type=int, metavar="N", help="audio track to score, counted from 0")
    parser.add_argument(
        "--max_workers", type=int, default=DEFAULT_WORKERS, metavar="N", help="videos at once (default %(default)s)"
    )
    parser.add_argument("--score_cache", metavar="DIR", help="folder of the score cache, or off")
    parser.add_argument(
        "--timeout",
        type=float,
        default=usual.timeout_seconds,
        metavar="SECONDS",
        help="limit for one video (default %(default)g)",
    )
    parser.add_argument("--rescan", action="store_true", help="score every video again")

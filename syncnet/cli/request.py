"""The command line: flags -> the request. Standard library only, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
import difflib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from syncnet import __version__
from syncnet.cli.folders import add_folder_flags, may_be_video, read_folders, refuse_outputs
from syncnet.cli.help import DESCRIPTION, EPILOG, USAGE
from syncnet.cli.looks import add_look_flags
from syncnet.cli.reading import one_of, settings_from
from syncnet.cli.report import add_report_flags
from syncnet.cli.runs import add_run_flags
from syncnet.cli.scale import add_scale_flags, read_scale_options
from syncnet.cli.scoring import add_scoring_flags
from syncnet.cli.subcommands import SUBCOMMANDS
from syncnet.errors import UsageError
from syncnet.settings import (
    PLACE_MODES,
    PRACTICES,
    PRESETS,
    ReportOptions,
    Request,
    RunOptions,
    ScorerSettings,
    thresholds_of,
)
from syncnet.settings.cuts import add_cut_flags
from syncnet.system.argument_parser import Parser
from syncnet.system.invocation import CALL, PROGRAM


def parse_request(arguments: Sequence[str]) -> Request:
    """Raises UsageError for anything that cannot be meant; ``--help`` prints and raises SystemExit(0)."""
    if not arguments:
        raise UsageError(
            "no folder was named", cure=f"try  {' '.join(CALL)} --input_dir VIDEOS --output_dir SORTED  (or --help)"
        )
    options = build_parser().parse_flags(arguments)
    # What is not given is left to the settings.
    given = {flag: value for flag, value in vars(options).items() if value is not None}
    given["report"] = options.report == "on"
    thresholds = thresholds_of(vars(options))
    ready = {
        "settings": settings_from(ScorerSettings, given, thresholds=thresholds),
        "scale": read_scale_options(options, given),
        "arguments": tuple(arguments),
        "calibrate": False,
        **read_folders(options),
    }
    if ready["output_dir"] is not None:
        return settings_from(Request, given, **ready)
    request = settings_from(Request, given, **{**ready, "output_dir": tempfile.gettempdir()})
    refuse_outputs(request)
    return replace(
        request,
        output_dir=Path(tempfile.mkdtemp(prefix="sync_filter_")),
        temporary_output=True,
        keep_all=True,
        report=ReportOptions(page=False),
    )


class _CommandParser(Parser):
    def takes(self, words: Sequence[str], options: argparse.Namespace) -> bool:
        # As a positional argument of argparse, it could not follow a flag before Python 3.12.
        if len(words) == 1 and may_be_video(words[0]):
            options.video = words[0]
        return options.video is not None

    def meant_by(self, unknown: str) -> str:
        if unknown.startswith("-"):
            return super().meant_by(unknown)
        near = difflib.get_close_matches(unknown, SUBCOMMANDS, n=1)
        return f"did you mean {near[0]}?" if near else "name the folders with --input_dir DIR --output_dir DIR"


def build_parser() -> Parser:
    presets = "\n".join(
        f"  {name:<12} confidence >= {preset.min_confidence}, |offset| <= {preset.max_abs_offset}"
        f"{f'  ({PRACTICES[name][1]})' if name in PRACTICES else ''}"
        for name, preset in PRESETS.items()
    )
    parser = _CommandParser(
        prog=PROGRAM,
        usage=USAGE.format(subcommands="|".join(SUBCOMMANDS)),
        description=DESCRIPTION,
        epilog=EPILOG.format(presets=presets, call=" ".join(CALL)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    _add_folders(parser.add_argument_group("folders"))
    add_scoring_flags(parser)
    add_run_flags(parser)
    add_scale_flags(parser)
    add_report_flags(parser)
    add_cut_flags(parser.add_argument_group("cut clips (docs/take-away.md)"))
    add_look_flags(parser)
    return parser


def _add_folders(group: argparse._ArgumentGroup) -> None:
    add_folder_flags(group)
    group.add_argument(
        "--recursive", action="store_true", help="include subfolders; the output keeps the same subfolders"
    )
    group.add_argument("--keep_all", action="store_true", help="analyse only: write the results, copy nothing")
    group.add_argument(
        "--place",
        metavar=one_of(PLACE_MODES),
        default=RunOptions().place,
        help="how videos are placed in the two output folders (default %(default)s)",
    )

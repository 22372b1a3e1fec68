"""The command line: flags -> the request. Standard library only, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
import difflib
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from syncnet import __version__
from syncnet.cli.folders import add_folder_flags, read_folders
from syncnet.cli.help import DESCRIPTION, EPILOG, USAGE
from syncnet.cli.looks import add_look_flags
from syncnet.cli.media import add_media_flags
from syncnet.cli.reading import one_of, settings_from
from syncnet.cli.report import add_report_flags
from syncnet.cli.runs import add_run_flags
from syncnet.cli.scale import add_scale_flags, read_scale_options
from syncnet.cli.speed import add_speed_flags
from syncnet.cli.subcommands import SUBCOMMANDS
from syncnet.errors import UsageError
from syncnet.settings import (
    DEFAULT_WORKERS,
    DETECTORS,
    DEVICES,
    MODELS,
    PLACE_MODES,
    PRESETS,
    PUBLISHED_GATE,
    Request,
    RunOptions,
    ScorerSettings,
    Thresholds,
    TrackSettings,
    resolve_thresholds,
)
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
    thresholds = resolve_thresholds(
        options.preset, options.min_confidence, options.max_abs_offset, options.min_offset, options.max_offset
    )
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
    return replace(request, output_dir=Path(tempfile.mkdtemp(prefix="sync_filter_")), temporary_output=True)


class _CommandParser(Parser):
    def meant_by(self, unknown: str) -> str:
        if unknown.startswith("-"):
            return super().meant_by(unknown)
        near = difflib.get_close_matches(unknown, SUBCOMMANDS, n=1)
        return f"did you mean {near[0]}?" if near else "name the folders with --input_dir DIR --output_dir DIR"


def build_parser() -> Parser:
    presets = "\n".join(
        f"  {name:<8} confidence >= {preset.min_confidence}, |offset| <= {preset.max_abs_offset}"
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
    _add_gates(parser.add_argument_group("what a video needs to pass"))
    _add_means(parser.add_argument_group("how it is scored"))
    add_media_flags(parser)
    add_speed_flags(parser)
    add_run_flags(parser)
    add_scale_flags(parser)
    add_report_flags(parser)
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


def _add_gates(group: argparse._ArgumentGroup) -> None:
    thresholds, tracks = Thresholds(), TrackSettings()
    group.add_argument("--preset", metavar=one_of(tuple(PRESETS)), help="confidence and offset limit (see presets)")
    group.add_argument(
        "--min_confidence",
        type=float,
        metavar="N",
        help=f"minimum SyncNet confidence (default {thresholds.min_confidence})",
    )
    group.add_argument(
        "--max_abs_offset",
        type=int,
        metavar="FRAMES",
        help=f"largest offset in either direction, in frames of 1/25 s (default {thresholds.max_abs_offset})",
    )
    group.add_argument(
        "--min_offset",
        type=int,
        metavar="FRAMES",
        help="lowest offset, if it is not minus --max_abs_offset; negative means that the sound is late",
    )
    group.add_argument(
        "--max_offset",
        type=int,
        metavar="FRAMES",
        help="highest offset, if it is not --max_abs_offset; people notice early sound sooner than late sound",
    )
    group.add_argument(
        "--min_face_size",
        type=int,
        metavar="PX",
        help=f"minimum face size, in pixels of the original frame (default {tracks.min_face_px})",
    )
    group.add_argument(
        "--min_track",
        type=int,
        metavar="FRAMES",
        help=f"minimum length of a face track, in frames of 1/25 s (default {tracks.min_track_frames})",
    )


def _add_means(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max_workers",
        type=int,
        metavar="N",
        help=f"videos processed in parallel (default {DEFAULT_WORKERS}; with --engine ray: as many as fit there)",
    )
    group.add_argument(
        "--model",
        metavar=one_of(MODELS),
        help="scoring model: lite is included; syncnet_v2 is the published one, downloaded if it is missing; "
        "auto: syncnet_v2 if its file is already here, else lite (default auto)",
    )
    group.add_argument(
        "--detector",
        metavar=one_of(DETECTORS),
        help="face detector: haar is part of OpenCV; the others are downloaded if they are missing; "
        "auto: yunet if its file is already here, else haar (default auto)",
    )
    group.add_argument(
        "--no_detection",
        action="store_true",
        help="every video is already a 224 x 224 face crop: score it as it is",
    )
    group.add_argument(
        "--reference",
        action="store_true",
        help="score as the published code does: with its lossy intermediate files, syncnet_v2, s3fd and its minimums "
        f"(tracks of more than {PUBLISHED_GATE} frames, faces of more than "
        f"{PUBLISHED_GATE} px); "
        "see docs/scores.md",
    )
    group.add_argument(
        "--device",
        metavar=one_of(DEVICES),
        help="where the networks run; auto: on a GPU if PyTorch can use one, else on the CPU (default auto)",
    )
    group.add_argument(
        "--weights_dir",
        metavar="DIR",
        help="folder to search first for model files; the environment variable SYNC_FILTER_WEIGHTS names the next one",
    )
    group.add_argument("--offline", action="store_true", help="never download a model file")
    group.add_argument(
        "--allow_unverified_weights",
        action="store_true",
        help="accept a model file that is not the published one; the results say so",
    )

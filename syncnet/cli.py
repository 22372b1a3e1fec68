"""The command line: flags -> one checked request. Standard library only, so that ``--help`` answers at once."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from syncnet import __version__
from syncnet.cli_folders import add_folder_flags, folder, read_folders
from syncnet.cli_help import DESCRIPTION, EPILOG, USAGE
from syncnet.cli_looks import TerminalOptions, add_look_flags, read_look_options, read_terminal_options
from syncnet.cli_media import add_media_flags, read_media_settings
from syncnet.cli_parser import Parser
from syncnet.cli_report import ReportOptions, add_report_flags, read_report_options
from syncnet.cli_runs import add_run_flags, read_run_options
from syncnet.cli_scale import ScaleOptions, add_scale_flags, read_scale_options
from syncnet.cli_speed import add_speed_flags, read_speed_settings
from syncnet.errors import UsageError
from syncnet.invocation import CALL, PROGRAM
from syncnet.looks import LookOptions
from syncnet.settings import (
    DEFAULT_WORKERS,
    PLACE_MODES,
    PRESETS,
    PUBLISHED_TRACKS,
    MediaSettings,
    RunOptions,
    SpeedSettings,
    Thresholds,
    TrackSettings,
    resolve_thresholds,
)
from syncnet.subcommands import SUBCOMMANDS
from weights import WeightsPolicy


@dataclass(frozen=True)
class Request:
    """One call of the command, as asked for; numbers are checked, files are not."""

    input_dir: Path
    output_dir: Path
    preset: str | None
    thresholds: Thresholds
    tracks: TrackSettings
    max_workers: int
    keep_all: bool
    recursive: bool
    model: str
    detector: str
    no_detection: bool
    reference: bool
    device: str
    weights: WeightsPolicy
    options: RunOptions
    media: MediaSettings = field(default_factory=MediaSettings)
    speed: SpeedSettings = field(default_factory=SpeedSettings)
    report: ReportOptions = field(default_factory=ReportOptions)
    looks: LookOptions = field(default_factory=LookOptions)
    terminal: TerminalOptions = field(default_factory=TerminalOptions)
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    calibrate: bool = False
    """Thresholds are asked for that fit the input folder."""
    temporary_output: bool = False
    """The output folder is to be removed after the run."""
    input_manifest: Path | None = None
    """A list in the place of the input folder, which is then the one that relative lines start from."""

    @property
    def input_name(self) -> Path:
        """What the videos are named by: the list, or the folder."""
        return self.input_manifest or self.input_dir

    @property
    def quiet(self) -> bool:
        """Whether only what went wrong is said."""
        return self.options.cron or self.terminal.quiet


def parse_request(arguments: Sequence[str]) -> Request:
    """Raises UsageError for anything that cannot be meant; ``--help`` prints and raises SystemExit(0)."""
    if not arguments:
        raise UsageError(
            "no folder was named", cure=f"try  {' '.join(CALL)} --input_dir VIDEOS --output_dir SORTED  (or --help)"
        )
    options = build_parser().parse_flags(arguments)
    if options.no_detection and options.detector != "auto":
        raise UsageError("--no_detection looks for no faces", cure=f"leave out --detector {options.detector}")
    if options.reference:
        _check_reference(options)
    max_workers = DEFAULT_WORKERS if options.max_workers is None else options.max_workers
    if max_workers < 1:
        raise UsageError(f"--max_workers {options.max_workers}", cure="give a whole number of 1 or more")
    folders = read_folders(options)
    return Request(
        input_dir=folders.input_dir,
        output_dir=folders.output_dir,
        preset=options.preset,
        thresholds=resolve_thresholds(
            options.preset, options.min_confidence, options.max_abs_offset, options.min_offset, options.max_offset
        ),
        tracks=_track_settings(options),
        max_workers=max_workers,
        keep_all=options.keep_all or folders.calibrate,
        recursive=options.recursive,
        model=options.model,
        detector=options.detector,
        no_detection=options.no_detection,
        reference=options.reference,
        device=options.device,
        weights=WeightsPolicy(
            weights_dir=options.weights_dir,
            offline=options.offline,
            allow_unverified=options.allow_unverified_weights,
        ),
        options=read_run_options(options),
        media=read_media_settings(options),
        speed=read_speed_settings(options),
        report=read_report_options(options, arguments),
        looks=read_look_options(options),
        terminal=read_terminal_options(options),
        scale=read_scale_options(options),
        calibrate=folders.calibrate,
        temporary_output=folders.temporary,
        input_manifest=folders.manifest,
    )


def _check_reference(options: argparse.Namespace) -> None:
    """Only the published networks give published numbers."""
    for flag, given, published in (("model", options.model, "syncnet_v2"), ("detector", options.detector, "s3fd")):
        if given not in ("auto", published):
            raise UsageError(
                f"--reference scores with {published}, not with --{flag} {given}", cure=f"leave out --{flag} {given}"
            )


def _track_settings(options: argparse.Namespace) -> TrackSettings:
    """The gates, each with the explicit value where one was given."""
    # A crop that is given has passed the published gates, or is none of theirs.
    base = PUBLISHED_TRACKS if options.reference and not options.no_detection else TrackSettings()
    return TrackSettings(
        min_face_px=base.min_face_px if options.min_face_size is None else options.min_face_size,
        min_track_frames=base.min_track_frames if options.min_track is None else options.min_track,
    )


class _CommandParser(Parser):
    def meant_by(self, unknown: str) -> str:
        if unknown.startswith("-"):
            return super().meant_by(unknown)
        near = difflib.get_close_matches(unknown, SUBCOMMANDS, n=1)
        return f"did you mean {near[0]}?" if near else "folders are named by --input_dir DIR --output_dir DIR"


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
    _add_gates(parser.add_argument_group("what passes"))
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
    group.add_argument("--recursive", action="store_true", help="also videos in subfolders; paths are kept")
    group.add_argument("--keep_all", action="store_true", help="analyse only: write the results, copy nothing")
    group.add_argument(
        "--place",
        choices=PLACE_MODES,
        default=PLACE_MODES[0],
        help="how videos come into their folders (default %(default)s)",
    )


def _add_gates(group: argparse._ArgumentGroup) -> None:
    thresholds, tracks = Thresholds(), TrackSettings()
    group.add_argument("--preset", choices=PRESETS, help="a pair of thresholds, see below")
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
        help=f"maximum offset to either side, in frames of 1/25 s (default {thresholds.max_abs_offset})",
    )
    group.add_argument(
        "--min_offset",
        type=int,
        metavar="FRAMES",
        help="lowest offset, where it is not minus --max_abs_offset: negative means that the sound comes late",
    )
    group.add_argument(
        "--max_offset",
        type=int,
        metavar="FRAMES",
        help="highest offset, where it is not --max_abs_offset: people notice early sound sooner than late sound",
    )
    group.add_argument(
        "--min_face_size",
        type=int,
        metavar="PX",
        help=f"minimum size of a face, in pixels of the original frame (default {tracks.min_face_px})",
    )
    group.add_argument(
        "--min_track",
        type=int,
        metavar="FRAMES",
        help=f"minimum number of frames that a face must be seen (default {tracks.min_track_frames})",
    )


def _add_means(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--max_workers",
        type=int,
        metavar="N",
        help=f"videos processed in parallel (default {DEFAULT_WORKERS}; with --engine ray what the cluster holds)",
    )
    group.add_argument(
        "--model",
        choices=("auto", "lite", "syncnet_v2"),
        default="auto",
        help="scorer: lite is embedded, syncnet_v2 is the published one, fetched where it is missing; "
        "auto takes syncnet_v2 where its file is at hand, else lite (default auto)",
    )
    group.add_argument(
        "--detector",
        choices=("auto", "lite", "haar", "yunet", "s3fd"),
        default="auto",
        help="face detector: lite is embedded, haar is in OpenCV, the others are fetched where they are missing; "
        "auto takes yunet where its file is at hand, else haar (default auto)",
    )
    group.add_argument(
        "--no_detection",
        action="store_true",
        help="every video is a 224 x 224 face crop already and is scored as it is",
    )
    group.add_argument(
        "--reference",
        action="store_true",
        help="score the published way, through its lossy passes, with syncnet_v2, s3fd and its gates (a track of more "
        f"than {PUBLISHED_TRACKS.min_track_frames} frames, a face of more than {PUBLISHED_TRACKS.min_face_px} px); "
        "see docs/scores.md",
    )
    group.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda"),
        default="auto",
        help="where the networks run; auto: on a GPU where PyTorch can use one (default auto)",
    )
    group.add_argument(
        "--weights_dir",
        type=folder,
        metavar="DIR",
        help="where model files are looked for first; also the environment variable SYNC_FILTER_WEIGHTS",
    )
    group.add_argument("--offline", action="store_true", help="never fetch a model file")
    group.add_argument(
        "--allow_unverified_weights",
        action="store_true",
        help="accept model files that are not the published ones; the results say so",
    )

"""The flags for overlay videos and kept outputs, and for how much is said in the terminal and the log."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Literal

from syncnet.errors import UsageError
from syncnet.settings import VISUALIZE, LookOptions

LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = ("text", "json")


@dataclass(frozen=True)
class TerminalOptions:
    """How much is said."""

    quiet: bool = False
    """No progress and no summary; what went wrong is still said."""
    verbose: bool = False
    """Also what each stage of each video came to."""
    log_format: LogFormat = "text"


def add_look_flags(parser: argparse.ArgumentParser) -> None:
    """Two groups: what there is to look at, and what is said."""
    looks = parser.add_argument_group("overlay videos and kept outputs")
    looks.add_argument(
        "--visualize",
        choices=VISUALIZE,
        default=VISUALIZE[0],
        help="for the poor or for all scored videos, write OUTPUT_DIR/visualized/NAME.mp4: the video with boxes around "
        "the faces and the sync curve below (default %(default)s)",
    )
    looks.add_argument(
        "--save_outputs",
        action="store_true",
        help="write face crops, boxes, offsets and tracks of each scored video to OUTPUT_DIR/syncnet_outputs/NAME",
    )
    said = parser.add_argument_group("messages")
    said.add_argument("--quiet", action="store_true", help="no progress and no summary, only problems")
    said.add_argument("--verbose", action="store_true", help="also print the tracks, times and sizes of each video")
    said.add_argument(
        "--log_format",
        choices=LOG_FORMATS,
        default=LOG_FORMATS[0],
        help="format of --log_file; json: one JSON object per line (default %(default)s)",
    )


def read_look_options(options: argparse.Namespace) -> LookOptions:
    return LookOptions(visualize=options.visualize, save_outputs=options.save_outputs)


def read_terminal_options(options: argparse.Namespace) -> TerminalOptions:
    """Raises UsageError for flags that contradict each other."""
    if options.quiet and options.verbose:
        raise UsageError("--quiet and --verbose contradict each other", cure="give one of them")
    if options.log_format != LOG_FORMATS[0] and options.log_file is None:
        raise UsageError(f"--log_format {options.log_format} needs a log", cure="give --log_file FILE as well")
    return TerminalOptions(options.quiet, options.verbose, options.log_format)

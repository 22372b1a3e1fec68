"""The flags for overlay videos and kept outputs, and for how much is said in the terminal and the log."""

from __future__ import annotations

import argparse

from syncnet.cli.reading import one_of
from syncnet.settings import LOG_FORMATS, VISUALIZE, LookOptions, TerminalOptions


def add_look_flags(parser: argparse.ArgumentParser) -> None:
    """Two groups: what there is to look at, and what is said."""
    looks = parser.add_argument_group("overlay videos and kept outputs")
    looks.add_argument(
        "--visualize",
        metavar=one_of(VISUALIZE),
        default=LookOptions().visualize,
        help="for the scored videos that do not pass (poor) or for all of them, write OUTPUT_DIR/visualized/NAME.mp4: "
        "the video with boxes around the faces and the sync curve below (default %(default)s)",
    )
    looks.add_argument(
        "--save_outputs",
        action="store_true",
        help="write face crops, boxes, offsets and tracks of each scored video to OUTPUT_DIR/syncnet_outputs/NAME",
    )
    said = parser.add_argument_group("messages")
    said.add_argument("--quiet", action="store_true", help="no progress and no summary, only problems")
    said.add_argument(
        "--json",
        action="store_true",
        help="print the results as JSON instead of the summary, of one video its entry; nothing else goes to stdout",
    )
    said.add_argument("--verbose", action="store_true", help="also print the tracks, times and sizes of each video")
    said.add_argument(
        "--log_format",
        metavar=one_of(LOG_FORMATS),
        default=TerminalOptions().log_format,
        help="format of --log_file; json: one JSON object per line (default %(default)s)",
    )

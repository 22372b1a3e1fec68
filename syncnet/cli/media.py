"""The flags for what is read of each file, and what reading it may take."""

from __future__ import annotations

import argparse


def add_media_flags(parser: argparse.ArgumentParser) -> None:
    """One group."""
    group = parser.add_argument_group("reading a file")
    group.add_argument(
        "--audio_track",
        type=int,
        metavar="N",
        help="audio track to score, counted from 0 as in ffmpeg's 0:a:N (default: the first that can be decoded)",
    )
    group.add_argument(
        "--max_memory",
        type=float,
        metavar="MB",
        help="refuse a video whose pictures or sound may need more memory than this; the limit is per worker and "
        "does not include the models (default: the memory of the machine)",
    )

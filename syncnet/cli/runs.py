"""The flags for runs that continue, and runs that nobody watches."""

from __future__ import annotations

import argparse

from syncnet.settings import CRON_SETTLE, RunOptions
from syncnet.settings.repair import add_repair_flags


def add_run_flags(parser: argparse.ArgumentParser) -> None:
    """Three groups: what earlier runs found out, repair, and running unattended."""
    known = parser.add_argument_group("repeated runs")
    known.add_argument("--rescan", action="store_true", help="score every video again, even if it was scored before")
    known.add_argument(
        "--retry_failed", action="store_true", help="also retry videos that failed because of the file itself"
    )
    known.add_argument(
        "--prune",
        action="store_true",
        help="remove what the output folder holds of videos that are gone from the input: copies, records, pictures, "
        "clips (docs/results.md)",
    )
    known.add_argument("--limit", type=int, metavar="N", help="score at most N videos in this run")
    known.add_argument(
        "--score_cache",
        metavar="DIR",
        help="folder of the score cache, where a score is found by the video's content, or off "
        "(default: in the user's cache folder)",
    )
    known.add_argument(
        "--decisions",
        metavar="FILE",
        help="what a person accepted and rejected, as the report page saves it: it wins over the thresholds. It is "
        "kept in the output folder, and holds for later runs too (docs/decisions.md)",
    )
    cure = parser.add_argument_group("repair")
    cure.add_argument(
        "--repair",
        action="store_true",
        help="write videos that fail only by their offset to OUTPUT_DIR/repaired, with the sound where it belongs "
        "(docs/repair.md)",
    )
    add_repair_flags(cure)
    alone = parser.add_argument_group("running unattended")
    alone.add_argument("--cron", action="store_true", help="print nothing unless something failed")
    alone.add_argument(
        "--settle",
        type=float,
        metavar="SECONDS",
        help="leave files that changed less than this long ago to a later run "
        f"(default 0, with --cron {CRON_SETTLE:g})",
    )
    alone.add_argument(
        "--timeout",
        type=float,
        default=RunOptions().timeout_seconds,
        metavar="SECONDS",
        help="time limit for scoring one video (default %(default)g)",
    )
    alone.add_argument(
        "--isolate",
        action="store_true",
        help="a process for each worker, so that a crash interrupts no other video (docs/cron.md)",
    )
    alone.add_argument("--log_file", metavar="FILE", help="write a log with time stamps; old logs are rotated")

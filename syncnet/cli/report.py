"""The flags for what a run leaves to look at, and for ``report``, which makes it again."""

from __future__ import annotations

import argparse

from syncnet.cli.reading import one_of
from syncnet.settings import TABLE_FORMATS, ReportOptions


def add_report_flags(parser: argparse.ArgumentParser) -> None:
    """One group."""
    group = parser.add_argument_group("reports and tables")
    group.add_argument(
        "--report",
        choices=("on", "off"),
        default="on",
        help="write OUTPUT_DIR/report.html, a page that shows the results (default %(default)s)",
    )
    group.add_argument(
        "--table",
        metavar=one_of(TABLE_FORMATS),
        default=ReportOptions().table,
        help="parquet: write results.parquet as well as results.csv, which is always written (default %(default)s)",
    )

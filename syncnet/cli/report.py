"""The flags for what a run leaves to look at, and for ``report``, which makes it again."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

TableFormat = Literal["csv", "parquet"]
TABLE_FORMATS: tuple[TableFormat, ...] = ("csv", "parquet")


@dataclass(frozen=True)
class ReportOptions:
    """What is written beside the results file."""

    page: bool = True
    """report.html."""
    table: TableFormat = "csv"
    """results.csv is always written; ``parquet`` means results.parquet as well."""
    arguments: tuple[str, ...] = ()
    """The words of the command line, for the page to say how its thresholds are applied."""


def add_report_flags(parser: argparse.ArgumentParser) -> None:
    """The group of the flags that ``read_report_options`` reads."""
    group = parser.add_argument_group("reports and tables")
    group.add_argument(
        "--report",
        choices=("on", "off"),
        default="on",
        help="write OUTPUT_DIR/report.html, a page that shows the results (default %(default)s)",
    )
    add_table_flag(group)


def add_table_flag(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--table",
        choices=TABLE_FORMATS,
        default=TABLE_FORMATS[0],
        help="parquet: write results.parquet as well as results.csv, which is always written (default %(default)s)",
    )


def read_report_options(options: argparse.Namespace, arguments: Sequence[str]) -> ReportOptions:
    return ReportOptions(page=options.report == "on", table=options.table, arguments=tuple(arguments))

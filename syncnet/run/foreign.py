"""Files of somebody else's under the names of what a run would write."""

from __future__ import annotations

from pathlib import Path

from syncnet.placement.folders import OutputFolders
from syncnet.report.names import NEW_PASSING_NAME, PAGE_NAME
from syncnet.report.ownership import refuse_foreign
from syncnet.report.segments_table import SEGMENTS_CSV_NAME, SEGMENTS_PARQUET_NAME
from syncnet.report.table import CSV_NAME, PARQUET_NAME
from syncnet.settings import Request


def refuse_foreign_outputs(request: Request, output_dir: Path) -> None:
    """Raises UsageError where the run would write over what this tool did not write."""
    folders, looks = OutputFolders(output_dir), request.looks
    wanted = {
        folders.results_path: True,
        output_dir / CSV_NAME: True,
        output_dir / SEGMENTS_CSV_NAME: True,
        output_dir / NEW_PASSING_NAME: True,
        output_dir / PARQUET_NAME: request.report.table == "parquet",
        output_dir / SEGMENTS_PARQUET_NAME: request.report.table == "parquet",
        output_dir / PAGE_NAME: request.report.page,
        folders.overlays_dir: looks.visualize != "none",
        folders.outputs_dir: looks.save_outputs,
        folders.previews_dir: looks.previews,
        folders.segments_dir: request.cuts.cut != "none",
    }
    for path, asked in wanted.items():
        if asked:
            refuse_foreign(path)

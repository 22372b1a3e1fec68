"""Where ``export`` writes its lists."""

from __future__ import annotations

from pathlib import Path, PurePath

from syncnet.placement.folders import longer_name

EXPORT_DIR = "export"
TABLES = ("csv", "jsonl", "parquet")
"""One for all videos: the endings of ``segments``."""
ENDINGS = {"webvtt": ".vtt", "otio": ".otio", "edl": ".edl"}
"""Of the formats with a file for each video."""


def list_path(folder: Path, form: str, relative_path: PurePath) -> Path:
    """``webvtt/talks/a.mp4.vtt``: with the video's own ending, so that no two are of one name."""
    return folder / form / relative_path.parent / longer_name(relative_path.name, ENDINGS[form])

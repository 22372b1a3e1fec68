"""Folders of files that are called videos, and the command run on them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from syncnet import command
from syncnet.inputs.belonging import Input
from syncnet.inputs.discovery import FoundVideos
from syncnet.placement.folders import OutputFolders
from syncnet.run.planning import Plan, plan_run
from syncnet.run.unlisted import Listing
from syncnet.settings import RunOptions
from syncnet.state.ledger import Ledger


def make_videos(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.fsencode(name))
    folder.mkdir(exist_ok=True)
    return folder


def run(input_dir: Path, output_dir: Path, *extra: str) -> int:
    return command.main(["--input_dir", str(input_dir), "--output_dir", str(output_dir), *extra])


def plan_of(found: FoundVideos, input_dir: Path, ledger: Ledger, fingerprint: str, options: RunOptions) -> Plan:
    """What a run over the folder would do."""
    folders = OutputFolders(ledger.path.parent / "out")
    listing = Listing(found, Input(str(input_dir), input_dir), folders, ledger)
    return plan_run(listing, listing.unlisted(), fingerprint, options)


def results_in(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((folder / "sync_filter_results.json").read_text())
    return document


MADE_FROM_RESULTS = ("report.html", "results.csv", "segments.csv")


def files_below(folder: Path) -> list[str]:
    """What a user finds there; without the tool's own notes in .sync_filter and what tells the results again."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(
        str(path) for path in paths if ".sync_filter" not in path.parts and path.name not in MADE_FROM_RESULTS
    )


def videos_below(folder: Path) -> dict[str, bytes]:
    """The bytes of each file that is called a video."""
    return {name: (folder / name).read_bytes() for name in files_below(folder) if name.endswith(".mp4")}


def gone_in(folder: Path) -> list[str]:
    """Names of the videos that are told to be gone."""
    return [entry["relative_path"] for entry in results_in(folder)["gone"]]


def entries_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The results of each video, by its name in the output folder."""
    return {entry["relative_path"]: entry for entry in results_in(folder)["results"]}

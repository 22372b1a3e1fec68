"""The folders' flags; ``--calibrate DIR`` takes the place of both: a folder that is held to be in sync."""

from __future__ import annotations

import argparse
from typing import Any

from syncnet.errors import UsageError


def add_folder_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--input_dir", metavar="DIR", help="folder with the videos")
    group.add_argument(
        "--input_manifest",
        metavar="FILE",
        help="use instead of --input_dir: a text file with one path or URI (s3://, gs://, hf:// ...) per line, "
        "a table with a path column (.csv, .jsonl, .parquet), a .tar archive of videos, or - for standard input; "
        "see docs/scale-out.md",
    )
    group.add_argument(
        "--audio_dir",
        metavar="DIR",
        help="score each video against the sound file of the same name in this folder, instead of its own sound "
        "(wav, flac, mp3, m4a, ogg ...)",
    )
    group.add_argument("--output_dir", metavar="DIR", help="folder for the results")
    group.add_argument(
        "--calibrate",
        metavar="DIR",
        help="use instead of --input_dir: a folder of videos that you know to be in sync. Prints the thresholds that "
        "keep 99, 95 and 90 %% of them, how many each preset keeps, how often these faces pass with each other's "
        "sound, and which thresholds tell the two apart best. Copies nothing; --output_dir is optional",
    )


def read_folders(options: argparse.Namespace) -> dict[str, Any]:
    """The folders of the request; without an output folder where none is needed. Raises UsageError."""
    folders = {name: getattr(options, name) for name in ("input_dir", "input_manifest", "output_dir")}
    if options.calibrate is not None:
        if options.input_dir is not None:
            raise UsageError("--calibrate takes the place of --input_dir", cure="give one of them")
        if options.input_manifest is not None:
            problem = "--input_manifest names every video: --calibrate does not go with it"
            raise UsageError(problem, cure="leave one out")
        return {**folders, "input_dir": options.calibrate, "calibrate": True}
    needed = ("output_dir",) if options.input_manifest is not None else ("input_dir", "output_dir")
    if missing := [f"--{name}" for name in needed if folders[name] is None]:
        raise UsageError(
            f"the following arguments are required: {', '.join(missing)}",
            cure=f"add {' '.join(f'{flag} DIR' for flag in missing)}",
        )
    return folders

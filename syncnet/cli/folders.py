"""The folders' flags; ``--calibrate DIR`` takes the place of both: a folder that is held to be in sync."""

from __future__ import annotations

import argparse
import os
from pathlib import PurePath
from typing import Any

from syncnet.errors import UsageError
from syncnet.settings import Request


def add_folder_flags(group: argparse._ArgumentGroup) -> None:
    group.set_defaults(video=None)
    group.add_argument("--input_dir", metavar="DIR", help="folder with the videos, or one video")
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
    group.add_argument("--output_dir", metavar="DIR", help="folder for the results; optional for one video")
    group.add_argument(
        "--calibrate",
        metavar="DIR",
        help="use instead of --input_dir: a folder of videos that you know to be in sync. Prints the thresholds that "
        "keep 99, 95 and 90 %% of them, how many each preset keeps, how often these faces pass with each other's "
        "sound, and which thresholds tell the two apart best. Copies nothing; --output_dir is optional",
    )


def may_be_video(word: str) -> bool:
    """Whether a word that belongs to no flag is the name of a video, and not of a folder or a subcommand."""
    named = os.sep in word or bool(PurePath(word).suffix)
    return not word.startswith("-") and (os.path.isfile(word) or (named and not os.path.isdir(word)))


def read_folders(options: argparse.Namespace) -> dict[str, Any]:
    """The folders of the request; without an output folder where none is needed. Raises UsageError."""
    folders = {name: getattr(options, name) for name in ("input_dir", "input_manifest", "output_dir")}
    named = {"calibrate": options.calibrate, **folders, "output_dir": None}
    if options.video is not None:
        if other := next((flag for flag, value in named.items() if value is not None), None):
            raise UsageError(f"{options.video} takes the place of --{other}", cure="give one of them")
        _check_video(options.video)
        return {**folders, "input_dir": options.video}
    if options.calibrate is not None:
        if options.input_dir is not None:
            raise UsageError("--calibrate takes the place of --input_dir", cure="give one of them")
        if options.input_manifest is not None:
            problem = "--input_manifest names every video: --calibrate does not go with it"
            raise UsageError(problem, cure="leave one out")
        return {**folders, "input_dir": options.calibrate, "calibrate": True}
    needed = ("output_dir",) if options.input_manifest is not None else ("input_dir", "output_dir")
    missing = [f"--{name}" for name in needed if folders[name] is None]
    if missing == ["--output_dir"] and options.input_dir and os.path.isfile(options.input_dir):
        return folders
    if missing:
        raise UsageError(
            f"the following arguments are required: {', '.join(missing)}",
            cure=f"add {' '.join(f'{flag} DIR' for flag in missing)}",
        )
    return folders


def refuse_outputs(request: Request) -> None:
    """Raises UsageError for what would be lost with a temporary output folder."""
    asked = {
        f"--place {request.options.place}": request.options.place != "copy",
        f"--visualize {request.looks.visualize}": request.looks.visualize != "none",
        "--save_outputs": request.looks.save_outputs,
        f"--cut {request.cuts.cut}": request.cuts.cut != "none",
        "--repair": request.repair.repair,
        f"--table {request.report.table}": request.report.table != "csv",
        "--shard": request.scale.shard is not None,
    }
    if flag := next((flag for flag, given in asked.items() if given), None):
        raise UsageError(f"{flag} writes files", cure="give --output_dir DIR as well")


def _check_video(name: str) -> None:
    """Raises UsageError where there is no such file."""
    if os.path.isfile(name):
        return
    if "://" in name:
        raise UsageError(f"{name} is no file", cure="write it into a list, and give --input_manifest LIST")
    raise UsageError(f"{name}: {'not a regular file' if os.path.exists(name) else 'no such file'}", cure="give a video")

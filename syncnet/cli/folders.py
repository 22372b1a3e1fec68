"""The folders' flags; ``--calibrate DIR`` takes the place of both: a folder that is held to be in sync."""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import UsageError


@dataclass(frozen=True)
class AskedFolders:
    """Where from and where to."""

    input_dir: Path
    output_dir: Path
    calibrate: bool
    """The input folder is held to be in sync: thresholds are asked for, and nothing is copied."""
    temporary: bool
    """The output folder is to be removed after the run."""
    manifest: Path | None = None
    """A list in the place of the input folder, which is then the one that relative lines start from."""


def add_folder_flags(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--input_dir", type=folder, metavar="DIR", help="folder with the videos")
    group.add_argument(
        "--input_manifest",
        type=folder,
        metavar="FILE",
        help="use instead of --input_dir: a text file with one path or URI (s3://, gs://, hf:// ...) per line, "
        "or - for standard input; see docs/scale-out.md",
    )
    group.add_argument("--output_dir", type=folder, metavar="DIR", help="folder for the results")
    group.add_argument(
        "--calibrate",
        type=folder,
        metavar="DIR",
        help="use instead of --input_dir: a folder of videos that you know to be in sync. Prints the thresholds that "
        "keep 99, 95 and 90 %% of them, and how many each preset keeps. Copies nothing; --output_dir is optional",
    )


def read_folders(options: argparse.Namespace) -> AskedFolders:
    """Raises UsageError where one is missing, or asked for twice."""
    calibrate, input_dir, output_dir = options.calibrate, options.input_dir, options.output_dir
    if options.input_manifest is not None:
        return _read_manifest_folders(options)
    if calibrate is None:
        missing = [f"--{name}" for name in ("input_dir", "output_dir") if getattr(options, name) is None]
        if missing:
            raise UsageError(
                f"the following arguments are required: {', '.join(missing)}",
                cure=f"add {' '.join(f'{flag} DIR' for flag in missing)}",
            )
        return AskedFolders(input_dir, output_dir, calibrate=False, temporary=False)
    if input_dir is not None:
        raise UsageError("--calibrate takes the place of --input_dir", cure="give one of them")
    if output_dir is not None:
        return AskedFolders(calibrate, output_dir, calibrate=True, temporary=False)
    return AskedFolders(calibrate, Path(tempfile.mkdtemp(prefix="sync_filter_")), calibrate=True, temporary=True)


def _read_manifest_folders(options: argparse.Namespace) -> AskedFolders:
    from syncnet.inputs.manifest import manifest_base

    for name in ("input_dir", "calibrate", "recursive"):
        if getattr(options, name):
            raise UsageError(f"--input_manifest names every video: --{name} does not go with it", cure="leave one out")
    if options.output_dir is None:
        raise UsageError("the following arguments are required: --output_dir", cure="add --output_dir DIR")
    manifest: Path = options.input_manifest
    return AskedFolders(
        manifest_base(manifest), options.output_dir, calibrate=False, temporary=False, manifest=manifest
    )


def folder(text: str) -> Path:
    # Path("") is the current folder: an unset variable in a script must not mean that.
    if not text:
        raise argparse.ArgumentTypeError("the name is empty")
    return Path(text)

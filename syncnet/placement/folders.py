"""Where results go, and whether they can."""

from __future__ import annotations

import hashlib
import itertools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath

from syncnet.errors import UsageError
from syncnet.inputs.discovery import STATE_FOLDER
from syncnet.system.temporary import TEMPORARY_PREFIX, remove_temporaries

MOST_NAME_BYTES = 255
"""Of the usual file systems."""


@dataclass(frozen=True)
class OutputFolders:
    """Where results go. The input folder is never written to."""

    output_dir: Path

    @property
    def good_dir(self) -> Path:
        return self.output_dir / "good_quality"

    @property
    def poor_dir(self) -> Path:
        return self.output_dir / "poor_quality"

    @property
    def state_dir(self) -> Path:
        """What the tool remembers from run to run."""
        return self.output_dir / STATE_FOLDER

    @property
    def results_path(self) -> Path:
        return self.output_dir / "sync_filter_results.json"

    @property
    def overlays_dir(self) -> Path:
        return self.output_dir / "visualized"

    def overlay_path(self, relative_path: PurePath) -> Path:
        """Its name has the video's extension in it, since a.mp4 and a.mov may stand side by side."""
        return self.overlays_dir / relative_path.with_name(longer_name(relative_path.name, ".mp4"))

    @property
    def previews_dir(self) -> Path:
        """Of small copies that browsers play."""
        return self.output_dir / "previews"

    def preview_path(self, relative_path: PurePath) -> Path:
        """Named as an overlay is."""
        return self.previews_dir / relative_path.with_name(longer_name(relative_path.name, ".mp4"))

    @property
    def outputs_dir(self) -> Path:
        return self.output_dir / "syncnet_outputs"

    @property
    def segments_dir(self) -> Path:
        """Of cut clips."""
        return self.output_dir / "segments"

    @property
    def repaired_dir(self) -> Path:
        """Of videos whose sound was put right."""
        return self.output_dir / "repaired"

    @property
    def sheet_dir(self) -> Path:
        """Of the contact sheet."""
        return self.output_dir / "report"

    @property
    def written_dirs(self) -> tuple[Path, ...]:
        """Those that this tool writes to, beside the output folder itself."""
        looks = self.overlays_dir, self.outputs_dir, self.previews_dir, self.sheet_dir
        return self.good_dir, self.poor_dir, self.state_dir, *looks, self.segments_dir, self.repaired_dir

    @property
    def all_dirs(self) -> tuple[Path, Path, Path]:
        return self.output_dir, self.good_dir, self.poor_dir


def longer_name(name: str, ending: str) -> str:
    """The name with the ending where a file system takes it, else as much of it as fits, marked by a digest of it."""
    whole = os.fsencode(name)
    if len(whole) + len(ending) <= MOST_NAME_BYTES:
        return name + ending
    mark = f"~{hashlib.sha256(whole).hexdigest()[:8]}{ending}"
    return whole[: MOST_NAME_BYTES - len(mark)].decode("utf-8", errors="ignore") + mark


def prepare_folders(input_dir: Path | None, output_dir: Path, *, keep_all: bool) -> OutputFolders:
    """Checks both folders and makes the output's; None: videos are named one by one.

    Raises UsageError before anything else is done.
    """
    folders = OutputFolders(output_dir)
    if input_dir is not None:
        _check_input(input_dir)
        _check_apart(input_dir, folders)
    if folders.results_path.is_dir():
        raise UsageError(f"{folders.results_path} is a folder", cure="move it, or give another --output_dir")
    for folder in folders.all_dirs[:1] if keep_all else folders.all_dirs:
        _check_writable(folder)
    _check_writable(folders.state_dir)
    return folders


def _check_apart(input_dir: Path, folders: OutputFolders) -> None:
    # realpath, where Path.resolve would trip over a loop of links.
    source = Path(os.path.realpath(input_dir))
    if Path(os.path.realpath(folders.output_dir)) == source:
        raise UsageError("--input_dir and --output_dir are the same folder", cure="give another --output_dir")
    for target in (Path(os.path.realpath(folder)) for folder in (folders.good_dir, folders.poor_dir)):
        if target == source or target in source.parents:
            raise UsageError(
                f"--input_dir {input_dir} is inside the folder for copies ({target})", cure="give another --output_dir"
            )


def _check_input(input_dir: Path) -> None:
    try:
        with os.scandir(input_dir):
            pass
    except FileNotFoundError:
        raise UsageError(f"--input_dir {input_dir}: no such folder", cure="give the folder that holds videos") from None
    except NotADirectoryError:
        raise UsageError(f"--input_dir {input_dir} is a file", cure="give the folder that holds it") from None
    except OSError as error:
        raise UsageError(f"--input_dir {input_dir}: {error.strerror}", cure="give a folder you can read") from error


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder, prefix=TEMPORARY_PREFIX):
            pass
    except OSError as error:
        if folder.is_file():
            raise UsageError(f"{folder} is a file", cure="name a folder as --output_dir") from error
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error


def remove_leftovers(folders: OutputFolders) -> int:
    """Removes what killed runs left half-written, and counts it. Hold the lock: nobody else may be writing there."""
    # Of the output folder itself only the top: there may be anything below it, even the input.
    places = [(folders.output_dir, 1), *((folder, None) for folder in folders.written_dirs)]
    return sum(
        remove_temporaries(parent, names)
        for folder, depth in places
        for parent, _, names in itertools.islice(os.walk(folder), depth)
    )

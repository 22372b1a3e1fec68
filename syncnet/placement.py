"""good_quality/ and poor_quality/: whole copies, under the video's own relative path."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path, PurePath

from syncnet.errors import UsageError, VideoError
from syncnet.interruption import StopFlag

COPY_PIECE_BYTES = 4 * 1024 * 1024
TEMPORARY_PREFIX = ".sync_filter_"
TEMPORARY_SUFFIX = ".part"


class CopyError(VideoError):
    """The scored video could not be copied to its folder."""


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
    def results_path(self) -> Path:
        return self.output_dir / "sync_filter_results.json"

    @property
    def all_dirs(self) -> tuple[Path, Path, Path]:
        return self.output_dir, self.good_dir, self.poor_dir


def prepare_folders(input_dir: Path, output_dir: Path, *, keep_all: bool) -> OutputFolders:
    """Checks both folders and makes the output's. Raises UsageError before anything else is done."""
    _check_input(input_dir)
    folders = OutputFolders(output_dir)
    # realpath, where Path.resolve would trip over a loop of links.
    source = Path(os.path.realpath(input_dir))
    if Path(os.path.realpath(output_dir)) == source:
        raise UsageError("--input_dir and --output_dir are the same folder", cure="give another --output_dir")
    for target in (Path(os.path.realpath(folder)) for folder in (folders.good_dir, folders.poor_dir)):
        if target == source or target in source.parents:
            raise UsageError(
                f"--input_dir {input_dir} lies where copies are put ({target})", cure="give another --output_dir"
            )
    if folders.results_path.is_dir():
        raise UsageError(f"{folders.results_path} is a folder", cure="move it, or give another --output_dir")
    for folder in folders.all_dirs[:1] if keep_all else folders.all_dirs:
        _check_writable(folder)
    return folders


def place_video(
    source: Path, relative_path: PurePath, folders: OutputFolders, *, passed: bool | None, stop: StopFlag
) -> None:
    """Makes the video stand in the folder of its verdict, and in no other; ``None`` (no face): in neither.

    The copy has the name, the bytes, the mode and the modification time of its source. What stood under the
    same relative path is replaced; that name in the other folder is the copy of an earlier verdict and is removed.
    Raises CopyError, leaving nothing half-written, and Interrupted.
    """
    targets = {True: folders.good_dir / relative_path, False: folders.poor_dir / relative_path}
    try:
        for target in targets.values():
            _refuse_source(source, target)
        if passed is not None:
            _copy_whole(source, targets[passed], stop)
        for verdict, target in targets.items():
            if verdict is not passed:
                target.unlink(missing_ok=True)
    except OSError as error:
        raise _copy_error(error, source) from error


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
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error


def _refuse_source(source: Path, target: Path) -> None:
    """Links can make a target name mean the source itself; the input is never changed."""
    place = target.parent.resolve() / target.name
    if place in (source.resolve(), source.parent.resolve() / source.name):
        raise CopyError(
            f"its copy {target} would be the video itself",
            path=source,
            cure="give an --output_dir apart from the input",
        )


def _copy_whole(source: Path, target: Path, stop: StopFlag) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    # The temporary name is not made of the video's: that one may already be as long as names can be.
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=TEMPORARY_PREFIX, suffix=TEMPORARY_SUFFIX)
    try:
        with open(source, "rb") as reader, open(handle, "wb") as writer:
            while piece := reader.read(COPY_PIECE_BYTES):
                stop.check()
                writer.write(piece)
            writer.flush()
            status = os.fstat(reader.fileno())
            # Some file systems keep no modes; that is no reason to do without the copy.
            with contextlib.suppress(PermissionError):
                os.chmod(name, stat.S_IMODE(status.st_mode) & 0o777)
            os.utime(name, ns=(status.st_atime_ns, status.st_mtime_ns))
            os.fsync(writer.fileno())
        stop.check()
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself last. Not every file system offers it, and the copy is whole without."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _copy_error(error: OSError, source: Path) -> CopyError:
    cures = {
        errno.ENOSPC: "free some space on the output disk and run again",
        errno.EDQUOT: "free some space within your quota and run again",
        errno.ENAMETOOLONG: "give a shorter --output_dir, or rename the video",
        errno.ENOENT: "the video was moved or deleted while it was being scored; run again",
    }
    cure = cures.get(error.errno or 0, "see that the output folder can be written to, then run again")
    return CopyError(f"could not be copied: {(error.strerror or str(error)).lower()}", path=source, cure=cure)

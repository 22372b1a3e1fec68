"""A model file from its mirrors into a folder: whole and verified, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from syncnet.errors import ModelFileError
from syncnet.system.atomic import sync_folder
from syncnet.system.invocation import WEIGHTS_CALL
from weights.manifest import ManifestEntry
from weights.transfer import MirrorError, Patience, TransferError, hash_file, say, transfer


def fetch_weights(file_name: str, entry: ManifestEntry, folder: Path, patience: Patience | None = None) -> Path:
    """Fetches a file of the manifest into a folder, which is made where it is missing, and gives its path.

    What an earlier attempt left is continued. Two processes at once fetch it once. Proxies are those of the usual
    environment variables. Raises ModelFileError, with what each mirror answered; the final name never stands for half
    a file or a wrong one.
    """
    path = folder / file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(path):
            if not _is_there(path, entry):
                _fetch_from_mirrors(path, entry, patience or Patience())
    except OSError as error:
        raise _cannot_write(path, error) from error
    return path


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Holds the file's lock, which belongs to the operating system: a killed process leaves none behind."""
    lock = FileLock(path.with_name(f".{path.name}.lock"))
    try:
        lock.acquire(timeout=0)
    except Timeout:
        say(f"{path.name} is already being downloaded; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _is_there(path: Path, entry: ManifestEntry) -> bool:
    """Whether another process has fetched it meanwhile."""
    digest = hashlib.sha256()
    return hash_file(path, digest) > 0 and digest.hexdigest() == entry["sha256"]


def _fetch_from_mirrors(path: Path, entry: ManifestEntry, patience: Patience) -> None:
    answers = []
    for url in entry["urls"]:
        try:
            _fetch_from(url, path, entry, patience)
        except MirrorError as error:
            answers.append(f"{url}: {error}")
        else:
            return
    raise ModelFileError(
        f"{path.name} could not be downloaded ({'; '.join(answers) or 'no address is known'})",
        path=path,
        cure=f"check the network and the proxy settings, or download it by hand into {path.parent}",
    )


def _fetch_from(url: str, path: Path, entry: ManifestEntry, patience: Patience) -> None:
    """One mirror, several attempts, each going on where the last one ended. Raises MirrorError."""
    partial = path.with_name(f".{path.name}.part")
    failures, furthest, problem, in_ranges = 0, _size_of(partial), "", False
    while failures < patience.attempts:
        try:
            arrived = transfer(url, partial, entry, patience, in_ranges=in_ranges)
        except TransferError as error:
            problem = str(error)
            in_ranges = in_ranges or error.stalled
            reached = _size_of(partial)
            failures = 1 if reached >= furthest + patience.progress_bytes else failures + 1
            furthest = max(furthest, reached)
            if failures < patience.attempts:
                pause = max(patience.pause_seconds * 2 ** (failures - 1), error.wait_seconds)
                time.sleep(min(pause, patience.longest_pause_seconds))
            continue
        if arrived.sha256 == entry["sha256"]:
            os.replace(partial, path)
            sync_folder(path.parent)
            return
        partial.unlink()
        problem = f"SHA-256 expected {entry['sha256']}, actual {arrived.sha256}"
        # What another mirror or another day left may have been the wrong half: the whole gets its chance.
        if not arrived.resumed:
            break
        failures += 1
    raise MirrorError(problem)


def _size_of(partial: Path) -> int:
    return partial.stat().st_size if partial.exists() else 0


def _cannot_write(path: Path, error: OSError) -> ModelFileError:
    cures = {
        errno.ENOSPC: "free some space there",
        errno.EDQUOT: "free some space within your quota",
        errno.EFBIG: "raise the limit on the size of files",
    }
    cure = cures.get(error.errno or 0, "check that the folder can be written to")
    elsewhere = f"fetch it elsewhere: `{WEIGHTS_CALL} fetch {path.name} --weights_dir DIR`"
    problem = f"{path.name} cannot be stored in {path.parent} ({(error.strerror or str(error)).lower()})"
    return ModelFileError(problem, path=path, cure=f"{cure}, or {elsewhere}")

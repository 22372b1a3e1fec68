"""A model file from its mirrors into a folder: whole and verified, or not at all."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import requests
from filelock import FileLock
from tqdm import tqdm

from syncnet.errors import ModelFileError
from syncnet.text import printable
from weights import ManifestEntry

_CHUNK_BYTES = 1 << 18
_TRY_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    """For the next bytes, not for the whole file."""
    attempts: int = 4
    """At each mirror."""
    pause_seconds: float = 1.0
    """Before the second attempt; doubled before each further one."""


class _TransferError(Exception):
    """This attempt failed; another may not."""


class _MirrorError(Exception):
    """This mirror does not have the file."""


def fetch_weights(file_name: str, entry: ManifestEntry, folder: Path, patience: Patience | None = None) -> Path:
    """Fetches a file of the manifest into a folder, which is made where it is missing, and gives its path.

    What an earlier attempt left is continued. Two processes at once fetch it once. Proxies are those of the usual
    environment variables. Raises ModelFileError, with what each mirror answered; the final name never stands for half
    a file or a wrong one.
    """
    path = folder / file_name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # The lock belongs to the operating system: a killed process leaves none behind.
        with FileLock(folder / f".{file_name}.lock"):
            if not (path.is_file() and _digest_of(path) == entry["sha256"]):
                _fetch_from_mirrors(path, entry, patience or Patience())
    except requests.RequestException:
        raise
    except OSError as error:
        raise _cannot_write(path, error) from error
    return path


def _fetch_from_mirrors(path: Path, entry: ManifestEntry, patience: Patience) -> None:
    answers = []
    for url in entry["urls"]:
        try:
            _fetch_from(url, path, entry, patience)
        except _MirrorError as error:
            answers.append(f"{url}: {error}")
        else:
            return
    raise ModelFileError(
        f"{path.name} could not be fetched ({'; '.join(answers) or 'no address is known'})",
        path=path,
        cure=f"check the network and the proxy settings, or fetch it by hand into {path.parent}",
    )


def _fetch_from(url: str, path: Path, entry: ManifestEntry, patience: Patience) -> None:
    """One mirror, several attempts, each going on where the last one ended. Raises _MirrorError."""
    partial = path.with_name(f".{path.name}.part")
    problem = ""
    for attempt in range(patience.attempts):
        if attempt:
            time.sleep(patience.pause_seconds * 2 ** (attempt - 1))
        try:
            resumed = _download(url, partial, entry, patience)
        except _TransferError as error:
            problem = str(error)
            continue
        actual = _digest_of(partial)
        if actual == entry["sha256"]:
            os.replace(partial, path)
            return
        partial.unlink()
        problem = f"SHA-256 expected {entry['sha256']}, actual {actual}"
        # What another mirror or another day left may have been the wrong half: the whole gets its chance.
        if not resumed:
            break
    raise _MirrorError(problem)


def _download(url: str, partial: Path, entry: ManifestEntry, patience: Patience) -> bool:
    """Fills the partial file up to its full size; says whether it went on from an earlier part."""
    have = partial.stat().st_size if partial.exists() else 0
    if have >= entry["bytes"]:
        return True
    # A compressed answer would be counted, and continued, in other bytes than those of the file.
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={have}-"} if have else {})
    try:
        with requests.get(
            url, headers=headers, stream=True, timeout=(patience.connect_seconds, patience.read_seconds)
        ) as response:
            resumed = _goes_on(response, have)
            if have and not resumed:
                have = 0
            with partial.open("ab" if resumed else "wb") as writer, _progress(url, partial, entry, have) as bar:
                for chunk in _body(response):
                    have += len(chunk)
                    if have > entry["bytes"]:
                        writer.close()
                        partial.unlink()
                        raise _MirrorError(f"it sends more than the {entry['bytes']} bytes of the file")
                    writer.write(chunk)
                    bar.update(len(chunk))
                _sync(writer)
    except requests.RequestException as error:
        raise _TransferError(_words(error)) from error
    if have < entry["bytes"]:
        raise _TransferError(f"it ended after {have} of {entry['bytes']} bytes")
    return resumed


def _body(response: requests.Response) -> Iterator[bytes]:
    return response.iter_content(_CHUNK_BYTES)


def _goes_on(response: requests.Response, have: int) -> bool:
    """Whether the answer continues at the byte that was asked for, rather than being the whole file anew."""
    if response.status_code == 206:
        if have and response.headers.get("Content-Range", "").startswith(f"bytes {have}-"):
            return True
        raise _MirrorError("it answers with another part of the file than was asked for")
    if response.status_code in _TRY_AGAIN:
        raise _TransferError(f"it answers {response.status_code} {response.reason}")
    if response.status_code != 200:
        raise _MirrorError(f"it answers {response.status_code} {response.reason}")
    return False


@contextlib.contextmanager
def _progress(url: str, partial: Path, entry: ManifestEntry, have: int) -> Iterator[tqdm[None]]:
    """A bar on a terminal; elsewhere one line."""
    name = partial.name.removeprefix(".").removesuffix(".part")
    on_terminal = sys.stderr.isatty()
    if not on_terminal:
        rest = f", from byte {have} on" if have else ""
        megabytes = entry["bytes"] / 1e6
        print(printable(f"fetching {name} ({megabytes:.1f} MB{rest}) from {url}"), file=sys.stderr, flush=True)
    with tqdm(total=entry["bytes"], initial=have, unit="B", unit_scale=True, desc=name, disable=not on_terminal) as bar:
        yield bar


def _sync(writer: BinaryIO) -> None:
    writer.flush()
    os.fsync(writer.fileno())


def _digest_of(path: Path) -> str:
    with path.open("rb") as stream:
        digest = hashlib.sha256()
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def _words(error: requests.RequestException) -> str:
    """A library's nested message is no sentence for a person; its kind is."""
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy cannot be reached"
    if isinstance(error, requests.exceptions.SSLError):
        return "its TLS certificate is not valid"
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout):
        return "it takes too long to answer"
    if isinstance(error, requests.exceptions.ConnectionError) and "Read timed out" in str(error):
        return "it takes too long to answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "no connection"
    return type(error).__name__


def _cannot_write(path: Path, error: OSError) -> ModelFileError:
    cures = {
        errno.ENOSPC: "free some space there",
        errno.EDQUOT: "free some space within your quota",
        errno.EFBIG: "raise the limit on the size of files",
    }
    cure = cures.get(error.errno or 0, "see that the folder can be written to")
    problem = f"{path.name} cannot be stored in {path.parent} ({(error.strerror or str(error)).lower()})"
    return ModelFileError(problem, path=path, cure=f"{cure}, or name another folder with --weights_dir")

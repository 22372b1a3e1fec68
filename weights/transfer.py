"""One attempt at one mirror: the missing rest of a file, counted and hashed while it arrives."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import requests
from requests import exceptions
from tqdm import tqdm

from syncnet.system.text import printable
from weights.manifest import ManifestEntry

_READ_BYTES = 1 << 20
_TRY_AGAIN = frozenset((408, 425, 429, 500, 502, 503, 504))
_RANGE_NOT_SATISFIABLE = 416
# Another attempt at the same address would end in the same way.
_HOPELESS = (exceptions.SSLError, exceptions.TooManyRedirects, exceptions.InvalidURL, exceptions.InvalidSchema)


@dataclass(frozen=True)
class Patience:
    """How long to wait, and how often to try."""

    connect_seconds: float = 10.0
    read_seconds: float = 30.0
    """For the next bytes, not for the whole file."""
    attempts: int = 4
    """In a row at one mirror, none of which got much further."""
    pause_seconds: float = 1.0
    """Before the second attempt; doubled before each further one."""
    longest_pause_seconds: float = 60.0
    """A busy server may ask for so much and no more."""
    piece_bytes: int = 1 << 16
    """Handed on at once: the most that is lost where a connection breaks."""
    range_bytes: int = 1 << 18
    """Asked for at once after a time-out: some servers stall in large answers, and give small ones."""
    progress_bytes: int = 1 << 20
    """An attempt that got so much further is no failed one."""


class TransferError(Exception):
    """This attempt failed; another may not."""

    def __init__(self, problem: str, wait_seconds: float = 0.0, *, stalled: bool = False) -> None:
        super().__init__(problem)
        self.wait_seconds = wait_seconds
        """What the server asked for."""
        self.stalled = stalled
        """Whether nothing came for too long."""


class MirrorError(Exception):
    """This mirror does not have the file."""


@dataclass(frozen=True)
class Arrived:
    """As many bytes as the file has."""

    sha256: str
    resumed: bool
    """Whether some of them are of an earlier attempt."""


def transfer(url: str, partial: Path, entry: ManifestEntry, patience: Patience, *, in_ranges: bool = False) -> Arrived:
    """Fills the partial file up to its full size, from where an earlier attempt ended.

    ``in_ranges`` asks for a small part of it at a time. Raises TransferError, which leaves what arrived for the next
    attempt, MirrorError, and OSError where the partial file cannot be read or written.
    """
    digest = hashlib.sha256()
    have = hash_file(partial, digest)
    resumed = True
    with contextlib.ExitStack() as stack:
        bar: tqdm[None] | None = None
        while have < entry["bytes"]:
            last = min(have + patience.range_bytes, entry["bytes"]) - 1 if in_ranges else None
            try:
                with _ask(url, have, last, patience) as response:
                    resumed = _goes_on(response, have, partial)
                    if not resumed:
                        have, digest, last = 0, hashlib.sha256(), None
                    end = entry["bytes"] if last is None else last + 1
                    _announce_fits(response, end - have)
                    bar = bar or stack.enter_context(_progress(url, partial, entry, have))
                    have = _take(response, partial, digest, patience.piece_bytes, bar, have, end)
            except _HOPELESS as error:
                raise MirrorError(_words(error)) from error
            except requests.RequestException as error:
                raise TransferError(_words(error), stalled=_is_time_out(error)) from error
            if have < end:
                raise TransferError(f"it ended after {have} of {entry['bytes']} bytes")
    return Arrived(digest.hexdigest(), resumed)


def _ask(url: str, have: int, last: int | None, patience: Patience) -> requests.Response:
    """Asks for the bytes from ``have`` on, up to ``last`` where that is given."""
    # A compressed answer would be counted, and continued, in other bytes than those of the file.
    headers = {"Accept-Encoding": "identity"}
    if have or last is not None:
        headers["Range"] = f"bytes={have}-{'' if last is None else last}"
    return requests.get(url, headers=headers, stream=True, timeout=(patience.connect_seconds, patience.read_seconds))


def _take(
    response: requests.Response,
    partial: Path,
    digest: hashlib._Hash,
    piece_bytes: int,
    bar: tqdm[None],
    have: int,
    end: int,
) -> int:
    """Writes the answer behind the ``have`` bytes that are there, and gives how many there are then."""
    with partial.open("ab" if have else "wb") as writer:
        for piece in response.iter_content(piece_bytes):
            have += len(piece)
            if have > end:
                partial.unlink()
                raise MirrorError(f"it sends more than the {end} bytes of the file")
            writer.write(piece)
            digest.update(piece)
            bar.update(len(piece))
        writer.flush()
        os.fsync(writer.fileno())
    return have


def hash_file(path: Path, digest: hashlib._Hash) -> int:
    """Takes a file into the digest and gives the number of its bytes; none where it does not exist."""
    have = 0
    with contextlib.suppress(FileNotFoundError), path.open("rb") as reader:
        while piece := reader.read(_READ_BYTES):
            digest.update(piece)
            have += len(piece)
    return have


def _goes_on(response: requests.Response, have: int, partial: Path) -> bool:
    """Whether the answer continues at the byte that was asked for, rather than being the whole file anew.

    Where it is neither, the part that made the trouble is thrown away: the next attempt asks for the whole.
    """
    code = response.status_code
    continues = code == 206 and bool(re.match(rf"bytes {have}-\d+/", response.headers.get("Content-Range", "")))
    if have and not continues and code in (206, _RANGE_NOT_SATISFIABLE):
        partial.unlink()
        raise TransferError("it sent another part of the file than the requested one")
    if continues or code == 200:
        return continues
    problem = f"it answers {code} {response.reason}".rstrip()
    if code in _TRY_AGAIN:
        wait = response.headers.get("Retry-After", "")
        raise TransferError(problem, float(wait) if re.fullmatch(r"\d{1,6}", wait) else 0.0)
    raise MirrorError(problem)


def _announce_fits(response: requests.Response, expected_bytes: int) -> None:
    """An error page or another version of the file is known by its size, before anything of it is kept."""
    announced = response.headers.get("Content-Length", "")
    if "Content-Encoding" not in response.headers and announced.isdigit() and int(announced) != expected_bytes:
        raise MirrorError(f"it has {announced} bytes where {expected_bytes} are expected")


@contextlib.contextmanager
def _progress(url: str, partial: Path, entry: ManifestEntry, have: int) -> Iterator[tqdm[None]]:
    """A bar on a terminal; elsewhere one line."""
    name = partial.name.removeprefix(".").removesuffix(".part")
    on_terminal = sys.stderr.isatty()
    if not on_terminal:
        rest = f", from byte {have} on" if have else ""
        say(f"fetching {name} ({entry['bytes'] / 1e6:.1f} MB{rest}) from {url}")
    with tqdm(total=entry["bytes"], initial=have, unit="B", unit_scale=True, desc=name, disable=not on_terminal) as bar:
        yield bar


def say(line: str) -> None:
    """On stderr; that nobody reads it is no reason to stop."""
    with contextlib.suppress(OSError):
        print(printable(line), file=sys.stderr, flush=True)


def _is_time_out(error: requests.RequestException) -> bool:
    # While the body arrives, the library makes a plain connection error of a time-out.
    return isinstance(error, exceptions.Timeout) or "Read timed out" in str(error)


def _words(error: requests.RequestException) -> str:
    """A library's nested message is no sentence for a person; its kind is."""
    if isinstance(error, exceptions.ProxyError):
        return "the proxy cannot be reached"
    if isinstance(error, exceptions.SSLError):
        return "its TLS certificate is not valid, or the secure connection broke off"
    if _is_time_out(error):
        return "it takes too long to answer"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the connection broke off"
    if isinstance(error, exceptions.TooManyRedirects):
        return "it redirects endlessly"
    if isinstance(error, exceptions.ConnectionError):
        return "no connection"
    return f"not fetched ({type(error).__name__})"

"""What the lines of a ledger come to: the rules, for whoever reads one."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.state.ledger_lines import (
    FORMAT,
    Forget,
    GivenUp,
    Gone,
    Head,
    LedgerLine,
    Moving,
    Placed,
    Seen,
    Started,
    Video,
    read_line,
)


class LedgerReader:
    """Goes through the lines of a ledger; what cannot be read is counted and passed over."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged_lines = 0
        self.end = 0
        """Bytes of the whole lines so far."""

    def lines(self, texts: Iterable[bytes]) -> Iterator[tuple[int, bytes, LedgerLine]]:
        """Where each line starts, in bytes, the line as it stands there, and what it says.

        Ends before a last line without its end: a run is at work, or was killed. Raises UsageError for the ledger of a
        newer version.
        """
        for text in texts:
            if not text.endswith(b"\n"):
                return
            start, self.end = self.end, self.end + len(text)
            try:
                line = read_line(text)
            except ValueError:
                self.damaged_lines += 1
                continue
            if isinstance(line, Head) and line.format > FORMAT:
                raise UsageError(
                    f"{self.path} was written by a newer version of this tool",
                    cure="use that version, or another --output_dir",
                )
            if line is not None:
                yield start, text, line


class Known(NamedTuple):
    """What is held of a record; the rest is read when it is asked for."""

    identity: FileIdentity
    fingerprint: str
    start: int
    """Of its line in the file, in bytes."""
    length: int
    placed: int = -1
    """Start of the line that says what stands under its name; -1 where none says it."""
    found_in: str = ""
    """The input that it was found in last; empty in records of before."""
    gone: bool = False
    """Whether a run did not find it there any more."""


class LedgerState(LedgerReader):
    """What the lines so far come to.

    Their kinds: ``ledger`` (the first: format), ``started`` and ``given_up`` (a video is under way, or no longer),
    ``video`` (its record, the last of a path counts), ``gone`` and ``seen`` (its file is no longer where it was found;
    it is there again, or in another input), ``moving`` (its own file is about to go to the output folder), ``placed``
    (what was put there, or whether it is the video's own file) and ``forget`` (records above are no longer used instead
    of scoring).
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.known: dict[str, Known] = {}
        """By relative path, in the order of their first appearance."""
        self.earlier: dict[str, set[FileIdentity]] = {}
        """Identities of records that later ones took the place of, where they differ."""
        self.under_way: dict[str, FileIdentity] = {}
        """Started and not heard of since: in a new run, what was under way when the last one died."""
        self.moved: set[str] = set()
        """Videos whose own files are in the output folder, or were about to go there when a run died."""
        self.has_scores = False
        """Whether any video was ever scored."""
        self.stale: set[str] = set()
        """Those that were forgotten and have no record since."""
        self.last_forget = -1
        """Where the line starts above which records are forgotten."""

    def load(self, texts: Iterable[bytes]) -> None:
        """Takes all lines. Raises UsageError for the ledger of a newer version."""
        for start, text, line in self.lines(texts):
            self.take(line, start, len(text))

    def take(self, line: LedgerLine | None, start: int, length: int) -> None:
        """One line more; ``start`` and ``length`` say where it stands."""
        if isinstance(line, Video):
            path, before = line.path, self.known.get(line.path)
            if before is not None and before.identity != line.identity:
                self.earlier.setdefault(path, set()).add(before.identity)
            # The same text in each line, held once.
            placed = before.placed if before else -1
            fingerprint, found_in = sys.intern(line.fingerprint), sys.intern(line.found_in)
            self.known[path] = Known(line.identity, fingerprint, start, length, placed, found_in)
            self.has_scores = self.has_scores or bytes(line.score) != b"null"
            self.stale.discard(path)
            self.under_way.pop(path, None)
        elif isinstance(line, Started):
            self.under_way[line.path] = line.identity
        elif isinstance(line, GivenUp):
            self.under_way.pop(line.path, None)
        elif isinstance(line, (Seen, Gone)):
            if known := self.known.get(line.path):
                found_in = sys.intern(line.found_in) if isinstance(line, Seen) else known.found_in
                self.known[line.path] = known._replace(found_in=found_in, gone=isinstance(line, Gone))
        elif isinstance(line, Moving):
            self.moved.add(line.path)
        elif isinstance(line, Placed):
            (self.moved.add if line.is_move else self.moved.discard)(line.path)
            if known := self.known.get(line.path):
                self.known[line.path] = known._replace(placed=start if line.placement else -1)
        elif isinstance(line, Forget):
            self.last_forget = start
            self.stale.update(self.known)


@contextmanager
def open_for_reading(path: Path) -> Iterator[BinaryIO]:
    """Raises UsageError where there is no ledger."""
    try:
        with open(path, "rb") as reader:
            yield reader
    except OSError as error:
        raise UsageError(
            f"{path}: {(error.strerror or '').lower()}", cure="give the output folder of an earlier run"
        ) from error

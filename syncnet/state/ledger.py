"""What is already done in an output folder: one line a video, added and never changed, that survives a kill."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.state.ledger_lines import FORMAT, Forget, GivenUp, Head, LedgerLine, Moving, Started, Video, read_line
from syncnet.state.records import VideoRecord, read_record, record_to_plain


class _Known(NamedTuple):
    """What is held of a record; the rest is read when it is asked for."""

    identity: FileIdentity
    fingerprint: str
    start: int
    """Of its line in the file, in bytes."""
    length: int


class Ledger:
    """The lines of ``ledger.jsonl`` and what they come to. One process writes; its threads may take turns.

    Kinds of lines: ``ledger`` (the first: format), ``started`` and ``given_up`` (a video is under way, or no longer),
    ``video`` (its record, the last of a path counts), ``moving`` (its file itself goes to the output folder) and
    ``forget`` (records above are no longer used instead of scoring).
    """

    def __init__(self, path: Path) -> None:
        self.under_way: dict[str, FileIdentity] = {}
        """Started and not heard of since: in a new run, what was under way when the last one died."""
        self.damaged_lines = 0
        """Lines that could not be read; their videos are scored again."""
        self._known: dict[str, _Known] = {}
        self._unreadable: set[str] = set()
        self._moved: set[str] = set()
        self._stale: set[str] = set()
        self._earlier: dict[str, set[FileIdentity]] = {}
        """Identities of records that later ones took the place of, where they differ."""
        self._turn = threading.Lock()
        self._path = path
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            self._end = self._load()
        except BaseException:
            os.close(self._handle)
            raise

    def close(self) -> None:
        os.close(self._handle)

    @property
    def records(self) -> Mapping[str, VideoRecord]:
        """By relative path, in the order of their first appearance. Each look at one reads it from the file."""
        return _Records(self._known, self._record)

    def reusable(self, path: str, identity: FileIdentity, fingerprint: str) -> VideoRecord | None:
        """The record that stands for scoring this file again, whatever it says; None where there is none."""
        known = self._known.get(path)
        if known is None or path in self._stale or (known.identity, known.fingerprint) != (identity, fingerprint):
            return None
        return self._record(path)

    def knows(self, path: str, identity: FileIdentity) -> bool:
        """Whether a file like this was ever recorded under this path: then a copy of it is this tool's."""
        known = self._known.get(path)
        if known is None:
            return False
        return any(one.is_of_copy(identity) for one in (known.identity, *self._earlier.get(path, ())))

    def was_moved(self, path: str) -> bool:
        """Whether the file itself was taken to the output folder, so that nothing may replace it there."""
        return path in self._moved

    def note_started(self, path: str, identity: FileIdentity) -> None:
        """The video is under way. Lost with the power, not with the process: that is all it is needed for."""
        self._append({"kind": "started", "path": path, "identity": _plain(identity)}, sync=False)

    def note_given_up(self, path: str) -> None:
        """The video is no longer under way and has no record: the run is being stopped, or the file changed."""
        self._append({"kind": "given_up", "path": path}, sync=False)

    def add(self, record: VideoRecord) -> None:
        """Returns when the record is on the disk. Raises OSError, leaving the ledger as it was."""
        self._append({"kind": "video", **record_to_plain(record)}, sync=True)

    def note_moving(self, path: str) -> None:
        """To be called before a video's own file is moved."""
        self._append({"kind": "moving", "path": path}, sync=True)

    def forget(self) -> None:
        """No record so far is used instead of scoring any more. Those of videos that are gone stay.

        Raises UsageError where that cannot be written.
        """
        try:
            self._append({"kind": "forget"}, sync=True)
        except OSError as error:
            raise _cannot_open(self._path, error) from error

    def _append(self, line: dict[str, Any], *, sync: bool) -> None:
        # ASCII, so that names of any bytes come back as they were.
        data = json.dumps(line, allow_nan=False).encode("ascii") + b"\n"
        with self._turn:
            try:
                written = 0
                while written < len(data):
                    written += os.pwrite(self._handle, data[written:], self._end + written)
                if sync:
                    os.fsync(self._handle)
            except BaseException:
                # Half a line would swallow the next one.
                os.ftruncate(self._handle, self._end)
                raise
            self._take(read_line(data), self._end, len(data))
            self._end += len(data)

    def _load(self) -> int:
        """Reads all lines, cuts off a last one that a kill tore, and returns the length in bytes."""
        end = size = 0
        with open(self._handle, "rb", closefd=False) as reader:
            for text in reader:
                size += len(text)
                if text.endswith(b"\n"):
                    self._see(text, end)
                    end = size
        if end < size:
            os.ftruncate(self._handle, end)
        if end == 0:
            head = json.dumps({"kind": "ledger", "format": FORMAT}).encode() + b"\n"
            os.pwrite(self._handle, head, 0)
            os.fsync(self._handle)
            end = len(head)
        return end

    def _see(self, text: bytes, start: int) -> None:
        try:
            line = read_line(text)
        except ValueError:
            self.damaged_lines += 1
            return
        if start == 0 and isinstance(line, Head) and line.format > FORMAT:
            raise UsageError(
                f"{self._path} was written by a newer version of this tool",
                cure="use that version, or another --output_dir",
            )
        self._take(line, start, len(text))

    def _take(self, line: LedgerLine | None, start: int, length: int) -> None:
        if isinstance(line, Video):
            path, before = line.path, self._known.get(line.path)
            if before is not None and before.identity != line.identity:
                self._earlier.setdefault(path, set()).add(before.identity)
            # The same text in each line, held once.
            self._known[path] = _Known(line.identity, sys.intern(line.fingerprint), start, length)
            self._stale.discard(path)
            self._unreadable.discard(path)
            self.under_way.pop(path, None)
        elif isinstance(line, Started):
            self.under_way[line.path] = line.identity
        elif isinstance(line, GivenUp):
            self.under_way.pop(line.path, None)
        elif isinstance(line, Moving):
            self._moved.add(line.path)
        elif isinstance(line, Forget):
            self._stale.update(self._known)

    def _record(self, path: str) -> VideoRecord | None:
        """The last record of a path, from the file; None, and counted once, where it is none."""
        known = self._known.get(path)
        if known is None or path in self._unreadable:
            return None
        try:
            return read_record(os.pread(self._handle, known.length, known.start))
        except ValueError:
            self._unreadable.add(path)
            self.damaged_lines += 1
            return None


class _Records(Mapping[str, VideoRecord]):
    """A look at the records of a ledger."""

    def __init__(self, known: Mapping[str, object], read: Callable[[str], VideoRecord | None]) -> None:
        self._known = known
        self._read = read

    def __getitem__(self, path: str) -> VideoRecord:
        record = self._read(path)
        if record is None:
            raise KeyError(path)
        return record

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """The ledger, made where there is none. Raises UsageError where it cannot be opened; hold the folder's lock."""
    try:
        ledger = Ledger(path)
    except OSError as error:
        raise _cannot_open(path, error) from error
    try:
        yield ledger
    finally:
        ledger.close()


def _cannot_open(path: Path, error: OSError) -> UsageError:
    return UsageError(
        f"{path}: {error.strerror}", cure="check that it can be read and written, and that the disk is not full"
    )


def _plain(identity: FileIdentity) -> dict[str, int]:
    return {"size": identity.size, "mtime_ns": identity.mtime_ns}

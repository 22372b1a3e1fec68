"""What is already done in an output folder: one line a video, added and never changed, that survives a kill."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.inputs.origin import SPARE_MARK, Placement
from syncnet.state.codec import to_plain
from syncnet.state.ledger_lines import FORGET, HEAD, Placed, read_line, started_line, write_line
from syncnet.state.ledger_state import LedgerState
from syncnet.state.records import VideoRecord, read_record, record_to_plain

_LINE_BYTES = 1024


class Ledger(LedgerState):
    """The lines of ``ledger.jsonl`` and what they come to. One process writes; its threads may take turns."""

    def __init__(self, path: Path, *, look_only: bool = False) -> None:
        super().__init__(path)
        self._unreadable: set[int] = set()
        """Starts of records that were asked for in vain."""
        self._turn = threading.Lock()
        self._handle = os.open(path, os.O_CLOEXEC | (os.O_RDONLY if look_only else os.O_RDWR | os.O_CREAT), 0o666)
        try:
            self._load(look_only=look_only)
        except BaseException:
            os.close(self._handle)
            raise

    def close(self) -> None:
        os.close(self._handle)

    @property
    def records(self) -> Mapping[str, VideoRecord]:
        """By relative path, in the order of their first appearance. Each look at one reads it from the file."""
        return _Records(self.known, self._record)

    def reusable(self, path: str, identity: FileIdentity, fingerprint: str) -> VideoRecord | None:
        """The record that stands for scoring this file again, whatever it says; None where there is none."""
        known = self.known.get(path)
        if known is None or path in self.stale or (known.identity, known.fingerprint) != (identity, fingerprint):
            return None
        return self._record(path)

    def knows(self, path: str, identity: FileIdentity) -> bool:
        """Whether a file like this was ever recorded under this path: then a copy of it is this tool's."""
        known = self.known.get(path)
        if known is None:
            return False
        return any(one.is_of_copy(identity) for one in (known.identity, *self.earlier.get(path, ())))

    def was_moved(self, path: str) -> bool:
        """Whether the file itself was taken to the output folder, or a run died while it was about to be."""
        return path in self.moved

    def identity_of(self, path: str) -> FileIdentity | None:
        """Of the last record of this path, without reading it; None where there is none."""
        known = self.known.get(path)
        return known.identity if known else None

    def source_of(self, path: str) -> str:
        """The video's own path below the input folder; another than that of its record where that name was taken."""
        # Every such name has the sign in it, and reading a record takes a while.
        record = self._record(path) if SPARE_MARK in path else None
        return (record.source if record else "") or path

    def placement(self, path: str) -> Placement | None:
        """What was put under this name last; None where nothing was, or where a version wrote it that noted none."""
        known = self.known.get(path)
        if known is None or known.placed < 0:
            return None
        text = bytearray()
        while b"\n" not in text and (piece := os.pread(self._handle, _LINE_BYTES, known.placed + len(text))):
            text += piece
        line = read_line(bytes(text.partition(b"\n")[0]))
        return line.placement if isinstance(line, Placed) else None

    def has_placement(self, path: str) -> bool:
        """Whether ``placement`` would give one, without reading it."""
        known = self.known.get(path)
        return known is not None and known.placed >= 0

    def note_seen(self, path: str, found_in: str) -> None:
        """Its file was found in this input. Like ``note_gone``, lost with the power it is found out again."""
        self._append(write_line("seen", path=path, found_in=found_in), sync=False)

    def note_gone(self, path: str) -> None:
        """Its file is no longer where it was found."""
        self._append(write_line("gone", path=path), sync=False)

    def note_started(self, path: str, identity: FileIdentity) -> None:
        """The video is under way. Lost with the power, not with the process: that is all it is needed for."""
        self._append(started_line(path, identity), sync=False)

    def note_given_up(self, path: str) -> None:
        """The video is no longer under way and has no record: the run is being stopped, or the file changed."""
        self._append(write_line("given_up", path=path), sync=False)

    def add(self, record: VideoRecord) -> None:
        """Returns when the record is on the disk. Raises OSError, leaving the ledger as it was.

        A failure that stands there already is not written once more: lists name thousands of files that are not there.
        """
        if record.score is None and self._stands(record):
            return
        self._append(write_line("video", **record_to_plain(record)), sync=True)

    def _stands(self, record: VideoRecord) -> bool:
        known = self.known.get(record.path)
        if known is None or known.identity != record.identity or {record.path} & (self.stale | self.under_way.keys()):
            return False
        last = self._record(record.path)
        return last is not None and replace(last, seconds=record.seconds) == record

    def note_moving(self, path: str) -> None:
        """To be called before a video's own file is moved."""
        self._append(write_line("moving", path=path), sync=True)

    def note_placed(self, path: str, placement: Placement | None) -> None:
        """What stands under the name now. Lost with the power it is found out again, so nobody waits for it."""
        self._append(write_line("placed", path=path, placement=placement and to_plain(placement)), sync=False)

    def forget(self) -> None:
        """No record so far is used instead of scoring any more. Those of videos that are gone stay.

        Raises UsageError where that cannot be written.
        """
        try:
            self._append(FORGET, sync=True)
        except OSError as error:
            raise _cannot_open(self.path, error) from error

    def _append(self, data: bytes, *, sync: bool) -> None:
        with self._turn:
            try:
                written = 0
                while written < len(data):
                    written += os.pwrite(self._handle, data[written:], self.end + written)
                if sync:
                    os.fsync(self._handle)
            except BaseException:
                # Half a line would swallow the next one.
                os.ftruncate(self._handle, self.end)
                raise
            self.load((data,))

    def _load(self, *, look_only: bool) -> None:
        """Reads all lines, cuts off a last one that a kill tore, and begins a ledger where there is none."""
        with open(self._handle, "rb", closefd=False) as reader:
            self.load(reader)
        if look_only:
            return
        if self.end < os.fstat(self._handle).st_size:
            os.ftruncate(self._handle, self.end)
        if self.end == 0:
            self._append(HEAD, sync=True)

    def _record(self, path: str) -> VideoRecord | None:
        """The last record of a path, from the file; None, and counted once, where it is none."""
        known = self.known.get(path)
        if known is None or known.start in self._unreadable:
            return None
        try:
            return read_record(os.pread(self._handle, known.length, known.start))
        except ValueError:
            self._unreadable.add(known.start)
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
    with _opened(path, look_only=False) as ledger:
        yield ledger


@contextmanager
def look_at_ledger(path: Path) -> Iterator[Ledger]:
    """The ledger as it stands, also while a run is adding to it. Nothing may be added. Raises UsageError."""
    with _opened(path, look_only=True) as ledger:
        yield ledger


@contextmanager
def _opened(path: Path, *, look_only: bool) -> Iterator[Ledger]:
    try:
        ledger = Ledger(path, look_only=look_only)
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

"""What is already done in an output folder: one line a video, added and never changed, that survives a kill."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncnet.discovery import FileIdentity
from syncnet.errors import UsageError
from syncnet.records import VideoRecord, record_from_plain, record_to_plain

FORMAT = 1


class Ledger:
    """The lines of ``ledger.jsonl`` and what they come to. One process writes; its threads may take turns.

    Kinds of lines: ``ledger`` (the first: format), ``started`` and ``given_up`` (a video is under way, or no longer),
    ``video`` (its record, the last of a path counts), ``moving`` (its file itself goes to the output folder) and
    ``forget`` (records above are no longer used instead of scoring).
    """

    def __init__(self, path: Path) -> None:
        self.records: dict[str, VideoRecord] = {}
        """By relative path, in the order of their first appearance."""
        self.under_way: dict[str, FileIdentity] = {}
        """Started and not heard of since: in a new run, what was under way when the last one died."""
        self.damaged_lines = 0
        """Lines that could not be read; their videos are scored again."""
        self._moved: set[str] = set()
        self._stale: set[str] = set()
        self._identities: dict[str, set[FileIdentity]] = {}
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

    def reusable(self, path: str, identity: FileIdentity, fingerprint: str) -> VideoRecord | None:
        """The record that stands for scoring this file again, whatever it says; None where there is none."""
        record = self.records.get(path)
        if record is None or path in self._stale:
            return None
        return record if (record.identity, record.fingerprint) == (identity, fingerprint) else None

    def knows(self, path: str, identity: FileIdentity) -> bool:
        """Whether a file like this was ever recorded under this path: then a copy of it is this tool's."""
        return any(known.is_of_copy(identity) for known in self._identities.get(path, ()))

    def was_moved(self, path: str) -> bool:
        """Whether the file itself was taken to the output folder, so that nothing may replace it there."""
        return path in self._moved

    def note_started(self, path: str, identity: FileIdentity) -> None:
        """The video is under way. Lost with the power, not with the process: that is all it is needed for."""
        self._append({"kind": "started", "path": path, "identity": vars(identity)}, sync=False)

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
            self._end += len(data)
            self._take(line)

    def _load(self) -> int:
        """Reads all lines, cuts off a last one that a kill tore, and returns the length in bytes."""
        with open(self._handle, "rb", closefd=False) as reader:
            data = reader.read()
        end = data.rfind(b"\n") + 1
        for number, text in enumerate(data[:end].splitlines()):
            try:
                line = json.loads(text)
                if number == 0 and line.get("kind") == "ledger" and line["format"] > FORMAT:
                    raise UsageError(
                        f"{self._path} was written by a newer version of this tool",
                        cure="use that version, or another --output_dir",
                    )
                self._take(line)
            except (ValueError, KeyError, TypeError, AttributeError):
                self.damaged_lines += 1
        if end < len(data):
            os.ftruncate(self._handle, end)
        if end == 0:
            head = json.dumps({"kind": "ledger", "format": FORMAT}).encode() + b"\n"
            os.pwrite(self._handle, head, 0)
            os.fsync(self._handle)
            end = len(head)
        return end

    def _take(self, line: dict[str, Any]) -> None:
        kind = line["kind"]
        if kind == "video":
            record = record_from_plain({name: value for name, value in line.items() if name != "kind"})
            self.records[record.path] = record
            self._identities.setdefault(record.path, set()).add(record.identity)
            self._stale.discard(record.path)
            self.under_way.pop(record.path, None)
        elif kind == "started":
            self.under_way[str(line["path"])] = FileIdentity(**line["identity"])
        elif kind == "given_up":
            self.under_way.pop(line["path"], None)
        elif kind == "moving":
            self._moved.add(str(line["path"]))
        elif kind == "forget":
            self._stale.update(self.records)


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
        f"{path}: {error.strerror}", cure="see that it can be read and written, and that the disk is not full"
    )

"""What became of each file that a repair looked at: a line of JSON each, appended, and read by the next run."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from syncnet.errors import UsageError
from syncnet.system.atomic import write_file
from syncnet.system.handles import open_handle, read_at
from syncnet.system.plain import read_json

RECORDS_NAME = "repairs.jsonl"
RepairStatus = Literal["repaired", "refused", "in_sync"]
STATUSES = ("repaired", "refused", "in_sync")


@dataclass(frozen=True)
class RepairRecord:
    """One file. Offsets in milliseconds; positive: the sound comes early."""

    source: str
    """Its path."""
    relative_path: str
    """Below ``repaired/``, and below the folder that it is from."""
    size: int
    mtime_ns: int
    status: RepairStatus
    wanted: str = ""
    """The options that were given."""
    repaired_path: str | None = None
    correction: str = ""
    """In words."""
    correction_ms: float | None = None
    """By how much the sound was delayed, where it was most; below zero, brought forward."""
    steps: list[list[float]] = field(default_factory=list)
    """From a second on, a delay in milliseconds."""
    drift_ms_per_minute: float | None = None
    sound: str | None = None
    """``shift`` or ``encode``."""
    offset_before_ms: float | None = None
    residual_ms: float | None = None
    """The offset of the repaired file, scored as any other."""
    passes: bool | None = None
    """Whether the repaired file passes by the thresholds."""
    reason: str = ""
    """Why it was refused."""
    cure: str = ""
    failed: bool = False
    """Whether there is no score of the file, so that a later run may have more luck."""


class Records:
    """The file of an output folder. Hold the folder's lock."""

    def __init__(self, output_dir: Path) -> None:
        """Raises UsageError where a file of that name is not this tool's."""
        self.path = output_dir / RECORDS_NAME
        self.known = {record.relative_path: record for record in _read(self.path)}
        """The last of each."""

    def find(self, relative_path: str, source: os.stat_result, wanted: str) -> RepairRecord | None:
        """The record of the same file with the same options, where what it tells is still so."""
        record = self.known.get(relative_path)
        if record is None or record.failed or (record.size, record.mtime_ns) != (source.st_size, source.st_mtime_ns):
            return None
        if record.status == "repaired" and not os.path.lexists(str(record.repaired_path)):
            return None
        return record if record.status == "repaired" or record.wanted == wanted else None

    def drop(self, names: Collection[str]) -> None:
        """Forgets the files of these relative paths; the last records of the others stay. Raises OSError."""
        if self.known.keys() & names:
            self.known = {name: record for name, record in self.known.items() if name not in names}
            lines = (json.dumps(asdict(record)) + "\n" for record in self.known.values())
            write_file(self.path, "".join(lines).encode("ascii"))

    def add(self, record: RepairRecord) -> None:
        """On the disk when it returns. Raises OSError."""
        self.known[record.relative_path] = record
        line = json.dumps(asdict(record)) + "\n"
        handle = open_handle(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        try:
            end = os.lseek(handle, 0, os.SEEK_END)
            if end and read_at(handle, 1, end - 1) != b"\n":
                # A kill has left half a line.
                line = "\n" + line
            os.write(handle, line.encode("ascii"))
            os.fsync(handle)
        finally:
            os.close(handle)


def _read(path: Path) -> Iterator[RepairRecord]:
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}", cure="give another --output_dir") from error
    understood = [record for line in lines if (record := _parsed(line)) is not None]
    if lines and not understood:
        raise UsageError(f"{path} is not a list of repairs", cure="move it, or give another --output_dir")
    yield from understood


def _parsed(line: bytes) -> RepairRecord | None:
    try:
        given: Any = read_json(line)
        record = RepairRecord(**given)
        sound = isinstance(record.relative_path, str) and record.status in STATUSES
    except (ValueError, TypeError):
        return None
    return record if sound else None

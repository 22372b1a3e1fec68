"""A file of decisions, as the report page saves it or a person writes it: read and checked."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.system.atomic import write_file
from syncnet.system.plain import read_json
from syncnet.system.text import printable

FORM = '{"video": "NAME", "decision": "accept"}'
MOST_NOTE = 2000
"""Characters. It stands in tables and on the page."""

Key = tuple[str, float | None, float | None, int | None]


class Entry(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"start": "from", "end": "to"},
):
    """One decision. A key that is misspelled is refused: without its ``from`` it would be about the whole video."""

    video: str
    """Its name in the output folder, ``relative_path`` in the results."""
    decision: Literal["accept", "reject", "none"]
    """``none`` takes back what was decided before."""
    note: str = ""
    start: float | None = None
    """Seconds; with ``end``, of the segments between the two."""
    end: float | None = None
    track: int | None = None
    """Of segments of this face alone."""
    file_size: int | None = None
    """Bytes, of the file that was looked at; with ``modified_ns``."""
    modified_ns: int | str | None = None
    """Its modification time. As a text, too: JavaScript has no whole numbers of that size."""

    @property
    def key(self) -> Key:
        """What it is about. Of two with the same key, the later one counts."""
        return self.video, self.start, self.end, self.track

    @property
    def identity(self) -> FileIdentity | None:
        """Of the file that was looked at; None where that is not said."""
        if self.file_size is None or self.modified_ns is None:
            return None
        return FileIdentity(self.file_size, int(self.modified_ns))

    def renamed(self, video: str, identity: FileIdentity) -> Entry:
        """The same, of this file, which is the one that it is about under another name."""
        renamed = msgspec.structs.replace(self, video=video)
        return renamed.about(identity) if self.identity else renamed

    def about(self, identity: FileIdentity) -> Entry:
        """The same, of this file."""
        # As a text: what the page reads it with has no whole numbers of that size.
        return msgspec.structs.replace(self, file_size=identity.size, modified_ns=str(identity.mtime_ns))


def read_decisions(path: Path) -> list[Entry]:
    """JSON lines, a JSON list, or a single object. Raises UsageError, which names the line or the entry."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path}: {(error.strerror or '').lower()}", cure="give a file of decisions") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not a text in UTF-8", cure="save it as UTF-8") from error
    return [_checked(value, f"{path}, {where}") for where, value in _values(text, path)]


def write_decisions(entries: Iterable[Entry], path: Path) -> None:
    """A line each. Raises OSError, leaving the old file as it was."""
    # ASCII, so that names of any bytes come back as they were.
    lines = (json.dumps(msgspec.to_builtins(entry)) + "\n" for entry in entries)
    write_file(path, "".join(lines).encode("ascii"))


def _values(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    """Each decision, not yet checked, and where it stands."""
    try:
        whole = read_json(text)
    except ValueError:
        yield from _lines(text, path)
        return
    if not isinstance(whole, list):
        whole = [whole]
    yield from ((f"entry {number}", value) for number, value in enumerate(whole, 1))


def _lines(text: str, path: Path) -> Iterator[tuple[str, Any]]:
    # Not splitlines, which takes a separator within a text for the end of a line.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield f"line {number}", read_json(line)
        except ValueError as error:
            raise UsageError(f"{path}, line {number}: no JSON", cure=f"each line is like {FORM}") from error


def _checked(value: Any, where: str) -> Entry:
    try:
        entry = msgspec.convert(value, Entry)
        problem = _problem(entry)
    except (msgspec.ValidationError, OverflowError) as error:
        problem = str(error)
    if problem:
        raise UsageError(f"{printable(where)}: {printable(problem)}", cure=f"each decision is like {FORM}")
    return entry


def _problem(entry: Entry) -> str:
    """What is wrong with it beside the types of its parts; empty where nothing is."""
    if not entry.video:
        return "the name of the video is empty"
    if len(entry.note) > MOST_NOTE:
        return f"the note is longer than {MOST_NOTE} characters"
    if (entry.start is None) != (entry.end is None):
        return "`from` and `to` go together"
    if entry.start is not None and entry.end is not None and not 0 <= entry.start < entry.end < math.inf:
        return f"`from` {entry.start:g} and `to` {entry.end:g} are no range of seconds"
    if entry.track is not None and (entry.start is None or entry.track < 0):
        return "`track` is the number of a face, and goes with `from` and `to`"
    if (entry.file_size is None) != (entry.modified_ns is None):
        return "`file_size` and `modified_ns` go together"
    if isinstance(entry.modified_ns, str) and not _is_whole(entry.modified_ns):
        return "`modified_ns` is no whole number"
    return ""


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 20

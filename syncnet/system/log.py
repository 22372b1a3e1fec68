"""A log with time stamps, for runs that nobody watches."""

from __future__ import annotations

import contextlib
import json
import logging
import logging.handlers
import math
import re
from datetime import datetime
from pathlib import Path
from typing import Literal

from syncnet.errors import UsageError
from syncnet.system.text import printable

MOST_BYTES = 5_000_000
OLD_FILES = 5
_HEAD_BYTES = 64
_FIRST_LINE = re.compile(rb'\Z|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ |\{"time": "')
"""How each line of a log begins; an empty file is as good as none."""
Fact = str | float | int | bool | None


class Log:
    """Writes lines to a file, or nowhere. A disk that is full does not end the run."""

    def __init__(self, path: Path | None, form: Literal["text", "json"] = "text") -> None:
        """Raises UsageError where the file cannot be opened."""
        # Not one of the process's named loggers: two runs in one process must not write into each other's files.
        self._logger = logging.Logger("sync_filter")  # noqa: LOG001 (see above)
        self._logger.addHandler(logging.NullHandler())
        if path is None:
            return
        try:
            for file in (path, *(path.with_name(f"{path.name}.{number}") for number in range(1, OLD_FILES + 1))):
                _refuse_foreign(file)
            handler = _QuietHandler(
                path, maxBytes=MOST_BYTES, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace"
            )
        except OSError as error:
            raise UsageError(
                f"--log_file {path}: {error.strerror}", cure="give a file that can be written to"
            ) from error
        plain = logging.Formatter("%(asctime)s %(levelname)s %(message)s")
        handler.setFormatter(_JsonFormatter() if form == "json" else plain)
        self._logger.addHandler(handler)

    def info(self, line: str, **facts: Fact) -> None:
        """``facts`` are the line's content for programs; only a log of JSON has them."""
        self._logger.info("%s", printable(line), extra={"facts": facts})

    def error(self, line: str, **facts: Fact) -> None:
        self._logger.error("%s", printable(line), extra={"facts": facts})

    def close(self) -> None:
        for handler in self._logger.handlers:
            # Closing writes what is still held back, and a full disk refuses that too.
            with contextlib.suppress(OSError):
                handler.close()


def _refuse_foreign(path: Path) -> None:
    """Raises UsageError for a file that is no log of this tool: rotated away one day, it would be lost."""
    if not path.is_file():
        return
    with open(path, "rb") as reader:
        if not _FIRST_LINE.match(reader.read(_HEAD_BYTES)):
            raise UsageError(f"--log_file: {path} is not a log of this tool", cure="give another file, or move it away")


class _JsonFormatter(logging.Formatter):
    """One object a line: time (ISO 8601, with the offset from UTC), level, message, and the facts by their names."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="milliseconds")
        told = {"time": moment, "level": record.levelname.lower(), "message": record.getMessage()}
        facts = {name: _without_nan(fact) for name, fact in getattr(record, "facts", {}).items()}
        # ASCII: names that are no valid UTF-8 come out as the escapes that Python reads back to the same bytes.
        return json.dumps({**told, **facts}, allow_nan=False)


def _without_nan(fact: Fact) -> Fact:
    return None if isinstance(fact, float) and not math.isfinite(fact) else fact


class _QuietHandler(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is the base class's)
        """Says nothing: the base class would print a traceback for each line that finds no room."""

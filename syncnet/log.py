"""A log with time stamps, for runs that nobody watches."""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.text import printable

MOST_BYTES = 5_000_000
OLD_FILES = 5


class Log:
    """Writes lines to a file, or nowhere. A disk that is full does not end the run."""

    def __init__(self, path: Path | None) -> None:
        """Raises UsageError where the file cannot be opened."""
        # Not one of the process's named loggers: two runs in one process must not write into each other's files.
        self._logger = logging.Logger("sync_filter")
        self._logger.addHandler(logging.NullHandler())
        if path is None:
            return
        try:
            handler = _QuietHandler(
                path, maxBytes=MOST_BYTES, backupCount=OLD_FILES, encoding="utf-8", errors="backslashreplace"
            )
        except OSError as error:
            raise UsageError(
                f"--log_file {path}: {error.strerror}", cure="give a file that can be written to"
            ) from error
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        self._logger.addHandler(handler)

    def info(self, line: str) -> None:
        self._logger.info("%s", printable(line))

    def error(self, line: str) -> None:
        self._logger.error("%s", printable(line))

    def close(self) -> None:
        for handler in self._logger.handlers:
            # Closing writes what is still held back, and a full disk refuses that too.
            with contextlib.suppress(OSError):
                handler.close()


class _QuietHandler(logging.handlers.RotatingFileHandler):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 (the name is the base class's)
        """Says nothing: the base class would print a traceback for each line that finds no room."""

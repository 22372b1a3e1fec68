"""stdout and stderr of a process that may have been started without them, or whose reader goes away."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

_STDIN, _STDOUT, _STDERR = range(3)


class _Tolerant:
    """A text stream that is silent from the first write on that fails: a full disk, a pipe that nobody reads."""

    def __init__(self, stream: TextIO, descriptor: int) -> None:
        self._stream = stream
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        with self._silenced_by_errors():
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with self._silenced_by_errors():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    @contextlib.contextmanager
    def _silenced_by_errors(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError):
            _silence(self._descriptor)


def write_out(pieces: Iterable[bytes]) -> None:
    """Bytes to stdout, whose reader may have gone: ``| head``. Raises OSError where a file takes no more of them."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.writelines(pieces)
        sys.stdout.buffer.flush()
    except OSError as error:
        _silence(sys.stdout.fileno())
        # The second is what Windows says of a pipe that nobody reads.
        if error.errno not in (errno.EPIPE, errno.EINVAL):
            raise


def print_out(text: str) -> None:
    """Text to stdout, whose reader may have gone."""
    try:
        print(text, end="", flush=True)
    except OSError:
        _silence(sys.stdout.fileno())


def _silence(descriptor: int) -> None:
    """What is still held back goes nowhere too, instead of failing once more at the end of the process."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, descriptor)
        os.close(nowhere)


def prepare_streams() -> None:
    """For a process of its own, before anything is opened or said: no message that cannot be written ends it."""
    # A descriptor that was closed would be given to the next file, and a library's words would go into that.
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        continue
    os.close(descriptor)
    for name, number in (("stdout", _STDOUT), ("stderr", _STDERR)):
        stream = getattr(sys, name) or open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (as long as the process)
        # A terminal that cannot show a letter of a name is no reason to stop.
        stream.reconfigure(errors="backslashreplace")
        setattr(sys, name, _Tolerant(stream, number))
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115

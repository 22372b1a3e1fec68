"""The lists that ``rejudge`` writes: to a file, whole or not at all, or to stdout."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.report.ownership import refuse_other_kind
from syncnet.settings import STDIN
from syncnet.system.atomic import write_file
from syncnet.system.streams import write_out

STDOUT = STDIN
"""The same name stands for it."""


def refuse_wrong_lists(options: argparse.Namespace, kinds: Mapping[str, Callable[[Path], bool]]) -> bool:
    """Whether stdout is for one of the lists. ``kinds``: by flag, what tells whether a file holds such a list.

    Raises UsageError where a list would go over a file of another kind, and where two would be mixed.
    """
    to_stdout = []
    for flag, is_such in kinds.items():
        path = getattr(options, flag)
        if path == STDOUT:
            to_stdout.append(f"--{flag} -")
        elif path:
            refuse_other_kind(path, is_such)
    if len(to_stdout) > 1:
        raise UsageError(f"{' and '.join(to_stdout)} would be mixed", cure="give a file for all but one")
    return bool(to_stdout)


def write_list(path: Path, write: Callable[[Path], None]) -> None:
    """``write`` is given the file to write. Raises UsageError."""
    try:
        if path != STDOUT:
            write(path)
            return
        with tempfile.TemporaryDirectory(prefix="sync_filter_") as folder:
            # Its lines are bytes: names may be of any. They come by way of a file, as they do elsewhere.
            whole = Path(folder) / "list"
            write(whole)
            with open(whole, "rb") as reader:
                write_out(reader)
    except OSError as error:
        where = "to stdout" if path == STDOUT else path
        raise UsageError(f"cannot write {where}: {error.strerror}", cure="check that it can be written") from error


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Raises UsageError."""
    write_list(path, lambda to: write_file(to, _encoded(lines)))


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (os.fsencode(line) + b"\n" for line in lines)

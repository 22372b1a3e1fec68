"""Ledgers of several folders -> one, line by line: none of their records is held."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.inputs.discovery import SOUND_SIGN, FileIdentity
from syncnet.state.ledger_lines import FORGET, HEAD, Gone, Moving, Placed, Seen, Video, started_line
from syncnet.state.ledger_state import LedgerReader, LedgerState, open_for_reading
from syncnet.system.atomic import write_file


def read_part(path: Path) -> LedgerState:
    """Raises UsageError where there is no ledger."""
    part = LedgerState(path)
    with open_for_reading(path) as reader:
        part.load(reader)
    return part


def check_parts(parts: Sequence[LedgerState]) -> None:
    """Raises UsageError where scores of two kinds, or two files under one path, would come together."""
    of_kind: dict[str, Path] = {}
    seen: dict[str, tuple[FileIdentity, Path]] = {}
    for part in parts:
        for name, (identity, fingerprint, *_) in part.known.items():
            if name not in part.stale:
                # Each video may have a sound file of its own.
                of_kind.setdefault(fingerprint.partition(SOUND_SIGN)[0], part.path)
            known, where = seen.setdefault(name, (identity, part.path))
            if known != identity:
                raise UsageError(
                    f"{name} differs between {_folder(part.path)} and {_folder(where)}",
                    cure="merge only parts of one input folder",
                )
    if len(of_kind) > 1:
        first, second, *_ = of_kind.values()
        folders = f"{_folder(first)} and {_folder(second)}" if first != second else f"within {_folder(first)}"
        raise UsageError(
            f"scores of different settings, models or versions cannot be compared ({folders})",
            cure="repeat the run of each part with the same flags",
        )


def write_merged(parts: Sequence[LedgerState], path: Path) -> None:
    """Replaces the ledger at one stroke, and returns when it is on the disk. Raises OSError."""
    write_file(path, _merged(parts))


def _merged(parts: Sequence[LedgerState]) -> Iterator[bytes]:
    """A ``forget`` holds for all lines above it, so what each part forgot comes first."""
    yield HEAD
    forgetting = [part for part in parts if part.last_forget >= 0]
    for part in forgetting:
        yield from _lasting(part, forgotten=True)
    if forgetting:
        yield FORGET
    for part in parts:
        yield from _lasting(part, forgotten=False)
        yield from itertools.starmap(started_line, part.under_way.items())


def _lasting(part: LedgerState, *, forgotten: bool) -> Iterator[bytes]:
    with open_for_reading(part.path) as reader:
        for start, text, line in LedgerReader(part.path).lines(reader):
            if isinstance(line, (Video, Seen, Gone, Moving, Placed)) and (start < part.last_forget) == forgotten:
                yield text


def _folder(ledger: Path) -> Path:
    return ledger.parent.parent

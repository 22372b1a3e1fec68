"""Ledgers of several folders -> one, line by line: what is held of each video is a number."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.state.ledger_scan import BriefLine, LedgerScan
from syncnet.system.atomic import write_file

HEAD = b'{"kind": "ledger", "format": 1}\n'
FORGET = b'{"kind": "forget"}\n'
_LASTING = ("video", "moving")


@dataclass
class LedgerPart:
    """What a first look at one ledger gives."""

    path: Path
    videos: dict[str, tuple[FileIdentity | None, str]] = field(default_factory=dict)
    """Relative path -> identity and fingerprint of its last record."""
    stale: set[str] = field(default_factory=set)
    """Those that a rescan forgot and did not come to again."""
    last_forget: int = -1
    """Number of the line below which records are forgotten."""
    under_way: dict[str, bytes] = field(default_factory=dict)


def read_part(path: Path) -> LedgerPart:
    """Raises UsageError where there is no ledger."""
    part = LedgerPart(path)
    for number, (text, line) in enumerate(LedgerScan(path, BriefLine)):
        if line.kind == "video":
            # The same text in each line, held once.
            part.videos[line.path] = (line.identity, sys.intern(line.fingerprint))
            part.stale.discard(line.path)
            part.under_way.pop(line.path, None)
        elif line.kind == "forget":
            part.last_forget = number
            part.stale.update(part.videos)
        elif line.kind == "started":
            part.under_way[line.path] = text
        elif line.kind == "given_up":
            part.under_way.pop(line.path, None)
    return part


def check_parts(parts: Sequence[LedgerPart]) -> None:
    """Raises UsageError where scores of two kinds, or two files under one path, would come together."""
    of_kind: dict[str, Path] = {}
    seen: dict[str, tuple[FileIdentity | None, Path]] = {}
    for part in parts:
        for name, (identity, fingerprint) in part.videos.items():
            if name not in part.stale:
                of_kind.setdefault(fingerprint, part.path)
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


def write_merged(parts: Sequence[LedgerPart], path: Path) -> None:
    """Replaces the ledger at one stroke, and returns when it is on the disk. Raises OSError."""
    write_file(path, _merged(parts))


def _merged(parts: Sequence[LedgerPart]) -> Iterator[bytes]:
    """A ``forget`` holds for all lines above it, so what each part forgot comes first."""
    yield HEAD
    forgetting = [part for part in parts if part.last_forget >= 0]
    for part in forgetting:
        yield from _lasting(part, forgotten=True)
    if forgetting:
        yield FORGET
    for part in parts:
        yield from _lasting(part, forgotten=False)
        yield from part.under_way.values()


def _lasting(part: LedgerPart, *, forgotten: bool) -> Iterator[bytes]:
    for number, (text, line) in enumerate(LedgerScan(part.path, BriefLine)):
        if line.kind in _LASTING and (number < part.last_forget) == forgotten:
            yield text


def _folder(ledger: Path) -> Path:
    return ledger.parent.parent

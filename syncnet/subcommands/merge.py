"""The subcommand ``merge``: folders that parts of one input were sorted into -> one, as a single run leaves it."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from syncnet.decisions.kept import Decisions, keep, read_kept
from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.placement.folders import OutputFolders
from syncnet.placement.slots import look
from syncnet.placement.transfer import move_file
from syncnet.report.ownership import refuse_foreign
from syncnet.report.segments_table import SEGMENTS_CSV_NAME, write_segments_csv
from syncnet.state.ledger_state import LedgerState
from syncnet.state.pinning import Pin, pin_choice
from syncnet.subcommands.merge_ledgers import check_parts, read_part, write_merged
from syncnet.subcommands.merge_results import (
    ResultsPart,
    Standing,
    check_results,
    encode_results,
    merge_results,
    read_entry,
    read_results_part,
)
from syncnet.system.argument_parser import Parser
from syncnet.system.atomic import take_name, write_file
from syncnet.system.interruption import EXIT_SOME_FAILED, StopFlag
from syncnet.system.invocation import PROGRAM
from syncnet.system.locking import hold
from syncnet.system.plain import read_json
from syncnet.system.text import printable
from weights import Identity

DESCRIPTION = "Joins the output folders of several runs with --shard into one. Files are moved, not copied."
KEEPSAKES = "keepsakes"


def main(arguments: Sequence[str]) -> int:
    """Exit code 0, or 1 where some file could not be moved. Raises UsageError before anything is changed."""
    options = build_parser().parse_flags(arguments)
    target = OutputFolders(options.output_dir)
    sources = [OutputFolders(folder) for folder in options.folders]
    if os.path.realpath(target.output_dir) in {os.path.realpath(source.output_dir) for source in sources}:
        raise UsageError(f"{target.output_dir} is one of the parts", cure="give another --output_dir")
    for source in sources:
        if not source.state_dir.is_dir():
            raise UsageError(
                f"{source.output_dir} is not an output folder of this tool", cure="name those of the parts"
            )
    _make(target.state_dir)
    with contextlib.ExitStack() as locks:
        for folders in (target, *sources):
            locks.enter_context(hold(folders.state_dir / "lock"))
        return _merge(sources, target)


def _merge(sources: Sequence[OutputFolders], target: OutputFolders) -> int:
    segments_path = target.output_dir / SEGMENTS_CSV_NAME
    for path in (target.results_path, segments_path):
        refuse_foreign(path)
    decided = [read_kept(folders.state_dir) for folders in (target, *sources)]
    ledgers = [read_part(source.state_dir / "ledger.jsonl") for source in sources]
    check_parts(ledgers)
    _check_kept(ledgers, target)
    results = [read_results_part(source.results_path) for source in sources]
    check_results(results)
    notices = _absent_parts([source.output_dir for source in sources])
    choice = results[0].document
    pin_choice(target.output_dir, target.results_path, Pin(_chosen(choice["model"]), _chosen(choice["detector"])))
    keep(Decisions(entry for part in decided for entry in part.entries.values()), target.state_dir)
    try:
        write_merged(ledgers, target.state_dir / "ledger.jsonl")
        problems = [
            problem
            for source, ledger in zip(sources, ledgers, strict=True)
            for problem in _move_files(source, target, ledger)
        ]
        problems += _follow_verdicts(results, ledgers, target)
        moved = frozenset().union(*(ledger.moved for ledger in ledgers))
        document, entries = merge_results(results, notices, Standing(target, moved))
        write_file(target.results_path, encode_results(document, entries))
        write_segments_csv((read_json(entry()) for entry in entries), segments_path)
    except OSError as error:
        raise UsageError(
            f"cannot write to {target.output_dir}: {error.strerror}",
            cure="check the disk and the space on it, then merge again",
        ) from error
    for line in (*notices, *problems):
        print(f"{PROGRAM}: {printable(line)}", file=sys.stderr)
    print(
        f"{len(entries):,} videos of {len(sources)} folders in {target.output_dir}: {document['good_quality']:,} pass, "
        f"{document['poor_quality']:,} do not pass, {document['no_faces_detected']:,} without a face track, "
        f"{document['processing_failed']:,} failed"
    )
    return EXIT_SOME_FAILED if problems else 0


def _check_kept(ledgers: Sequence[LedgerState], target: OutputFolders) -> None:
    """An earlier merge is done anew; what else the folder holds must not be lost."""
    path = target.state_dir / "ledger.jsonl"
    if not path.exists():
        return
    lost = read_part(path).known.keys() - {name for ledger in ledgers for name in ledger.known}
    if lost:
        raise UsageError(
            f"{target.output_dir} holds {len(lost):,} videos that are in none of the parts, such as {min(lost)}",
            cure="name all parts at once, or give another --output_dir",
        )


def _move_files(source: OutputFolders, target: OutputFolders, ledger: LedgerState) -> Iterator[str]:
    """Yields what could not be moved, and why. What an earlier merge moved is there already."""
    pairs = ((source.good_dir, target.good_dir, target.poor_dir), (source.poor_dir, target.poor_dir, target.good_dir))
    for own, wanted, other in pairs:
        if not own.is_dir():
            continue
        made: set[str] = set()
        for name in ledger.known:
            # Paths are texts here: a million of the other kind take a minute to make.
            file = os.path.join(own, name)
            if os.path.lexists(file):
                try:
                    _move(file, os.path.join(wanted, name), os.path.join(other, name), made)
                except OSError as error:
                    yield f"{file}: could not be moved: {error.strerror or error}"
    kept = source.state_dir / KEEPSAKES
    if kept.is_dir():
        _make(target.state_dir / KEEPSAKES)
        for name in os.listdir(kept):
            os.replace(kept / name, target.state_dir / KEEPSAKES / name)


def _move(file: str, wanted: str, other: str, made: set[str]) -> None:
    """``made``: folders that are known to be there."""
    identity, old = FileIdentity.of(os.lstat(file)), look(wanted)
    if old is not None and FileIdentity.of(old) != identity:
        raise FileExistsError(f"another file is in its place, {wanted}")
    folder = os.path.dirname(wanted)
    if folder not in made:
        os.makedirs(folder, exist_ok=True)
        made.add(folder)
    _rename(file, wanted, old)
    if _identity_at(other) == identity:
        # Of an earlier merge, before its verdict changed.
        os.unlink(other)


def _rename(file: str, wanted: str, old: os.stat_result | None) -> None:
    """``old``: what stands there of an earlier merge."""
    if old is None:
        try:
            take_name(Path(file), Path(wanted))
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
        else:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)
            return
    move_file(Path(file), Path(wanted), StopFlag(), old=old)


def _follow_verdicts(
    results: Sequence[ResultsPart], ledgers: Sequence[LedgerState], target: OutputFolders
) -> Iterator[str]:
    """Files of an earlier merge, whose verdict changed since and of which the parts have no other copy to move.

    Yields what could not be moved, and why.
    """
    sizes = {name: identity.size for ledger in ledgers for name, (identity, *_) in ledger.known.items()}
    for part in results:
        for entry in map(read_entry, part.entries):
            if entry.status != "success" or not entry.relative_path:
                continue
            folders = (target.good_dir, target.poor_dir)
            wanted, other = folders if entry.passes_quality else folders[::-1]
            file = os.path.join(other, entry.relative_path)
            status = look(file)
            if status is None or os.path.lexists(os.path.join(wanted, entry.relative_path)):
                continue
            if stat.S_ISREG(status.st_mode) and status.st_size != sizes.get(entry.relative_path):
                continue
            try:
                os.makedirs(os.path.dirname(os.path.join(wanted, entry.relative_path)), exist_ok=True)
                _rename(file, os.path.join(wanted, entry.relative_path), None)
            except OSError as error:
                yield f"{file}: could not be moved: {error.strerror or error}"


def _identity_at(path: str) -> FileIdentity | None:
    """None where nothing is."""
    try:
        return FileIdentity.of(os.lstat(path))
    except (FileNotFoundError, NotADirectoryError):
        return None


def _absent_parts(folders: Sequence[Path]) -> list[str]:
    """A sentence on the parts of a split that were not named."""
    found = [re.fullmatch(r"(\d+)-of-(\d+)", folder.resolve().name, re.ASCII) for folder in folders]
    numbers = {(int(match[1]), int(match[2])) for match in found if match}
    sentences = []
    for count in sorted({count for _, count in numbers}):
        absent = [str(number) for number in range(1, count + 1) if (number, count) not in numbers]
        if absent:
            sentences.append(f"Parts of {count} that were not merged: {', '.join(absent)}.")
    return sentences


def _chosen(entry: dict[str, Any]) -> Identity:
    return Identity(str(entry["name"]), str(entry["identity"]))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"cannot write to {folder}: {error.strerror}", cure="give an --output_dir you can write to"
        ) from error


def build_parser() -> Parser:
    parser = Parser(prog=f"{PROGRAM} merge", description=DESCRIPTION)
    parser.add_argument("folders", nargs="+", type=Path, metavar="OUT", help="output folder of one part")
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="folder for the joined results")
    return parser

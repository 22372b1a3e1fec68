"""The subcommand ``rescore``: new thresholds on stored scores. No video, no copy and no result is touched."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Any, cast

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.inputs.manifest import as_line, is_uri, location_of
from syncnet.inputs.paths import absolute
from syncnet.placement.folders import OutputFolders
from syncnet.report.entries import SCORE_DECIMALS
from syncnet.results import VideoScore, best_score
from syncnet.settings import PRESETS, Thresholds, resolve_thresholds
from syncnet.state.ledger_scan import LedgerScan, ScoredLine
from syncnet.system.argument_parser import Parser
from syncnet.system.atomic import write_file
from syncnet.system.invocation import PROGRAM
from syncnet.system.text import format_duration
from syncnet.verdict import judge

DESCRIPTION = "Applies other thresholds to the stored scores of an earlier run. Opens, moves and copies no video."
STATUS_NAMES = {
    "good": "good quality",
    "poor": "poor quality",
    "no_faces": "no face track",
    "failed": "failed",
}


@dataclass(frozen=True)
class Rescored:
    """The verdict on one stored score."""

    path: str
    """Relative to the input folder of the run."""
    status: str
    """A key of STATUS_NAMES."""
    confidence: float | None
    offset: int | None
    reasons: tuple[str, ...]
    source: str = ""
    """Its own path below that folder, where it has another name in the ledger."""
    identity: FileIdentity | None = None

    @property
    def passed(self) -> bool:
        return self.status == "good"


def main(arguments: Sequence[str]) -> int:
    """Exit code 0. Raises UsageError."""
    options = build_parser().parse_flags(arguments)
    thresholds = resolve_thresholds(
        options.preset, options.min_confidence, options.max_abs_offset, options.min_offset, options.max_offset
    )
    started = time.perf_counter()
    scan = LedgerScan(OutputFolders(options.output_dir).state_dir / "ledger.jsonl")
    find = partial(_location, input_dir=options.input_dir, folders=OutputFolders(options.output_dir), moved=scan.moved)
    tally = _Tally(find if options.passing else None)
    verdicts = tally.counted(_judge(line, thresholds) for line in scan)
    if options.verdicts:
        _write(options.verdicts, (json.dumps(_plain(verdict)) for verdict in verdicts))
    deque(verdicts, maxlen=0)
    if options.passing:
        _write(options.passing, map(as_line, tally.passing))
    total = f"{tally.counts.total():,}"
    print(f"{total} videos judged in {format_duration(time.perf_counter() - started)}")
    for status, name in STATUS_NAMES.items():
        print(f"  {name:<14} {tally.counts[status]:>{len(total)},}")
    if scan.damaged_lines:
        print(f"Lines of the ledger that cannot be read: {scan.damaged_lines}")
    if tally.gone:
        print(f"Videos that pass, but whose files are gone, so that the list does not name them: {tally.gone}")
    return 0


class _Tally:
    """What is kept of verdicts that go by: a million of them are not held."""

    def __init__(self, find: Callable[[Rescored], str] | None) -> None:
        """``find``: where a video is now, empty where it is gone; None where nobody asks for it."""
        self.counts: Counter[str] = Counter()
        self.passing: list[str] = []
        """Paths and URIs, where they are wanted."""
        self.gone = 0
        self._find = find

    def counted(self, verdicts: Iterable[Rescored]) -> Iterator[Rescored]:
        """The same verdicts, noted one by one."""
        for verdict in verdicts:
            self.counts[verdict.status] += 1
            if self._find and verdict.passed:
                location = self._find(verdict)
                self.gone += not location
                self.passing += [location] if location else []
            yield verdict


def _judge(line: ScoredLine, thresholds: Thresholds) -> Rescored:
    if line.score is None or line.failure:
        return Rescored(line.path, "failed", None, None, (line.error,))
    # It has what both ask for; the rest of a score costs ten times as long to read.
    best = best_score(cast("VideoScore", line.score))
    verdict = judge(best, thresholds, line.score.no_track)
    if best is None:
        return Rescored(line.path, "no_faces", None, None, verdict.reasons)
    confidence = round(best.confidence, SCORE_DECIMALS) if math.isfinite(best.confidence) else None
    status = "good" if verdict.passed else "poor"
    place = line.source, line.identity
    return Rescored(line.path, status, confidence, best.offset_frames, verdict.reasons, *place)


def _plain(verdict: Rescored) -> dict[str, Any]:
    """The keys of the results file, where they are the same."""
    return {
        "path": verdict.path,
        "status": "success" if verdict.status in ("good", "poor") else verdict.status,
        "passes_quality": verdict.passed,
        "confidence": verdict.confidence,
        "offset": verdict.offset,
        "quality_reasons": verdict.reasons,
    }


def _location(verdict: Rescored, input_dir: Path | None, folders: OutputFolders, moved: set[str]) -> str:
    """Where the video is: its own file, else what was put into the output folder; empty where neither is there."""
    location = location_of(PurePath(verdict.source or verdict.path), input_dir or "")
    if verdict.path not in moved:
        if is_uri(location) or not (input_dir or os.path.isabs(location)):
            # Nobody knows where it is relative to.
            return location
        with contextlib.suppress(OSError):
            if verdict.identity in (None, FileIdentity.of(os.stat(location))):
                return location
    placed = (folder / verdict.path for folder in (folders.good_dir, folders.poor_dir))
    return next((absolute(path) for path in placed if path.exists()), "")


def _write(path: Path, lines: Iterable[str]) -> None:
    try:
        write_file(path, _encoded(lines))
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", cure="check that it can be written") from error


def _encoded(lines: Iterable[str]) -> Iterator[bytes]:
    return (os.fsencode(line) + b"\n" for line in lines)


def build_parser() -> Parser:
    default = Thresholds()
    parser = Parser(prog=f"{PROGRAM} rescore", description=DESCRIPTION)
    parser.add_argument("--output_dir", type=Path, required=True, metavar="DIR", help="output folder of that run")
    parser.add_argument("--preset", choices=PRESETS, help="a confidence and an offset limit, as in the command")
    parser.add_argument(
        "--min_confidence", type=float, metavar="N", help=f"minimum confidence (default {default.min_confidence})"
    )
    parser.add_argument(
        "--max_abs_offset",
        type=int,
        metavar="FRAMES",
        help=f"largest offset in either direction (default {default.max_abs_offset})",
    )
    parser.add_argument("--min_offset", type=int, metavar="FRAMES", help="lowest offset, as in the command")
    parser.add_argument("--max_offset", type=int, metavar="FRAMES", help="highest offset, as in the command")
    parser.add_argument("--verdicts", type=Path, metavar="FILE", help="write one line of JSON per video")
    parser.add_argument(
        "--passing", type=Path, metavar="FILE", help="write the path of each video that passes, one per line"
    )
    parser.add_argument(
        "--input_dir", type=Path, metavar="DIR", help="put this folder in front of each path of --passing"
    )
    return parser

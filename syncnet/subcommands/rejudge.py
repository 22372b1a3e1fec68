"""The subcommand ``rejudge``: new thresholds on stored scores. No video, no copy and no result is touched."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from syncnet.decisions.file import read_decisions
from syncnet.decisions.kept import Decisions, read_kept, with_given
from syncnet.inputs.discovery import FileIdentity
from syncnet.overtime.judging import JudgedOverTime, judge_video
from syncnet.placement.folders import OutputFolders
from syncnet.report.entries import SCORE_DECIMALS, describe_decision
from syncnet.report.ownership import is_segments_table, is_verdicts
from syncnet.report.segments import describe_over_time
from syncnet.report.segments_table import write_segments_csv
from syncnet.results import VideoScore, best_score
from syncnet.settings import PRACTICES, PRESETS, OverTimeSettings, Thresholds, thresholds_of
from syncnet.settings.over_time import add_over_time_flags
from syncnet.settings.scoring import check_distance, notice_of_practice
from syncnet.state.ledger_scan import LedgerScan, ScoredLine
from syncnet.state.pinning import pinned_model
from syncnet.state.splitter import Splitter, splitter_of
from syncnet.subcommands.lists import refuse_wrong_lists, write_lines, write_list
from syncnet.subcommands.merge_ledgers import read_part
from syncnet.subcommands.passing import Passing, is_passing, with_columns, write_passing
from syncnet.subcommands.whereabouts import find_location
from syncnet.system.argument_parser import Parser
from syncnet.system.invocation import PROGRAM
from syncnet.system.text import format_duration
from syncnet.verdict import Verdict, describe_passing

DESCRIPTION = (
    "Applies other thresholds to the stored scores of an earlier run, and derives the segments of each video anew. "
    "Opens, moves and copies no video."
)
STATUS_NAMES = {
    "good": describe_passing(passed=True),
    "poor": describe_passing(passed=False),
    "no_faces": "no face track",
    "failed": "failed",
}


@dataclass(frozen=True)
class Rejudged:
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
    found_in: str = ""
    """The input that it was found in last."""
    identity: FileIdentity | None = None
    over_time: JudgedOverTime | None = None
    verdict: Verdict | None = None

    @property
    def passed(self) -> bool:
        return self.status == "good"


def main(arguments: Sequence[str]) -> int:
    """Exit code 0. Raises UsageError."""
    options = build_parser().parse_flags(arguments)
    thresholds = thresholds_of(vars(options))
    over_time = OverTimeSettings.of_flags(vars(options))
    kinds = {"verdicts": is_verdicts, "segments": is_segments_table, "passing": is_passing}
    to_stdout = refuse_wrong_lists(options, kinds)
    started, folders = time.perf_counter(), OutputFolders(options.output_dir)
    scan = LedgerScan(folders.state_dir / "ledger.jsonl")
    notices = _check_model(thresholds, options.preset, folders)
    find = partial(find_location, input_dir=options.input_dir, folders=folders, moved=scan.moved)
    decisions, told = _find_decisions(folders, options.decisions)
    rules = _Rules(thresholds, over_time, _find_splitter(folders, over_time), decisions)
    tally = _Tally(find if options.passing else None)
    verdicts = tally.counted(map(rules.judge, scan))
    if options.verdicts:
        write_lines(options.verdicts, (json.dumps(_plain(verdict)) for verdict in verdicts))
    deque(verdicts, maxlen=0)
    if options.segments:
        # The ledger is read once more, so that nothing is held of a million videos.
        again = map(rules.judge, LedgerScan(scan.path))
        entries = with_columns(map(_segments_entry, again), folders.state_dir)
        write_list(options.segments, partial(write_segments_csv, entries))
    if options.passing:
        write_list(options.passing, partial(write_passing, tally.passing, folders.state_dir))
    seconds, told = time.perf_counter() - started, [*told, *notices]
    with contextlib.redirect_stdout(sys.stderr) if to_stdout else contextlib.nullcontext():
        _print(tally, seconds, told, scan)
    return 0


def _check_model(thresholds: Thresholds, preset: str | None, folders: OutputFolders) -> list[str]:
    """A sentence where the thresholds are of another model. Raises UsageError where they cannot be used with this."""
    if thresholds.max_distance is None and preset not in PRACTICES:
        return []
    model = pinned_model(folders.output_dir, folders.results_path)
    check_distance(thresholds, model)
    return list(filter(None, [notice_of_practice(preset, model)]))


def _print(tally: _Tally, seconds: float, told: Sequence[str], scan: LedgerScan) -> None:
    total = f"{tally.counts.total():,}"
    print(f"{total} videos judged in {format_duration(seconds)}")
    for status, name in STATUS_NAMES.items():
        print(f"  {name:<14} {tally.counts[status]:>{len(total)},}")
    if tally.decided:
        said = (
            f"{tally.decided['accept']:,} accepted, {tally.decided['reject']:,} rejected, whatever the thresholds say"
        )
        print(f"  {'by a person':<14} {tally.decided.total():>{len(total)},}   {said}")
    for line in told:
        print(line)
    if scan.damaged_lines:
        print(f"Lines of the ledger that cannot be read: {scan.damaged_lines}")
    if scan.gone:
        print(f"Videos that the last run did not find any more, and that are left out: {len(scan.gone)}")
    if tally.without_time_line:
        print(
            f"Videos without a stored time line, scored by an earlier version: {tally.without_time_line}. To get their "
            "segments, run the filter on their folder again."
        )
    if tally.gone:
        print(f"Videos that pass, but whose files are gone, so that the list does not name them: {tally.gone}")


class _Tally:
    """What is kept of verdicts that go by: a million of them are not held."""

    def __init__(self, find: Callable[[Rejudged], str] | None) -> None:
        """``find``: where a video is now, empty where it is gone; None where nobody asks for it."""
        self.counts: Counter[str] = Counter()
        self.passing: list[Passing] = []
        """Where they are wanted."""
        self.gone = 0
        self.without_time_line = 0
        self.decided: Counter[str] = Counter()
        """Videos by a person's word."""
        self._find = find

    def counted(self, verdicts: Iterable[Rejudged]) -> Iterator[Rejudged]:
        """The same verdicts, noted one by one."""
        for verdict in verdicts:
            self.counts[verdict.status] += 1
            if decision := verdict.verdict and verdict.verdict.decision:
                self.decided[decision.word] += 1
            self.without_time_line += verdict.over_time is None and verdict.confidence is not None
            if self._find and verdict.passed:
                location = self._find(verdict)
                self.gone += not location
                if location:
                    name = verdict.source or verdict.path
                    self.passing.append(Passing(name, location, verdict.confidence, verdict.offset))
            yield verdict


@dataclass(frozen=True)
class _Rules:
    thresholds: Thresholds
    over_time: OverTimeSettings
    splitter: Splitter | None
    decisions: Decisions

    def judge(self, line: ScoredLine) -> Rejudged:
        """The verdict on a stored score."""
        score = line.score
        if score is None or line.failure:
            return Rejudged(line.path, "failed", None, None, (line.error,))
        # It has what is asked for; the rest of a score costs ten times as long to read.
        best = best_score(cast("VideoScore", score))
        split = self.splitter(line.path) if self.splitter else None
        decided = self.decisions.about(line.path, line.identity)
        rules = self.thresholds, self.over_time, split, decided
        verdict, over_time = judge_video(best, score.no_track, score.over_time, *rules)
        if best is None:
            return Rejudged(line.path, "no_faces", None, None, verdict.reasons, over_time=over_time)
        confidence = round(best.confidence, SCORE_DECIMALS) if math.isfinite(best.confidence) else None
        status = "good" if verdict.passed else "poor"
        place = line.source, line.found_in, line.identity
        return Rejudged(line.path, status, confidence, best.offset_frames, verdict.reasons, *place, over_time, verdict)


def _find_splitter(folders: OutputFolders, settings: OverTimeSettings) -> Splitter | None:
    if math.isinf(settings.max_segment_seconds):
        return None
    return splitter_of(folders.state_dir, pinned_model(folders.output_dir, folders.results_path), settings)


def _find_decisions(folders: OutputFolders, given: Path | None) -> tuple[Decisions, list[str]]:
    """Those that the folder keeps, with the given ones, which are not kept; and sentences on what does not count."""
    kept, added = read_kept(folders.state_dir), read_decisions(given) if given else []
    if not kept.entries and not added:
        return kept, []
    known = read_part(folders.state_dir / "ledger.jsonl").known
    return with_given(kept, added, lambda path: known[path].identity if path in known else None, lambda _: True)


def _segments_entry(verdict: Rejudged) -> dict[str, Any]:
    """As much of an entry of the results file as the table of segments needs."""
    location = verdict.source or verdict.path
    return {"video_path": location, "relative_path": verdict.path, **describe_over_time(verdict.over_time)}


def _plain(verdict: Rejudged) -> dict[str, Any]:
    """The keys of the results file, where they are the same."""
    return {
        "path": verdict.path,
        "status": "success" if verdict.status in ("good", "poor") else verdict.status,
        "passes_quality": verdict.passed,
        "confidence": verdict.confidence,
        "offset": verdict.offset,
        "quality_reasons": verdict.reasons,
        **describe_decision(verdict.verdict),
        **describe_over_time(verdict.over_time),
    }


def build_parser() -> Parser:
    default = Thresholds()
    parser = Parser(prog=f"{PROGRAM} rejudge", description=DESCRIPTION)
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
    parser.add_argument("--max_distance", type=float, metavar="N", help="largest distance (LSE-D), as in the command")
    add_over_time_flags(parser)
    parser.add_argument(
        "--decisions",
        type=Path,
        metavar="FILE",
        help="what a person accepted and rejected, as in the command; they are added to those that the folder keeps",
    )
    parser.add_argument("--verdicts", type=Path, metavar="FILE", help="write one line of JSON per video")
    parser.add_argument(
        "--segments", type=Path, metavar="FILE", help="write the table of segments, as segments.csv of a run"
    )
    parser.add_argument(
        "--passing",
        type=Path,
        metavar="FILE",
        help="write the path of each video that passes, one per line; FILE.csv, .jsonl or .parquet: the rows of the "
        "table that named the videos. - is stdout, as it is for the two lists above",
    )
    parser.add_argument(
        "--input_dir", type=Path, metavar="DIR", help="put this folder in front of each path of --passing"
    )
    return parser

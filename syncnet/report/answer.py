"""What is said of one video that was asked about: its verdict, why, and where it is in sync or what to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from syncnet.overtime.words import clock
from syncnet.repair.finding import Refusal, describe, find_correction
from syncnet.report.changes import describe_pruned
from syncnet.report.command_line import CommandLine
from syncnet.report.curable import repair_line
from syncnet.report.pointers import pointer_for
from syncnet.report.run import Run
from syncnet.results import VideoResult, share_of
from syncnet.settings import Thresholds
from syncnet.system.text import format_duration, printable
from syncnet.verdict import MILLISECONDS_PER_FRAME, describe_confidence, describe_passing, describe_score

MOST_RANGES = 5
_CLOCK_SECONDS = 60.0
"""Times in longer files are told as minutes and seconds."""
_OF_RUN = ("filter_settings", "model", "detector", "notices", "versions")
"""What of the results file goes with the entry of one video."""


def format_answer(run: Run, command: CommandLine, output_dir: str = "REPAIRED") -> str:
    """Three lines, and one more where ``--prune`` removed other videos.

    ``command``: the one that asked. ``output_dir``: the folder that a repair, where one is suggested, would write to.
    """
    result, name = _result_of(run), printable(_name(run))
    if result is None:
        return f"{name}: not scored\n{_why_not(run)}\n-> run again\n"
    thresholds = run.settings.thresholds
    last = _ranges(result) or _advice(result, run, output_dir, command)
    # What was removed of others is told, whatever was asked.
    lines = (f"{name}: {_verdict(result)}", _reasons(result, thresholds), last, *describe_pruned(run))
    return "".join(f"{printable(line)}\n" for line in lines)


def describe_answer(document: dict[str, Any], run: Run) -> dict[str, Any]:
    """The video's entry of the results, with what it was scored and judged by; ready for JSON."""
    result = _result_of(run)
    of_run = {key: document[key] for key in _OF_RUN}
    if result is None:
        return {"relative_path": _name(run), "status": "not_processed", "error": _why_not(run), **of_run}
    names = (str(other.relative_path) for other in run.results)
    (entry,) = (
        entry for name, entry in zip(names, document["results"], strict=True) if name == str(result.relative_path)
    )
    return {**entry, **of_run}


def _name(run: Run) -> str:
    paths = [str(video.relative_path) for video in run.found.videos]
    return next(iter(paths or [str(skipped.path) for skipped in run.found.unreadable]), "the video")


def _result_of(run: Run) -> VideoResult | None:
    """The results of an output folder may tell of other videos too."""
    return next((result for result in run.results if str(result.relative_path) == _name(run)), None)


def _why_not(run: Run) -> str:
    skipped = [*run.found.unreadable, *run.found.left_out, *run.pending]
    return next((path.reason for path in skipped), "the run was interrupted" if run.interrupted else "left for later")


def _verdict(result: VideoResult) -> str:
    if result.status == "failed":
        return "failed"
    if result.status == "no_faces":
        return "no face track"
    decision = result.verdict.decision if result.verdict else None
    return describe_passing(passed=result.passed) + (f", {decision.words}" if decision else "")


def _reasons(result: VideoResult, thresholds: Thresholds) -> str:
    if result.best is None or result.verdict is None:
        return result.error
    reasons = [*result.verdict.reasons, *result.verdict.overruled]
    confidence = f"confidence {describe_confidence(result.best.confidence, thresholds.min_confidence)}"
    if not any(reason.startswith("confidence") for reason in reasons):
        reasons.insert(0, f"{confidence} (at least {thresholds.min_confidence})")
    if result.passed and result.best.rests_on_evidence:
        reasons.insert(1, f"{describe_score(result.best)} ({_limits(thresholds)})")
    evidence = result.best.evidence
    if evidence and evidence.level == "strong":
        reasons.append(f"{evidence.agreeing} of {evidence.windows} one-second windows agree")
    return "; ".join(reasons)


def _limits(thresholds: Thresholds) -> str:
    lowest, highest = (
        limit * MILLISECONDS_PER_FRAME for limit in (thresholds.lowest_offset, thresholds.highest_offset)
    )
    return f"at most {highest} ms" if lowest == -highest else f"from {lowest:+d} to {highest:+d} ms"


def _ranges(result: VideoResult) -> str:
    """``in sync for 11 of 73 s: 0:03 - 0:09, 0:40 - 0:45``; empty where no segment passes, and where none is known."""
    share = share_of(result)
    if not share or result.over_time is None or result.info is None:
        return ""
    passing = [one.segment for one in result.over_time.segments if one.passes]
    ranges = list(_joined([(one.start_seconds, one.end_seconds) for one in passing]))
    long = result.info.duration_seconds >= _CLOCK_SECONDS
    told = (f"{clock(a)} - {clock(b)}" if long else f"{a:.1f} - {b:.1f} s" for a, b in ranges[:MOST_RANGES])
    more = f" and {len(ranges) - MOST_RANGES} more" if len(ranges) > MOST_RANGES else ""
    return f"{share}: {', '.join(told)}{more}"


def _joined(ranges: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """Where two faces are in sync at once, it is one range. ``ranges`` are in order of their starts."""
    start = end = None
    for begun, ended in ranges:
        if start is None or end is None or begun > end:
            if start is not None and end is not None:
                yield start, end
            start, end = begun, ended
        end = max(end, ended)
    if start is not None and end is not None:
        yield start, end


def _advice(result: VideoResult, run: Run, output_dir: str, command: CommandLine) -> str:
    if result.cure:
        return f"-> {result.cure}"
    found = find_correction(result)
    if not isinstance(found, Refusal):
        return f"-> {describe(found)}: {repair_line(result, output_dir, command)}"
    if found.cure:
        return f"-> {found.cure}"
    if not result.passed and (pointer := pointer_for(result, run.settings.thresholds)):
        return f"-> see {pointer}"
    seconds = f"{format_duration(result.info.duration_seconds)} of video" if result.info else "its length is unknown"
    return f"{seconds}, no range of it is known to be in sync"

"""The summary on stdout: counts, for every video that does not pass its reason and what to do, and the best ones."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from syncnet.inputs.discovery import VIDEO_SUFFIXES, SkippedPath
from syncnet.inputs.paths import absolute, job_of
from syncnet.report.changes import describe_changes
from syncnet.report.colours import PLAIN, Palette
from syncnet.report.histogram import draw_histogram
from syncnet.report.media_notes import media_notes, other_endings
from syncnet.report.pointers import find_pointers
from syncnet.report.run import Counts, Run, count_results, count_this_run
from syncnet.results import VideoResult, share_of, with_share
from syncnet.settings import Thresholds
from syncnet.system.text import count, display_width, fit, format_duration, indent, printable
from syncnet.verdict import MILLISECONDS_PER_FRAME, describe_confidence, describe_passing, describe_score

MOST_SHOWN = 20
"""Entries of one list; the results file has them all."""
NARROWEST_NAME = 12
# Room beside a name for "  confidence  12.3  sound 600 ms early".
SCORE_COLUMNS = 40


def format_summary(run: Run, width: int, palette: Palette = PLAIN) -> str:
    """The whole summary, in lines of at most ``width`` columns where names and reasons allow it."""
    counts = count_results(run.results)
    sections = [
        _headline(run, counts, width),
        _count_lines(run, counts, palette),
        *(
            _titled(section, palette)
            for section in (
                _not_passing(run.results, width),
                _without_score(run.results, "no_faces", "No face track", width),
                _without_score(run.results, "failed", "Failed", width),
                _best_videos(run, width),
                _skipped(run.pending, "Still changing", width),
                _skipped(run.found.unreadable, "Could not be read", width),
                _skipped(run.found.left_out, "Left out", width),
            )
        ),
        [indent(sentence, width, 0) for sentence in _closing_words(run)],
        _histogram(run, width, palette),
        [f"Results: {printable(str(run.folders.results_path))}"],
    ]
    return "\n\n".join("\n".join(section) for section in sections if section) + "\n"


def format_alarms(run: Run) -> list[str]:
    """A line for each thing that went wrong in this run; none where nothing did.

    Who reads it in a mail knows neither the folder that the command was started in, nor which job it was.
    """
    told = [
        (whole_path(result), result.error, result.cure) for result in (*run.results, *run.gone) if result.failed_now
    ]
    cure = "see that it can be read, or take it away"
    told += [(_absolute(one.path), f"could not be read: {one.reason}", cure) for one in run.found.unreadable]
    lines = [f"{path}: {problem}" + (f" -> {cure}" if cure else "") for path, problem, cure in told]
    if run.interrupted:
        lines.append("interrupted; what is finished is kept")
    return [printable(f"{line}{job_of(run.folders.output_dir)}") for line in lines]


def whole_path(result: VideoResult) -> str:
    """Of the video; a URI is one as it is."""
    return result.location if result.uri else absolute(result.path)


def _absolute(path: Path | str) -> str:
    """Of a path; a URI is one as it is."""
    return path if isinstance(path, str) else absolute(path)


def _headline(run: Run, counts: Counts, width: int) -> list[str]:
    total = run.total
    if not total and run.found.from_manifest:
        return ["No video of the list could be read." if run.found.unreadable else "The list names no video."]
    if not total:
        kinds = " ".join(sorted(suffix[1:] for suffix in VIDEO_SUFFIXES))
        hint = f"No videos found (looked for {kinds}). Videos in subfolders need --recursive."
        return indent(hint, width, 0).splitlines()
    models = f"model {run.model.name}, detector {run.detector.name}"
    lines = [f"{counts.all} of {count(total, 'video')} in {format_duration(run.seconds)} ({models})"]
    if run.interrupted:
        left = total - counts.all - len(run.pending)
        lines.insert(0, f"INTERRUPTED: {count(left, 'video')} not processed; what is finished is kept.")
    return [*lines, *_earlier_runs(run, width)]


def _closing_words(run: Run) -> tuple[str, ...]:
    # Who named an empty folder has other cares than which model would have scored it.
    if not run.total:
        return (*describe_changes(run), *other_endings(run.found.other_endings))
    # What became of the first few says little of the rest.
    pointers = () if run.interrupted else find_pointers(run.results, run.settings.thresholds)
    return (
        *describe_changes(run),
        *pointers,
        *media_notes(run.results),
        *other_endings(run.found.other_endings),
        *run.notices,
    )


def _earlier_runs(run: Run, width: int) -> list[str]:
    """What this run had to do with, where that is not simply everything."""
    done = count_this_run(run.results)
    parts = [
        (done.unchanged, f"{done.unchanged} known from earlier runs"),
        (done.found_again, f"{done.found_again} scored earlier for another folder"),
        (len(run.pending), f"{len(run.pending)} still changing"),
        (run.left_for_later, f"{run.left_for_later} left for a later run (--limit)"),
    ]
    facts = [text for number, text in parts if number]
    if not facts:
        return []
    return indent(f"This run: {', '.join([f'{done.scored} scored', *facts])}.", width, 0).splitlines()


def _count_lines(run: Run, counts: Counts, palette: Palette) -> list[str]:
    thresholds = run.settings.thresholds
    wanted = f"confidence at least {thresholds.min_confidence}, {_offset_limits(thresholds)}"
    if thresholds.max_distance is not None:
        wanted += f", distance at most {thresholds.max_distance}"
    rows = [
        (describe_passing(passed=True), counts.good, wanted, palette.good),
        (describe_passing(passed=False), counts.poor, "", palette.poor),
        ("no face track", counts.no_faces, "", palette.poor),
        ("failed", counts.failed, "", palette.failed),
    ]
    digits = len(str(counts.all))
    lines = []
    for name, number, note, mark in rows:
        row = f"  {name:<14} {number:>{digits}}"
        # Nothing is alarming about a kind that did not occur.
        lines.append((mark(row) if number else row) + (f"   {note}" if note else ""))
    if decided := counts.accepted + counts.rejected:
        said = f"{counts.accepted} accepted, {counts.rejected} rejected, whatever the thresholds say"
        lines.append(f"  {'by a person':<14} {decided:>{digits}}   {said}")
    if run.keep_all:
        lines.append("  Nothing was copied (--keep_all).")
    return [*lines, *_deeds((*run.results, *run.gone))]


def _deeds(results: Sequence[VideoResult]) -> list[str]:
    """``  17 files copied, 2 taken to the other folder``; no line where nothing was."""
    deeds = Counter(result.deed for result in results if result.deed)
    if not deeds:
        return []
    (first, number), *others = deeds.most_common()
    told = [f"{count(number, 'file')} {first}", *(f"{number:,} {deed}" for deed, number in others)]
    return [f"  {', '.join(told)}"]


def _offset_limits(thresholds: Thresholds) -> str:
    lowest, highest = thresholds.lowest_offset, thresholds.highest_offset
    if lowest == -highest:
        return f"offset at most {count(highest, 'frame')} ({highest * MILLISECONDS_PER_FRAME} ms)"
    milliseconds = f"{lowest * MILLISECONDS_PER_FRAME:+d} to {highest * MILLISECONDS_PER_FRAME:+d} ms"
    return f"offset {lowest:+d} to {highest:+d} frames ({milliseconds})"


def _titled(section: list[str], palette: Palette) -> list[str]:
    return [palette.title(section[0]), *section[1:]] if section else []


def _histogram(run: Run, width: int, palette: Palette) -> list[str]:
    confidences = [result.best.confidence for result in run.results if result.best]
    return draw_histogram(confidences, run.settings.thresholds.min_confidence, width, palette)


def _best_videos(run: Run, width: int) -> list[str]:
    good = sorted((result for result in run.results if result.passed), key=_confidence, reverse=True)
    least = run.settings.thresholds.min_confidence
    columns = _name_columns(good[:MOST_SHOWN], width, least)
    entries = ([f"  {fit(_name(result), columns)}  {_score(result, least)}"] for result in good)
    return _section("Best videos", entries, len(good))


def _not_passing(results: Sequence[VideoResult], width: int) -> list[str]:
    poor = [result for result in results if result.status == "success" and not result.passed]
    entries = (
        [
            f"  {_name(result)}{_share(result)}",
            *(indent(reason, width, 4) for reason in result.verdict.reasons),
            *_cure(result, width),
        ]
        for result in poor
        if result.verdict
    )
    return _section("Do not pass", entries, len(poor))


def _without_score(results: Sequence[VideoResult], status: str, title: str, width: int) -> list[str]:
    chosen = [result for result in results if result.status == status]
    entries = (
        [
            f"  {_name(result)}",
            indent(printable(result.error), width, 4),
            *_cure(result, width),
        ]
        for result in chosen
    )
    return _section(title, entries, len(chosen))


def _cure(result: VideoResult, width: int) -> list[str]:
    return [indent(f"-> {printable(result.cure)}", width, 4)] if result.cure else []


def _skipped(paths: Sequence[SkippedPath], title: str, width: int) -> list[str]:
    entries = ([f"  {printable(str(path.path))}", indent(path.reason, width, 4)] for path in paths)
    return _section(title, entries, len(paths))


def _section(title: str, entries: Iterable[list[str]], total: int) -> list[str]:
    """A titled list cut at ``MOST_SHOWN`` entries; nothing at all where there are none."""
    if not total:
        return []
    shown = list(_first(entries, MOST_SHOWN))
    lines = [title, *(line for entry in shown for line in entry)]
    if total > len(shown):
        lines.append(f"  and {total - len(shown)} more, see the results file")
    return lines


def _first(entries: Iterable[list[str]], count: int) -> Iterator[list[str]]:
    for _, entry in zip(range(count), entries, strict=False):
        yield entry


def _name_columns(results: Sequence[VideoResult], width: int, least: float) -> int:
    """As wide as the longest name, within what the terminal leaves beside the scores."""
    longest = max((display_width(_name(result)) for result in results), default=0)
    scores = max((display_width(_score(result, least)) + 4 for result in results), default=0)
    return min(longest, max(NARROWEST_NAME, width - max(scores, SCORE_COLUMNS)))


def _name(result: VideoResult) -> str:
    return printable(str(result.relative_path))


def _confidence(result: VideoResult) -> float:
    return result.best.confidence if result.best else -math.inf


def _score(result: VideoResult, least: float) -> str:
    if result.best is None:
        return ""
    score = result.best
    said = f"confidence {describe_confidence(score.confidence, least):>5}  {with_share(describe_score(score), result)}"
    decision = result.verdict.decision if result.verdict else None
    # The note would leave no room for the name.
    return f"{said}, {decision.words}" if decision else said


def _share(result: VideoResult) -> str:
    return f"  ({share})" if (share := share_of(result)) else ""

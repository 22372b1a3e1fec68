"""What the summary says of videos that are gone."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from syncnet.report.run import Run
from syncnet.results import VideoResult
from syncnet.system.text import printable

MOST_NAMED = 3
"""Of one kind, in a sentence."""


def describe_changes(run: Run) -> tuple[str, ...]:
    """Sentences; none where nothing changed."""
    gone = len(run.gone)
    if not gone:
        return ()
    where = "the list, or from where it names them" if run.found.from_manifest else "the folder"
    told = "1 video is" if gone == 1 else f"{gone:,} videos are"
    records = "its record and its copy are" if gone == 1 else "their records and their copies are"
    return (f"{told} gone from {where} ({named(run.gone)}), and counted nowhere; {records} kept.",)


def named(results: Iterable[VideoResult]) -> str:
    """The names of the first few, and how many more there are."""
    rest = iter(results)
    names = [printable(str(result.relative_path)) for result in islice(rest, MOST_NAMED)]
    more = sum(1 for _ in rest)
    return ", ".join(names) + (f" and {more:,} more" if more else "")

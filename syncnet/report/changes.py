"""What the summary says of videos that are gone, were pruned, or are there more than once."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from syncnet.report.run import Run
from syncnet.system.text import printable

MOST_NAMED = 3
"""Of one kind, in a sentence."""


def describe_changes(run: Run) -> tuple[str, ...]:
    """Sentences; none where nothing changed."""
    return (*_gone(run), *describe_pruned(run), *_identical(run))


def _gone(run: Run) -> list[str]:
    count = len(run.gone)
    if not count:
        return []
    where = "the list, or from where it names them" if run.found.from_manifest else "the folder"
    told = "1 video is" if count == 1 else f"{count:,} videos are"
    cure = "its copy and its record" if count == 1 else "their copies and records"
    names = named(str(result.relative_path) for result in run.gone)
    return [f"{told} gone from {where} ({names}), and in no count; --prune removes {cure}."]


def describe_pruned(run: Run) -> list[str]:
    """At most one sentence."""
    count = len(run.pruned.names)
    whose = "1 video that was gone" if count == 1 else f"{count:,} videos that were gone"
    return [f"All that was kept of {whose} is removed ({named(run.pruned.names)})."] if count else []


def _identical(run: Run) -> list[str]:
    """A sentence for each of the first few videos that are there more than once, byte for byte."""
    files: dict[str, list[str]] = {}
    for result in run.results:
        if result.content:
            files.setdefault(result.content, []).append(str(result.relative_path))
    several = [names for names in files.values() if len(names) > 1]
    told = [f"{len(names):,} files are the same video: {named(names)}." for names in several[:MOST_NAMED]]
    more = several[MOST_NAMED:]
    return [*told, f"{sum(map(len, more)):,} more files are {len(more):,} videos."] if more else told


def named(paths: Iterable[str]) -> str:
    """The first few, and how many more there are."""
    rest = iter(paths)
    names = [printable(path) for path in islice(rest, MOST_NAMED)]
    more = sum(1 for _ in rest)
    return ", ".join(names) + (f" and {more:,} more" if more else "")

"""The decisions of an output folder: kept there, so that a run without the flag obeys them too."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path, PurePath, PurePosixPath

from syncnet.decisions.file import Entry, Key, read_decisions, write_decisions
from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity
from syncnet.overtime.decided import Decided, DecidedRange
from syncnet.system.text import printable
from syncnet.verdict import Decision

KEPT_NAME = "decisions.jsonl"
"""In the folder of what is remembered."""
MOST_NAMED = 3

Identities = Callable[[str], FileIdentity | None]
"""What is known of the file of a video, by its name in the output folder; None for an unknown one."""


class Decisions:
    """Found again by video."""

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries: dict[Key, Entry] = {}
        self._by_video: dict[str, list[Entry]] = {}
        for entry in entries:
            self.entries.pop(entry.key, None)
            if entry.decision != "none":
                self.entries[entry.key] = entry
        for entry in self.entries.values():
            self._by_video.setdefault(entry.video, []).append(entry)

    def about(self, video: str, identity: FileIdentity | None) -> Decided | None:
        """What was decided of this file; what was decided of another file of that name does not count."""
        entries = [one for one in self._by_video.get(video, ()) if one.identity in (None, identity)]
        if not entries:
            return None
        whole = next((_decision(one) for one in entries if one.start is None), None)
        return Decided(whole, tuple(filter(None, map(_range, entries))))

    def of_other_files(self, identities: Identities) -> list[str]:
        """Videos whose files are others than those that were looked at."""
        known = ((entry, identities(entry.video)) for entry in self.entries.values())
        return list(dict.fromkeys(entry.video for entry, now in known if now and entry.identity not in (None, now)))


NO_DECISIONS = Decisions()


def read_kept(state_dir: Path) -> Decisions:
    """Raises UsageError where they cannot be read: a person's word must not get lost unseen."""
    path = state_dir / KEPT_NAME
    try:
        return Decisions(read_decisions(path)) if path.exists() else NO_DECISIONS
    except UsageError as error:
        raise UsageError(f"{error.problem} (what earlier runs kept)", cure="mend or remove this file") from error


def with_given(
    kept: Decisions, given: Sequence[Entry], identities: Identities, holds: Callable[[PurePath], bool]
) -> tuple[Decisions, list[str]]:
    """The kept decisions with the given ones, and a sentence on those that do not count.

    Each becomes one of the file that is there now. One of another file is not taken. One of a video that nobody knows
    waits for it. ``holds``: whether a video would be of this part of the input.
    """
    taken, unknown, changed = [], [], []
    for entry in given:
        now = identities(entry.video)
        if now is None:
            if not holds(PurePosixPath(entry.video)):
                continue
            unknown.append(entry.video)
        elif entry.identity not in (None, now):
            changed.append(entry.video)
            continue
        taken.append(entry.about(now) if now else entry)
    waiting = (one for one in kept.entries.values() if one.identity is None)
    arrived = [one.about(now) for one in waiting if (now := identities(one.video))]
    decisions = Decisions([*kept.entries.values(), *arrived, *taken])
    old = [video for video in decisions.of_other_files(identities) if video not in changed]
    return decisions, [
        *sentence(unknown, "about no video that is known here; it waits for its video"),
        *sentence(changed, "about an earlier version of its file, and was not taken"),
        *sentence(old, "about an earlier version of its file, and does not count"),
    ]


def keep(decisions: Decisions, state_dir: Path) -> None:
    """Raises UsageError where that cannot be written."""
    path = state_dir / KEPT_NAME
    try:
        if decisions.entries or path.exists():
            write_decisions(decisions.entries.values(), path)
    except OSError as error:
        raise UsageError(f"cannot write {path}: {error.strerror}", cure="check that it can be written") from error


def sentence(videos: Sequence[str], what: str) -> list[str]:
    """``1 decision is about ...: a.mp4``; nothing of no videos. ``what`` is worded for one of them."""
    if not videos:
        return []
    names = ", ".join(map(printable, videos[:MOST_NAMED]))
    more = f" and {len(videos) - MOST_NAMED:,} more" if len(videos) > MOST_NAMED else ""
    how_many = "1 decision is" if len(videos) == 1 else f"{len(videos):,} decisions are each"
    return [f"{how_many} {what}: {names}{more}."]


def _decision(entry: Entry) -> Decision:
    return Decision(entry.decision == "accept", entry.note)


def _range(entry: Entry) -> DecidedRange | None:
    if entry.start is None or entry.end is None:
        return None
    return DecidedRange(entry.start, entry.end, _decision(entry), entry.track)

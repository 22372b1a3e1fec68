"""What a reader should know of the files themselves: which sound was scored, what is damaged, what was passed over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from syncnet.results import VideoResult
from syncnet.system.text import printable

MOST_NAMED = 5


def media_notes(results: Sequence[VideoResult]) -> tuple[str, ...]:
    """A sentence on files with several audio tracks, and one on those with corrupt pictures; none without any."""
    several = [
        f"{_name(result)} (track {result.info.sound_track} of 0 to {result.info.sound_tracks - 1})"
        for result in results
        if result.info and result.info.sound_tracks > 1
    ]
    corrupt = [
        f"{_name(result)} ({result.info.corrupt_pictures:,})"
        for result in results
        if result.info and result.info.corrupt_pictures
    ]
    notes = []
    if several:
        notes.append(f"Several audio tracks, of which one was scored (--audio_track chooses): {_listed(several)}.")
    if corrupt:
        notes.append(f"Pictures that were decoded with errors, and scored all the same: {_listed(corrupt)}.")
    return tuple(notes)


def other_endings(counted: Counter[str]) -> tuple[str, ...]:
    """A sentence on files that were passed over by their ending; none where there are none."""
    if not counted:
        return ()
    named = [f"{printable(ending) or 'none'} ({number:,})" for ending, number in counted.most_common()]
    return (f"Not looked at because of their ending: {_listed(named)}.",)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more


def _name(result: VideoResult) -> str:
    return printable(str(result.relative_path))

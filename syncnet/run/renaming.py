"""Videos that have a new name in the input, found by their content: their records and what is made of them follow.

The ledger has the new name first. What a kill leaves under the old one is moved by the next run.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from syncnet.decisions.kept import Decisions, keep, read_kept
from syncnet.errors import TimeLimitError
from syncnet.inputs.belonging import input_of
from syncnet.inputs.discovery import FileIdentity, FoundVideos, VideoFile
from syncnet.inputs.origin import Placement, file_mark
from syncnet.placement.folders import OutputFolders
from syncnet.placement.naming import settle_names
from syncnet.placement.placed import is_placed_file, remove_empty
from syncnet.placement.slots import look
from syncnet.placement.transfer import is_copy, move_file, remove_file
from syncnet.report.new_passing import follow_passed
from syncnet.run.belongings import Belongings
from syncnet.run.unlisted import Listing
from syncnet.settings import Request
from syncnet.state.ledger import Ledger
from syncnet.state.records import VideoRecord
from syncnet.state.score_store import hash_video
from syncnet.system.interruption import Deadline, StopFlag
from syncnet.system.patience import run_within


@dataclass(frozen=True)
class Changes:
    """What there is now."""

    listing: Listing
    unlisted: list[VideoFile]
    """Videos of earlier runs beside the listed ones."""

    @property
    def absent(self) -> list[VideoFile]:
        """Those that a list names without their being there."""
        known = self.listing.ledger.known
        return [video for video in self.listing.found.videos if video.absent and str(video.relative_path) in known]

    def gone(self) -> list[VideoFile]:
        """Those of both that are gone."""
        absent = (video for video in self.absent if self.listing.is_removed(video))
        return [*(video for video in self.unlisted if video.removed), *absent]


def take_up_changes(found: FoundVideos, request: Request, folders: OutputFolders, ledger: Ledger) -> Changes:
    """Gives the found videos the names that they have in the output folder. Raises UsageError."""
    own, named = input_of(request), found.videos
    found.videos = settle_names(named, folders, ledger)
    listing = Listing(found, own, folders, ledger, request.one_video)
    unlisted = listing.unlisted()
    followed = follow_renames(listing, unlisted, request.options.timeout_seconds)
    finish_renames(ledger, folders, keep_all=request.keep_all)
    if followed:
        with contextlib.suppress(OSError):
            follow_passed(followed, folders.state_dir)
        # Names that were taken are free now.
        fixed = set(followed.values())
        free = [one for one, video in zip(named, found.videos, strict=True) if str(video.relative_path) not in fixed]
        kept = [video for video in found.videos if str(video.relative_path) in fixed]
        found.videos = sorted([*kept, *settle_names(free, folders, ledger)], key=lambda video: str(video.path))
        listing = Listing(found, own, folders, ledger, request.one_video)
    return Changes(listing, [video for video in unlisted if str(video.relative_path) not in followed])


def follow_renames(listing: Listing, unlisted: Sequence[VideoFile], limit_seconds: float) -> dict[str, str]:
    """Tells the ledger the new names of videos that are gone under their old ones, and gives both.

    Those new files that have the size of one that is gone are read; none for longer than the limit.
    """
    ledger, followed = listing.ledger, {}
    by_size: dict[int, list[VideoFile]] = {}
    for video in unlisted:
        if video.removed and not ledger.was_moved(str(video.relative_path)):
            by_size.setdefault(video.file_bytes, []).append(video)
    for video in listing.found.videos:
        path = str(video.relative_path)
        gone = by_size.get(video.file_bytes)
        if not gone or video.absent or video.uri or ledger.identity_of(path) is not None:
            continue
        record = _of_file(video, gone, ledger) or _of_content(video, gone, ledger, limit_seconds)
        if record is None:
            continue
        renamed = replace(record, path=path, renamed_from=record.path, source=video.source)
        try:
            ledger.add(replace(renamed, identity=video.identity, found_in=listing.own.name))
        except OSError:
            # Whatever is wrong with the disk is told of the videos that this run does something with.
            break
        gone[:] = [one for one in gone if str(one.relative_path) != record.path]
        followed[record.path] = path
    return followed


def finish_renames(ledger: Ledger, folders: OutputFolders, *, keep_all: bool) -> None:
    """Moves what is made of renamed videos; of a run that was killed, too. ``keep_all``: placed files stay for now.

    What cannot be moved is left to the next run. Raises UsageError.
    """
    for path, names in list(ledger.renaming.items()):
        with contextlib.suppress(OSError):
            _finish(path, names, ledger, folders, keep_all=keep_all)


def _finish(path: str, names: Sequence[str], ledger: Ledger, folders: OutputFolders, *, keep_all: bool) -> None:
    for earlier in names:
        if ledger.identity_of(earlier) is None:
            # Else it is of another video by now.
            Belongings(folders).move(earlier, path)
            _move_decisions(earlier, path, ledger, folders)
        if not keep_all:
            _move_placed(earlier, path, ledger, folders)
    if not keep_all:
        ledger.note_placed(path, _placement_now(path, ledger, folders))
        ledger.note_followed(path)


def _content_of(video: VideoFile, limit_seconds: float) -> str:
    """Empty where it cannot be read, or not in time: then it is a video like any other."""
    try:
        return run_within(Deadline(StopFlag(), limit_seconds), lambda flag: hash_video(video, flag))
    except (OSError, TimeLimitError):
        return ""


def _of_file(video: VideoFile, gone: Sequence[VideoFile], ledger: Ledger) -> VideoRecord | None:
    """The record of the one whose copy was made of this very file, so that it need not be read."""
    for one in gone:
        placement = ledger.placement(str(one.relative_path)) if one.identity == video.identity else None
        if placement and placement.mark and placement.mark == file_mark(video.path) and not video.sound:
            return ledger.records.get(str(one.relative_path))
    return None


def _of_content(
    video: VideoFile, gone: Sequence[VideoFile], ledger: Ledger, limit_seconds: float
) -> VideoRecord | None:
    """The record of the one with this content; of several, of one with the same time or file name."""
    content = _content_of(video, limit_seconds)
    if not content:
        return None
    records = (ledger.records.get(str(one.relative_path)) for one in gone)
    same = [record for record in records if record and record.content == content]

    def likeness(record: VideoRecord) -> tuple[bool, bool]:
        return record.identity == video.identity, Path(record.path).name == video.relative_path.name

    return max(same, key=likeness, default=None)


def _move_decisions(earlier: str, path: str, ledger: Ledger, folders: OutputFolders) -> None:
    kept, identity = read_kept(folders.state_dir), ledger.identity_of(path)
    if identity is None or not any(entry.video == earlier for entry in kept.entries.values()):
        return
    entries = (one.renamed(path, identity) if one.video == earlier else one for one in kept.entries.values())
    keep(Decisions(entries), folders.state_dir)


def _move_placed(earlier: str, path: str, ledger: Ledger, folders: OutputFolders) -> None:
    placement = ledger.placement(path)
    for folder in (folders.good_dir, folders.poor_dir):
        old, new = folder / earlier, folder / path
        status = look(old)
        if old == new or not placement or not status or not is_placed_file(old, status, placement):
            continue
        new.parent.mkdir(parents=True, exist_ok=True)
        there = look(new)
        if there is None:
            move_file(old, new, StopFlag())
        elif os.path.samestat(there, status) or is_copy(old, new, there):
            # A kill came between the new name and the old one.
            remove_file(old, status)
        remove_empty(old.parent, folder)


def _placement_now(path: str, ledger: Ledger, folders: OutputFolders) -> Placement | None:
    placement = ledger.placement(path)
    for folder in (folders.good_dir, folders.poor_dir):
        status = look(folder / path)
        if placement and status and is_placed_file(folder / path, status, placement):
            return replace(placement, identity=FileIdentity.of(status))
    return None

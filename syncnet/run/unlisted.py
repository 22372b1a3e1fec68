"""Videos that earlier runs recorded and this one does not list: gone, in another input, or moved by the tool itself."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import PurePosixPath

from syncnet.inputs.belonging import LIST_SIGN, Input, holds_a_video, input_named, is_gone
from syncnet.inputs.discovery import FoundVideos, VideoFile
from syncnet.placement.folders import OutputFolders
from syncnet.placement.slots import look
from syncnet.state.ledger import Ledger


@dataclass
class Listing:
    """What a run lists, beside what the ledger knows."""

    found: FoundVideos
    own: Input
    """That the run is over."""
    folders: OutputFolders
    ledger: Ledger
    one_video: bool = False
    """Whether the run was asked about one of the folder's videos; the others stay as they are known."""
    _out_of_reach: set[str] = field(default_factory=set)
    """Other inputs that hold no video."""

    @cached_property
    def holds_any(self) -> bool:
        """Whether any video is there: where none is, a disk may not be mounted, and nothing is taken for gone."""
        listed = any(not video.absent for video in self.found.videos)
        return listed or (not self.own.is_list and holds_a_video(self.own.base))

    @cached_property
    def _names(self) -> frozenset[str]:
        """Whose own names, and whose other names, are taken by what is listed."""
        videos = self.found.videos
        return frozenset(name for video in videos for name in (str(video.relative_path), video.source) if name)

    @cached_property
    def _unread(self) -> frozenset[str]:
        return frozenset(str(skipped.path) for skipped in self.found.unreadable)

    @cached_property
    def _left(self) -> frozenset[str]:
        """Folders that are no longer there, and whose videos are in this one: the folder itself has a new name."""
        known = self.ledger.known
        earlier = {
            known[str(video.relative_path)].found_in
            for video in self.found.videos
            if str(video.relative_path) in known and known[str(video.relative_path)].identity == video.identity
        }
        folders = (name for name in earlier - {self.own.name} if name and not name.startswith(LIST_SIGN))
        return frozenset(name for name in folders if not os.path.isdir(name))

    def unlisted(self) -> list[VideoFile]:
        """With size and time of their records; ``removed``: those that are gone."""
        listed = {str(video.relative_path) for video in self.found.videos}
        videos = (self._unlisted(path) for path in self.ledger.known if path not in listed)
        return [video for video in videos if video is not None]

    def _unlisted(self, path: str) -> VideoFile | None:
        """None for what is there, but not looked at in this run: in a subfolder, without ``--recursive``."""
        source, known = self.ledger.source_of(path), self.ledger.known[path]
        is_own = known.found_in in ("", self.own.name, *self._left)
        own = self.own if is_own else input_named(known.found_in)
        video = replace(
            own.video(source),
            relative_path=PurePosixPath(path),
            source=source if source != path else "",
            file_bytes=known.identity.size,
            mtime_ns=known.identity.mtime_ns,
        )
        if self.ledger.was_moved(path):
            return replace(video, removed=not self._is_placed(path))
        if not is_own or own.is_stream:
            gone = self._is_gone(source, own)
        elif not own.is_list and source not in self._names and os.path.lexists(video.path):
            return video if self.one_video else None
        else:
            gone = True if self.holds_any and not self._is_unread(video) else None
        # Where nobody can tell, it is as it was.
        return replace(video, removed=known.gone if gone is None else gone)

    def is_removed(self, video: VideoFile) -> bool:
        """Of one that a list names, and that is absent."""
        name = str(video.relative_path)
        if self.ledger.was_moved(name):
            return not self._is_placed(name)
        can_tell = self.holds_any and (bool(video.uri) or os.path.isdir(video.path.parent))
        return can_tell or self.ledger.known[name].gone

    def warnings(self, unlisted: Iterable[VideoFile]) -> list[str]:
        """A sentence where the whole input seems to be gone."""
        ours = (video for video in unlisted if not video.removed and self._is_own(video))
        kept = sum(not self.ledger.was_moved(str(video.relative_path)) for video in ours)
        if self.holds_any or not kept:
            return []
        what = "No video of the list is there" if self.own.is_list else "The folder holds no video"
        return [_out_of_reach(what, kept)]

    def notices(self, unlisted: Sequence[VideoFile]) -> list[str]:
        """The warnings, and a sentence for each other folder that holds no video any more."""
        kept = Counter(
            self.ledger.known[str(video.relative_path)].found_in
            for video in unlisted
            if not video.removed and not self.ledger.was_moved(str(video.relative_path))
        )
        others = sorted(name for name in self._out_of_reach if kept[name])
        return [*self.warnings(unlisted), *(_out_of_reach(f"{name} holds no video", kept[name]) for name in others)]

    def _is_own(self, video: VideoFile) -> bool:
        return self.ledger.known[str(video.relative_path)].found_in in ("", self.own.name)

    def note(self, unlisted: Iterable[VideoFile]) -> None:
        """Tells the ledger what has changed; where it cannot be written, the next run finds it out again."""
        with contextlib.suppress(OSError):
            for video in self.found.videos:
                self._note(video, self.own.name)
            for video in unlisted:
                found_in = self.ledger.known[str(video.relative_path)].found_in
                self._note(video, self.own.name if found_in in self._left else found_in)

    def _note(self, video: VideoFile, found_in: str) -> None:
        path = str(video.relative_path)
        known = self.ledger.known.get(path)
        if known is None or known.identity != video.identity:
            return
        if known.found_in != found_in or (known.gone and not video.removed):
            self.ledger.note_seen(path, found_in)
        if video.removed and not self.ledger.known[path].gone:
            self.ledger.note_gone(path)

    def _is_gone(self, source: str, own: Input) -> bool | None:
        if own.name in self._out_of_reach:
            return None
        gone = is_gone(source, own)
        if gone is None and not own.is_list:
            # It is looked for once, and not for each of thousands of videos.
            self._out_of_reach.add(own.name)
        return gone

    def _is_placed(self, path: str) -> bool:
        try:
            return any(look(folder / path) is not None for folder in (self.folders.good_dir, self.folders.poor_dir))
        except OSError:
            # Nobody can tell.
            return True

    def _is_unread(self, video: VideoFile) -> bool:
        unread = self._unread
        return bool(unread) and (video.location in unread or any(str(one) in unread for one in video.path.parents))


def _out_of_reach(what: str, kept: int) -> str:
    known = "the one that an earlier run found" if kept == 1 else f"the {kept:,} that earlier runs found"
    cure = "check that its disk or share is mounted. Records and copies are kept and counted as before."
    return f"{what}, and {known} may only be out of reach: {cure}"

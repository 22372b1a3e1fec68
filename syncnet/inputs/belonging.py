"""The input that a video was found in, as the ledger names it, and whether the video is still there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePath

from syncnet.inputs.discovery import VideoFile
from syncnet.inputs.manifest import location_of, video_at
from syncnet.inputs.paths import absolute
from syncnet.settings import STDIN, Request

LIST_SIGN = "list:"
"""Before the path of a list; the name of a folder is its path."""


@dataclass(frozen=True)
class Input:
    """A folder of videos, or a list of them."""

    name: str
    """The same for every run over it, wherever it is started."""
    base: Path
    """What the names of its videos are relative to."""

    @property
    def is_list(self) -> bool:
        return self.name.startswith(LIST_SIGN)

    @property
    def is_stream(self) -> bool:
        """Whether it was read from stdin: the next one is another list."""
        return self.is_list and os.path.basename(self.name) == str(STDIN)

    def video(self, name: str) -> VideoFile:
        """The video of this name; its size and time are not known yet."""
        if self.is_list:
            return video_at(location_of(PurePath(name), self.base), self.base)
        return VideoFile(self.base / name, PurePath(name), 0)


def input_of(request: Request) -> Input:
    """The one that the request names."""
    if request.input_manifest is None:
        return Input(os.path.realpath(request.base_dir), request.base_dir)
    manifest = os.path.join(request.base_dir, request.input_manifest.name)
    return Input(LIST_SIGN + absolute(manifest), request.base_dir)


def input_named(name: str) -> Input:
    """The one that the ledger names so."""
    path = name.removeprefix(LIST_SIGN)
    return Input(name, Path(path if path == name else os.path.dirname(path)))


def is_gone(name: str, own: Input, others: Callable[[], Iterable[str]]) -> bool:
    """Whether a video that this run does not list is no longer where an earlier one found it.

    False where nobody can tell: its folder is not there, its server is not asked, or nothing is left of the ``others``
    that were found in the same folder, as where a disk is not mounted.
    """
    video = own.video(name)
    if video.uri or os.path.lexists(video.path):
        return False
    if own.is_list:
        return os.path.isdir(video.path.parent)
    return any(os.path.lexists(own.base / other) for other in others())

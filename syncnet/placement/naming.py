"""Names for the videos of a run: where another video's kept copy has the name, the new video gets ``clip~2.mp4``."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import PurePath, PurePosixPath
from typing import Protocol

from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.inputs.origin import SPARE_MARK
from syncnet.placement.folders import MOST_NAME_BYTES, OutputFolders
from syncnet.placement.slots import History, Slots, look


class Names(History, Protocol):
    """What is recorded under which name; the ledger is one."""

    def identity_of(self, path: str) -> FileIdentity | None:
        """Of the file of the last record under this name."""

    def source_of(self, path: str) -> str:
        """The path below the input of the video that has this name."""


def settle_names(videos: Sequence[VideoFile], folders: OutputFolders, names: Names) -> list[VideoFile]:
    """The videos under the names that they have in the output folder and in the ledger.

    That is the path below the input, unless a copy of another file stands under it, which was there before and is
    gone, or lies in another input folder. Then the name gets a number, and keeps it.
    """
    own: set[str] = set()
    settled = []
    for video in videos:
        name = str(video.relative_path)
        identity = names.identity_of(name)
        if identity is None or video.absent or (identity == video.identity and names.source_of(name) == name):
            settled.append(video)
            continue
        own = own or {str(other.relative_path) for other in videos}
        chosen = _choose(video, folders, names, own)
        settled.append(video if chosen == name else replace(video, relative_path=PurePosixPath(chosen), source=name))
    return settled


def _choose(video: VideoFile, folders: OutputFolders, names: Names, own: set[str]) -> str:
    recorded = []
    for name in spare_names(video.relative_path):
        if names.identity_of(name) is None:
            if name not in own and not _stands_somewhere(name, folders):
                break
        elif names.source_of(name) == str(video.relative_path):
            recorded.append(name)
    same = next((known for known in recorded if names.identity_of(known) == video.identity), None)
    return same or next((known for known in recorded if _gives_way(known, video, folders, names)), name)


def _gives_way(name: str, video: VideoFile, folders: OutputFolders, names: Names) -> bool:
    """Whether nothing stands under the name but what is the video's own."""
    try:
        slots = Slots(replace(video, relative_path=PurePosixPath(name)), folders, names)
        return all(look(target) is None or slots.is_own(target) for target in slots.targets.values())
    except OSError:
        # Who cannot read them cannot say that they are the same.
        return False


def _stands_somewhere(name: str, folders: OutputFolders) -> bool:
    return any(look(folder / name) is not None for folder in (folders.good_dir, folders.poor_dir))


def spare_names(path: PurePath) -> Iterator[str]:
    """``clip.mp4``, ``clip~2.mp4``, ``clip~3.mp4`` and so on, each as long as a name can be."""
    yield str(path)
    for number in itertools.count(2):
        ending = f"{SPARE_MARK}{number}{path.suffix}"
        stem = path.stem
        if len(os.fsencode(stem + ending)) > MOST_NAME_BYTES:
            room = MOST_NAME_BYTES - len(os.fsencode(ending))
            stem = os.fsencode(stem)[:room].decode("utf-8", errors="ignore")
        yield str(path.with_name(stem + ending))

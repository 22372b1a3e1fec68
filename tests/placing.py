"""Placing a video, with a history kept by hand."""

from __future__ import annotations

from pathlib import Path, PurePath

from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.placement.folders import OutputFolders
from syncnet.placement.placing import place_video
from syncnet.settings import PlaceMode
from syncnet.system.interruption import StopFlag


class Notes:
    """Knows every version of a video that was placed with it."""

    def __init__(self) -> None:
        self.known: set[FileIdentity] = set()
        self.moved = False

    def knows(self, _path: str, identity: FileIdentity) -> bool:
        return any(known.is_of_copy(identity) for known in self.known)

    def was_moved(self, _path: str) -> bool:
        return self.moved

    def note_moving(self, _path: str) -> None:
        self.moved = True


def as_video(source: Path) -> VideoFile:
    """The file as ``sub/NAME`` of an input folder; with made-up size and time where there is no such file."""
    size, mtime_ns = (source.stat().st_size, source.stat().st_mtime_ns) if source.exists() else (1, 1)
    return VideoFile(source, PurePath("sub") / source.name, size, mtime_ns)


def place(
    source: Path,
    folders: OutputFolders,
    passed: bool | None,
    stop: StopFlag | None = None,
    *,
    notes: Notes | None = None,
    mode: PlaceMode = "copy",
) -> bool:
    notes = notes or Notes()
    video = as_video(source)
    notes.known.add(video.identity)
    return place_video(video, folders, passed=passed, stop=stop or StopFlag(), history=notes, mode=mode)

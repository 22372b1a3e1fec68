"""Placing a video, with a history kept by hand."""

from __future__ import annotations

from pathlib import Path, PurePath

from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.inputs.origin import Placement
from syncnet.placement.folders import OutputFolders
from syncnet.placement.placing import place_video
from syncnet.settings import PlaceMode
from syncnet.system.interruption import StopFlag


class Notes:
    """Knows every version of a video that was placed with it, and what was put there last."""

    def __init__(self) -> None:
        self.known: set[FileIdentity] = set()
        self.placed: Placement | None = None
        self.moved = False

    def knows(self, _path: str, identity: FileIdentity) -> str:
        return any(known.is_of_copy(identity) for known in self.known)

    def was_moved(self, _path: str) -> bool:
        return self.moved

    def placement(self, _path: str) -> Placement | None:
        return self.placed

    def has_placement(self, _path: str) -> bool:
        return self.placed is not None

    def note_moving(self, _path: str) -> None:
        self.moved = True

    def note_placed(self, _path: str, placement: Placement | None) -> None:
        self.placed = placement
        self.moved = placement is not None and placement.mode == "move"


def as_video(source: Path) -> VideoFile:
    """The file as ``sub/NAME`` of an input folder; with made-up size and time where there is no such file."""
    video = VideoFile(source, PurePath("sub") / source.name, 1, 1)
    return video.seen_as(source.stat()) if source.exists() else video


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

"""Sound from elsewhere: which file a video is scored against."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path, PurePath, PurePosixPath

from syncnet.errors import UsageError
from syncnet.inputs.discovery import FileIdentity, SoundFile

# fmt: off
SOUND_SUFFIXES = frozenset((
    ".wav", ".w64", ".flac", ".mp3", ".mp2", ".m4a", ".m4b", ".aac", ".ac3", ".eac3", ".ogg", ".oga", ".opus", ".aiff",
    ".aif", ".caf", ".au", ".amr", ".wma", ".wv", ".ape", ".tta", ".mka", ".mp4", ".mov", ".mkv", ".webm",
))
# fmt: on
"""Of files that are taken from a folder; transcripts of the same name lie beside many."""


def sound_at(path: Path) -> SoundFile:
    """With what the file now is; one that is not there has a problem when its turn comes."""
    try:
        return SoundFile(path, FileIdentity.of(path.stat()))
    except OSError:
        return SoundFile(path)


class SoundFolder:
    """A folder with a sound file for each video: the same path without its ending."""

    def __init__(self, folder: Path) -> None:
        """Raises UsageError where it cannot be read."""
        self._folder = folder
        self._listed: dict[PurePath, dict[str, list[str]]] = {}
        try:
            os.listdir(folder)
        except OSError as error:
            raise UsageError(
                f"--audio_dir {folder}: {(error.strerror or '').lower()}", cure="give the folder with the sound files"
            ) from error

    def find(self, name: PurePath) -> SoundFile:
        """``name``: the video's, below the input folder."""
        found = self._names_in(name.parent).get(name.stem, [])
        place = self._folder / name.parent
        if len(found) == 1:
            return sound_at(place / found[0])
        if not found:
            return SoundFile(place / name.stem, problem=f"no sound file {name.stem}.* in {place}")
        return SoundFile(place / name.stem, problem=f"several sound files in {place}: {', '.join(sorted(found))}")

    def _names_in(self, parent: PurePath) -> dict[str, list[str]]:
        """File names by their stems."""
        if parent not in self._listed:
            names: dict[str, list[str]] = defaultdict(list)
            try:
                with os.scandir(self._folder / parent) as entries:
                    for entry in entries:
                        name = PurePosixPath(entry.name)
                        if not entry.name.startswith(".") and name.suffix.lower() in SOUND_SUFFIXES and entry.is_file():
                            names[name.stem].append(entry.name)
            except OSError:
                # Each of its videos is told that there is none.
                names.clear()
            self._listed[parent] = names
        return self._listed[parent]

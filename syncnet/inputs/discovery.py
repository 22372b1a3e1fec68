"""Input folder -> the videos in it, in path order."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Any

from syncnet.errors import NoSoundFileError
from syncnet.system.text import masked

# fmt: off
VIDEO_SUFFIXES = frozenset((
    ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".f4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".vob", ".ts", ".mts",
    ".m2ts", ".flv", ".wmv", ".asf", ".mxf", ".dv", ".ogv", ".ogg",
))
# fmt: on


STATE_FOLDER = ".sync_filter"
"""What the tool remembers: a folder with it is one that it puts videos into."""
AN_OUTPUT = "an output folder of this tool"
OUTPUT_SUBFOLDERS = frozenset(
    ("good_quality", "poor_quality", "visualized", "syncnet_outputs", "segments", "report", "shards", "repaired")
)


COARSE_NS = 10_000_000
COARSEST_NS = 2_000_000_000
"""exFAT keeps times in steps of 10 ms, FAT in steps of 2 s."""


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """As much of a file as tells at a glance whether it is still the same."""

    size: int
    """Bytes."""
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileIdentity:
        return cls(status.st_size, status.st_mtime_ns)

    def is_of_copy(self, copy: FileIdentity) -> bool:
        """Whether a file with the identity ``copy`` has this size and time, as far as its file system can tell it."""
        if copy == self:
            return True
        coarse = copy.mtime_ns % COARSE_NS == 0 and abs(copy.mtime_ns - self.mtime_ns) < COARSEST_NS
        return coarse and copy.size == self.size


SOUND_SIGN = "+"
"""In a fingerprint, before what tells the sound."""
SOUND_MARK_DIGITS = 16


@dataclass(frozen=True)
class SoundFile:
    """A file that takes the place of a video's own sound."""

    path: Path
    identity: FileIdentity = FileIdentity(0, 0)
    """As it was when it was last looked at."""
    problem: str = ""
    """Why there is none."""

    @property
    def mark(self) -> str:
        """Of the file and its place: sound files of one length often have one size, and archives keep times."""
        told = f"{self.path}\n{self.identity.size}\n{self.identity.mtime_ns}"
        return hashlib.sha256(os.fsencode(told)).hexdigest()[:SOUND_MARK_DIGITS]

    def as_it_is_now(self) -> SoundFile:
        """Raises NoSoundFileError."""
        if not self.problem:
            try:
                return replace(self, identity=FileIdentity.of(self.path.stat()))
            except OSError as error:
                problem = f"its sound file {self.path}: {(error.strerror or '').lower()}"
                raise NoSoundFileError(problem, path=self.path, cure="put it there, then run again") from error
        raise NoSoundFileError(self.problem, path=self.path, cure="put it there, then run again")


def node_of(status: os.stat_result) -> int:
    """Device and inode: names with the same one are hard links of one file."""
    return status.st_dev << 64 | status.st_ino


@dataclass(frozen=True)
class VideoFile:
    """A file that is called a video; nothing has been read of it yet."""

    path: Path
    """As given: the input folder as the user wrote it, with the relative path below."""
    relative_path: PurePath
    """Below the input folder. It is the name of the copy below good_quality or poor_quality, and in the ledger."""
    file_bytes: int
    mtime_ns: int = 0
    uri: str = ""
    """Where it is fetched from; empty for a file of this machine. ``path`` then only stands for it."""
    fetched: Path | None = None
    """Its local copy, while there is one."""
    absent: bool = False
    """Named by a manifest, but not there."""
    is_link: bool | None = None
    """Whether the path itself is a link; None where nobody looked."""
    node: int = 0
    """``node_of`` the file; 0 where nobody looked."""
    removed: bool = False
    """It is no longer where an earlier run found it."""
    source: str = ""
    """Its path below the input folder, where another video's kept copy has that name; empty where it is its own."""
    sound: SoundFile | None = None
    """What it is scored against, if that is not its own sound."""
    columns: dict[str, Any] | None = field(default=None, compare=False, repr=False)
    """What a table says of it, by column; None where no table names it."""

    def seen_as(self, status: os.stat_result) -> VideoFile:
        """The same video as its file now is."""
        return replace(self, file_bytes=status.st_size, mtime_ns=status.st_mtime_ns, node=node_of(status))

    @property
    def identity(self) -> FileIdentity:
        return FileIdentity(self.file_bytes, self.mtime_ns)

    @property
    def sound_path(self) -> Path | None:
        return self.sound.path if self.sound else None

    def kind(self, fingerprint: str) -> str:
        """The fingerprint of a run, with what tells this video's sound where that is not its own."""
        return f"{fingerprint}{SOUND_SIGN}{self.sound.mark}" if self.sound else fingerprint

    @property
    def location(self) -> str:
        """Its URI or its path, for people."""
        return masked(self.uri) or str(self.path)

    @property
    def file(self) -> Path:
        """What can be opened: of a remote video, only while it is fetched."""
        return self.fetched or self.path


@dataclass(frozen=True)
class SkippedPath:
    """Something in the input folder that was not looked into, and why."""

    path: Path | str
    """A string for a URI."""
    reason: str


@dataclass
class FoundVideos:
    """What a folder holds, or a manifest names."""

    videos: list[VideoFile] = field(default_factory=list)
    """In the order of their path strings."""
    unreadable: list[SkippedPath] = field(default_factory=list)
    """Folders and files that the system would not show, and links to nothing: videos are missing there."""
    left_out: list[SkippedPath] = field(default_factory=list)
    """Named like videos, but nothing to open (pipes, devices), and linked subfolders."""
    other_endings: Counter[str] = field(default_factory=Counter)
    """How many files were passed over by their ending, by that ending in small letters."""
    from_manifest: bool = False
    """Then a video is gone when no line names it any more, wherever its file is."""


def find_videos(input_dir: Path, *, recursive: bool, excluded_dirs: Iterable[Path] = ()) -> FoundVideos:
    """Videos by their extension, in any case, with those of subfolders when ``recursive``.

    Hidden files and folders (``.name``, so also the ``._name`` companions that macOS writes) are skipped. A
    link to a video is a video. A linked subfolder is not followed, because it may lead back up; it is named
    in ``left_out``, and so is a subfolder that some run has sorted videos into. Files of other endings are counted.
    ``excluded_dirs`` (the output folders of this one) are not entered, under whatever name they appear.
    """
    found = FoundVideos()
    excluded = {os.path.realpath(path) for path in excluded_dirs}
    folders = [PurePath()]
    while folders:
        folder = folders.pop()
        is_output = os.path.isdir(input_dir / folder / STATE_FOLDER)
        if is_output and folder.parts:
            found.left_out.append(SkippedPath(input_dir / folder, AN_OUTPUT))
            continue
        for entry in _list_folder(input_dir, folder, found):
            relative_path = folder / entry.name
            if _is_folder(entry):
                if not recursive or os.path.realpath(input_dir / relative_path) in excluded:
                    continue
                if is_output and entry.name in OUTPUT_SUBFOLDERS:
                    found.left_out.append(SkippedPath(input_dir / relative_path, AN_OUTPUT))
                else:
                    _note_folder(entry, input_dir, relative_path, folders, found)
            elif relative_path.suffix.lower() in VIDEO_SUFFIXES:
                _note_file(entry, input_dir, relative_path, found)
            else:
                found.other_endings[relative_path.suffix.lower()] += 1
    found.videos.sort(key=lambda video: str(video.path))
    return found


def find_one(path: Path) -> FoundVideos:
    """The video itself, whatever its ending: somebody has named it."""
    found = FoundVideos()
    _note_file(path, path.parent, PurePath(path.name), found)
    return found


def _list_folder(input_dir: Path, folder: PurePath, found: FoundVideos) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(input_dir / folder) as entries:
            yield from (entry for entry in entries if not entry.name.startswith("."))
    except OSError as error:
        found.unreadable.append(SkippedPath(input_dir / folder, reason_of(error)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A loop of links: no folder to enter; as a file it is reported below.
        return False


def _note_folder(
    entry: os.DirEntry[str], input_dir: Path, relative_path: PurePath, folders: list[PurePath], found: FoundVideos
) -> None:
    if entry.is_symlink():
        found.left_out.append(SkippedPath(input_dir / relative_path, "a link to a folder, not followed"))
    else:
        folders.append(relative_path)


def _note_file(entry: os.DirEntry[str] | Path, input_dir: Path, relative_path: PurePath, found: FoundVideos) -> None:
    path = input_dir / relative_path
    try:
        status = entry.stat()
    except FileNotFoundError:
        # A link to nothing is a video that is missing, as when a disk is not mounted. A plain file that went
        # away since the listing needs no word.
        if entry.is_symlink():
            found.unreadable.append(SkippedPath(path, "a link to nothing"))
    except OSError as error:
        found.unreadable.append(SkippedPath(path, reason_of(error)))
    else:
        if stat.S_ISREG(status.st_mode):
            video = VideoFile(path, relative_path, 0, is_link=entry.is_symlink())
            found.videos.append(video.seen_as(status))
        else:
            found.left_out.append(SkippedPath(path, "not a regular file"))


def reason_of(error: OSError) -> str:
    """The system's own words."""
    return (error.strerror or type(error).__name__).lower()

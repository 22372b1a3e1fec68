"""Whether a video stands where it belongs already: told by two looks at the file system, and nothing is changed."""

from __future__ import annotations

import os
import stat

from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.placement.folders import OutputFolders


class RestingPlaces:
    """Asked of thousands of videos in one run; what holds for a whole folder is found out once."""

    def __init__(self, folders: OutputFolders) -> None:
        self._folders = {True: str(folders.good_dir), False: str(folders.poor_dir)}
        self._leads_back: dict[tuple[str, str], bool] = {}
        self._real_folders: dict[str, str] = {}

    def hold(self, video: VideoFile, *, passed: bool | None, gone: bool = False) -> bool:
        """Whether ``place_video`` (``replace_verdict`` where the video is ``gone``) would find nothing to do.

        False also where two looks do not tell.
        """
        try:
            return self._hold(video, passed, gone)
        except OSError:
            # What is wrong there is told by who places.
            return False

    def _hold(self, video: VideoFile, passed: bool | None, gone: bool) -> bool:
        relative = str(video.relative_path)
        good, poor = (os.path.join(self._folders[kind], relative) for kind in (True, False))
        if gone:
            return passed is None or _look(poor if passed else good) is None
        path = str(video.path)
        if video.uri or self._is_among_copies(path, (good, poor)):
            return False
        if video.is_link is not False and self._leads_to_copy(path, (good, poor)):
            return False
        if passed is None:
            return _look(good) is None and _look(poor) is None
        wanted, other = (good, poor) if passed else (poor, good)
        return _stands(_look(wanted), wanted, path, video.identity) and _look(other) is None

    def _is_among_copies(self, path: str, targets: tuple[str, str]) -> bool:
        """Whether a link makes the folder of the video one of those that copies go to."""
        return any(self._is_one_folder(os.path.dirname(path), os.path.dirname(target)) for target in targets)

    def _leads_to_copy(self, path: str, targets: tuple[str, str]) -> bool:
        """Whether the video is a link to what stands, or would stand, for it."""
        real = os.path.realpath(path)
        return any(real == os.path.join(self._real(folder), name) for folder, name in map(os.path.split, targets))

    def _real(self, folder: str) -> str:
        if folder not in self._real_folders:
            self._real_folders[folder] = os.path.realpath(folder)
        return self._real_folders[folder]

    def _is_one_folder(self, one: str, other: str) -> bool:
        if (one, other) not in self._leads_back:
            try:
                same = os.path.samefile(one or os.curdir, other)
            except FileNotFoundError:
                same = False
            self._leads_back[one, other] = same
        return self._leads_back[one, other]


def _look(path: str) -> os.stat_result | None:
    try:
        return os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _stands(status: os.stat_result | None, target: str, source: str, identity: FileIdentity) -> bool:
    if status is None:
        return False
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(target) == os.path.abspath(source)
    return stat.S_ISREG(status.st_mode) and identity.is_of_copy(FileIdentity.of(status))

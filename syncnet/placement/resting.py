"""Whether a video stands where it belongs already: told by two looks at the file system, and nothing is changed."""

from __future__ import annotations

import os

from syncnet.inputs.discovery import VideoFile
from syncnet.placement.folders import OutputFolders
from syncnet.placement.slots import History, is_in_place, look
from syncnet.settings import PlaceMode


class RestingPlaces:
    """Asked of thousands of videos in one run; what holds for a whole folder is found out once."""

    def __init__(self, folders: OutputFolders, history: History, mode: PlaceMode) -> None:
        self._history = history
        self._mode = mode
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
            return passed is None or look(poor if passed else good) is None
        if passed is not None and (self._mode == "move" or not self._history.has_placement(relative)):
            # Its own file is still here; or nothing says what stands there, such as one of another video.
            return False
        path = str(video.path)
        if video.uri or self._is_among_copies(path, (good, poor)):
            return False
        if video.is_link is not False and self._leads_to_copy(path, (good, poor)):
            return False
        if passed is None:
            return look(good) is None and look(poor) is None
        wanted, other = (good, poor) if passed else (poor, good)
        return is_in_place(look(wanted), wanted, video, self._mode) and look(other) is None

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

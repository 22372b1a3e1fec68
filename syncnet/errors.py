"""Typed errors: which file, what is wrong, what to do about it."""

from __future__ import annotations

from pathlib import Path


class SyncFilterError(Exception):
    """Base of everything this tool raises on purpose.

    ``str(error)`` is one line for a person: the problem, then the cure.
    """

    def __init__(self, problem: str, *, path: Path | str | None = None, cure: str = "") -> None:
        self.path = None if path is None else Path(path)
        self.problem = problem
        self.cure = cure
        super().__init__(problem if not cure else f"{problem}: {cure}")


class UsageError(SyncFilterError):
    """The command was called wrongly, or what it needs is missing. Raised before any video is touched."""


class ModelFileError(UsageError):
    """A model file is missing, corrupt or not the one that was expected."""


class VideoError(SyncFilterError):
    """One video cannot be scored. The others go on."""


class NotAVideoError(VideoError):
    """The file is no media file that can be opened."""


class NoVideoStreamError(VideoError):
    """The file holds no moving picture."""


class NoAudioStreamError(VideoError):
    """The file holds no sound, so there is nothing to compare the lips with."""


class NoSoundFileError(VideoError):
    """The sound file that a video is to be scored against is not there. The next run may find it."""


class NoFaceClipError(VideoError):
    """The video was to be scored as the face crop that it is, and is none."""


class EmptyVideoError(VideoError):
    """The picture or the sound decodes to nothing."""


class DamagedVideoError(VideoError):
    """Decoding failed part of the way."""


class StillChangingError(VideoError):
    """The file is being written: it is no failure, and its turn comes in a later run."""


class TimeLimitError(VideoError):
    """Scoring the video took longer than it was allowed to."""


class TooLargeError(VideoError):
    """Decoding the video would take more memory than it may."""

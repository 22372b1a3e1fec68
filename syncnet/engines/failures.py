"""What went wrong with a video, in words, and whether another run may fare better."""

from __future__ import annotations

import errno
import traceback
from pathlib import Path

from syncnet.errors import NoSoundFileError, SyncFilterError, UsageError, VideoError
from syncnet.inputs.remote import FetchError
from syncnet.placement.placing import CopyError
from syncnet.state.records import Failure

DISK_FULL = (errno.ENOSPC, errno.EDQUOT)
FREE_SPACE = "free some space on the output disk, then run again"
_OUTSIDE = (CopyError, FetchError, NoSoundFileError, UsageError)
"""Never of the video itself."""


class ExplainedError(VideoError):
    """A failure that another process has explained already."""

    def __init__(self, problem: str, *, path: Path, cure: str, failure: Failure) -> None:
        super().__init__(problem, path=path, cure=cure)
        self.failure = failure


def explain(error: Exception) -> tuple[Failure, str, str]:
    """Kind, problem and cure; the words one line each."""
    if isinstance(error, ExplainedError):
        return error.failure, error.problem, error.cure
    if isinstance(error, SyncFilterError):
        # Typed errors say with their cause where the file itself is not to blame.
        cause = error.__cause__
        outside = isinstance(error, _OUTSIDE) or (cause is not None and _is_of_environment(cause))
        return "environment" if outside else "file", error.problem, error.cure
    if _is_of_memory(error):
        return "environment", "not enough memory", "give fewer --max_workers"
    if isinstance(error, OSError):
        problem = (error.strerror or str(error)).lower()
        usual = "check that the file can be read, then run again"
        return "environment", problem, FREE_SPACE if error.errno in DISK_FULL else usual
    place = traceback.extract_tb(error.__traceback__)[-1]
    first_line = next(iter(str(error).splitlines()), "")
    problem = f"{type(error).__name__}: {first_line} ({Path(place.filename).name}, line {place.lineno})"
    return "file", problem, "this is a fault of the tool: please report it with the video"


def _is_of_environment(error: BaseException) -> bool:
    import av

    if isinstance(error, av.FFmpegError):
        # Most of FFmpeg's errors are of the file, and some of them count as OSErrors. Sizes that a broken file claims
        # are refused as if memory had run out.
        return isinstance(error, PermissionError)
    return isinstance(error, OSError) or _is_of_memory(error)


def _is_of_memory(error: BaseException) -> bool:
    # torch's own OutOfMemoryError is a RuntimeError; its name is all that is needed of it here.
    return isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"

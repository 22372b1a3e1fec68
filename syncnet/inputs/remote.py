"""Videos that lie elsewhere (s3://, gs://, hf:// ...): looked at, and fetched into a local copy while one is needed.

fsspec reads them, with one library more for most protocols; both are optional and imported here and on use only.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import importlib
import os
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from threading import Lock
from typing import Any

from syncnet.errors import StillChangingError, SyncFilterError, TimeLimitError, UsageError, VideoError
from syncnet.inputs.archives import is_member, split_member
from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.system.interruption import Deadline, Interrupted, StopFlag
from syncnet.system.invocation import install_requirements
from syncnet.system.patience import run_within
from syncnet.system.text import masked
from syncnet.system.work_folder import work_folder

INSTALL = install_requirements("remote")
LOOKS_AT_ONCE = 16
"""Each look is one short request, so that time goes by in waiting for answers."""
LOOKS_PLANNED = 4096
MOST_UNANSWERED = 32
"""So many requests in a row to one server without an answer: each takes seconds, and a list may name millions."""
ANSWER_SECONDS = 30.0
"""Longest wait for the answer to one such request, whatever its library is ready to wait for."""
PIECE_BYTES = 4 * 1024 * 1024
RESERVED_BYTES = 64 * 1024 * 1024
"""Left free on the disk of temporary files."""
LONGEST_SUFFIX = 16

_LIBRARIES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub", "abfs": "adlfs"}
_TIMES = ("mtime", "LastModified", "last_modified", "updated", "modified", "created")
"""What the protocols call the time of the last change; ``created``, where an object is never changed but replaced."""
_MARKS = ("ETag", "etag", "md5Hash", "md5", "blob_id", "generation")
"""What they call a mark of the content."""
_NS_PER_SECOND = 1_000_000_000
_NS_PER_STEP = 1_000
"""Times of copies are kept in steps of a microsecond or finer by the usual file systems."""


class FetchError(VideoError):
    """A remote video could not be looked at or fetched. It is no fault of the video: the next run tries again."""


def look_at(
    videos: Sequence[VideoFile], limit_seconds: float = ANSWER_SECONDS
) -> Iterator[tuple[VideoFile, FileIdentity | str | None]]:
    """Each video with what it now is: its identity, None where there is nothing, or why it could not be looked at.

    ``limit_seconds``: the most that one look may take. The rest of a bucket whose server does not answer is not asked
    for. Raises UsageError where a library is missing.
    """
    for uri in {video.uri.partition("://")[0]: video.uri for video in videos}.values():
        with contextlib.suppress(FetchError):
            _open_file_system(uri)
    stop = StopFlag()
    limit_seconds = min(limit_seconds, ANSWER_SECONDS)
    seen = partial(_seen, unanswered=Counter(), turn=Lock(), stop=stop, limit_seconds=limit_seconds)
    with ThreadPoolExecutor(LOOKS_AT_ONCE) as pool:
        try:
            # The pool holds something for each video that it was given and has not answered.
            for start in range(0, len(videos), LOOKS_PLANNED):
                batch = videos[start : start + LOOKS_PLANNED]
                yield from zip(batch, pool.map(seen, batch), strict=True)
        finally:
            # Whoever interrupts the looks waits for none of them.
            stop.stop()
            pool.shutdown(wait=False, cancel_futures=True)


def identity_of(
    uri: str, *, fresh: bool = False, stop: StopFlag | None = None, limit_seconds: float = ANSWER_SECONDS
) -> FileIdentity:
    """Size, and as time the seconds of the last change with a hash of the content's mark in the place of the rest.

    So an object that was replaced by one of the same size within a second is another one all the same, and a copy
    with this time tells which object it is of. Where a protocol tells neither time nor mark, the size alone counts.
    ``fresh``: whatever an earlier listing said. Raises FetchError, also where there is no answer in time,
    UsageError, and Interrupted.
    """
    limit = Deadline(stop or StopFlag(), limit_seconds)
    try:
        return run_within(limit, lambda _: _identity_of(uri, fresh=fresh))
    except TimeLimitError as error:
        raise FetchError(f"no answer within {limit_seconds:g} s", path=masked(uri), cure=_AGAIN) from error


def _identity_of(uri: str, *, fresh: bool) -> FileIdentity:
    file_system, path = _open_file_system(uri)
    with _explained(uri):
        if fresh:
            file_system.invalidate_cache()
        facts: Mapping[str, Any] = file_system.info(path)
        size = facts.get("size")
        if facts.get("type") == "directory":
            raise FetchError("a folder, and no video", path=masked(uri), cure="name the videos in it one by one")
        if is_member(uri) and not facts.get("mtime"):
            # Where an archive keeps no times, a changed archive is one of changed videos.
            facts = {**facts, "etag": repr(_facts_of(split_member(uri)[1]))}
        if size is None:
            raise FetchError("its server does not report its size", path=masked(uri), cure="copy it to a disk first")
        return FileIdentity(int(size), _time_with_mark(facts))


def _facts_of(uri: str) -> tuple[Any, int]:
    """Size and time of an archive."""
    file_system, path = _open_file_system(uri)
    facts = file_system.info(path)
    return facts.get("size"), _time_with_mark(facts)


@contextmanager
def local_copy(video: VideoFile, stop: StopFlag) -> Iterator[VideoFile]:
    """The video with a file that can be opened, which is removed at the end; of a kill, at the next one's start.

    The copy has the size and the time of the video's identity. A video of this machine comes back as it is. Raises
    FetchError, StillChangingError where it is no longer what it was, UsageError and Interrupted.
    """
    if not video.uri or video.fetched:
        yield video
        return
    with contextlib.ExitStack() as stack:
        with _explained(video.uri):
            folder = stack.enter_context(work_folder())
        target = folder / f"video{video.relative_path.suffix[:LONGEST_SUFFIX]}"
        try:
            run_within(stop, lambda flag: _fetch(video, target, flag))
        except TimeLimitError as error:
            raise FetchError(f"fetching it: {error.problem}", path=masked(video.uri), cure=error.cure) from error
        yield replace(video, fetched=target)


@contextmanager
def fetched(uri: str, stop: StopFlag) -> Iterator[Path]:
    """A local copy of what is there now; errors as in ``local_copy``."""
    identity = identity_of(uri)
    video = VideoFile(Path(uri), PurePosixPath(uri), identity.size, identity.mtime_ns, uri=uri)
    with local_copy(video, stop) as copy:
        yield copy.file


def _fetch(video: VideoFile, target: Path, stop: StopFlag) -> None:
    file_system, path = _open_file_system(video.uri)
    free = shutil.disk_usage(target.parent).free
    if free < video.file_bytes + RESERVED_BYTES:
        raise FetchError(
            f"no room in {target.parent.parent} for its {video.file_bytes / 1024**2:,.0f} MB",
            path=masked(video.uri),
            cure="free some space, or set TMPDIR to a folder with more space",
        )
    stop.enter("fetch", video.file_bytes // PIECE_BYTES)
    with _explained(video.uri), file_system.open(path, "rb") as reader, open(target, "wb") as writer:
        while piece := reader.read(PIECE_BYTES):
            stop.check()
            writer.write(piece)
    if identity_of(video.uri, fresh=True, stop=stop) != video.identity:
        raise StillChangingError("it changed while it was being fetched", path=masked(video.uri))
    size = target.stat().st_size
    if size != video.file_bytes:
        raise FetchError(f"it ended after {size:,} of {video.file_bytes:,} bytes", path=masked(video.uri), cure=_AGAIN)
    os.utime(target, ns=(video.mtime_ns, video.mtime_ns))


def _seen(
    video: VideoFile, *, unanswered: Counter[str], turn: Lock, stop: StopFlag, limit_seconds: float
) -> FileIdentity | str | None:
    """``unanswered``: by server, requests in a row that came to nothing."""
    server = "/".join(video.uri.split("/")[:3])
    if unanswered[server] >= MOST_UNANSWERED:
        return f"not requested, because {masked(server)} did not answer for other videos"
    answer: FileIdentity | str | None
    try:
        answer = identity_of(video.uri, stop=stop, limit_seconds=limit_seconds)
    except FetchError as error:
        if error.__cause__ is not None and _is_of_nothing(error.__cause__):
            answer = None
        elif error.__cause__ is None or isinstance(error.__cause__, PermissionError):
            answer = error.problem
        else:
            # Threads that add at once would lose some.
            with turn:
                unanswered[server] += 1
            return error.problem
    unanswered[server] = 0
    return answer


def _is_of_nothing(error: BaseException) -> bool:
    """Whether the server says that there is no such object. fsspec's http says so of whatever goes wrong there."""
    if not isinstance(error, FileNotFoundError):
        return False
    cause = error.__cause__
    status = getattr(cause, "status", None)
    if isinstance(status, int):
        return status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE)
    if cause is None or isinstance(cause, FileNotFoundError):
        return True
    # Loaded where something failed only: it takes as long as all else that a run needs to look at its folder.
    import asyncio

    of_the_line = isinstance(cause, (OSError, asyncio.TimeoutError)) or type(cause).__module__.startswith("aiohttp")
    return not of_the_line


def _open_file_system(uri: str) -> tuple[Any, str]:
    """fsspec's file system for it, and the path there. It keeps one for each thread and remembers it."""
    scheme = uri.partition("://")[0]
    try:
        core = importlib.import_module("fsspec.core")
    except ImportError:
        raise UsageError(f"{scheme}:// needs fsspec, which is not installed", cure=INSTALL) from None
    try:
        with _explained(uri):
            file_system, path = core.url_to_fs(uri)
    except FetchError as error:
        if isinstance(error.__cause__, ImportError):
            library = _LIBRARIES.get(scheme)
            cure = f"pip install {library}" if library else error.problem
            raise UsageError(f"{scheme}:// needs a library that is not installed", cure=cure) from error
        if isinstance(error.__cause__, ValueError):
            raise UsageError(f"{masked(uri)}: {error.problem}", cure="check that fsspec supports this URI") from error
        raise
    return file_system, str(path)


_AGAIN = "check that it can be reached and read, then run again"


@contextmanager
def _explained(uri: str) -> Iterator[None]:
    """Whatever goes wrong comes out as FetchError: each protocol's library has errors of its own."""
    try:
        yield
    except (SyncFilterError, Interrupted):
        raise
    except Exception as error:
        raise FetchError(_words(error), path=masked(uri), cure=_AGAIN) from error


def _words(error: BaseException) -> str:
    if isinstance(error, FileNotFoundError) and error.__cause__ is not None and not _is_of_nothing(error):
        return _words(error.__cause__)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    if isinstance(error, FileNotFoundError):
        return "no such file or directory"
    first_line = masked(next(iter(str(error).splitlines()), ""))
    return first_line or type(error).__name__


def _time_with_mark(facts: Mapping[str, Any]) -> int:
    """Nanoseconds."""
    moment = next((facts[name] for name in _TIMES if facts.get(name)), None)
    marks = [str(facts[name]) for name in _MARKS if facts.get(name)]
    if moment is None and not marks:
        return 0
    digest = hashlib.sha256("\n".join([str(moment), *marks]).encode(errors="surrogateescape")).digest()
    steps = int.from_bytes(digest[:8], "big") % (_NS_PER_SECOND // _NS_PER_STEP)
    return _seconds(moment) * _NS_PER_SECOND + steps * _NS_PER_STEP


def _seconds(moment: Any) -> int:
    """Since 1970; 0 where it is told in no way that is known here."""
    if isinstance(moment, str):
        with contextlib.suppress(ValueError):
            # Python 3.10 does not know the Z.
            moment = datetime.datetime.fromisoformat(moment.replace("Z", "+00:00"))
    if isinstance(moment, datetime.datetime):
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=datetime.timezone.utc)
        moment = moment.timestamp()
    return int(moment) if isinstance(moment, (int, float)) else 0

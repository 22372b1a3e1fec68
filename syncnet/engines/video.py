"""One video of a run: scored or found again, recorded, judged, placed."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from syncnet.engines.activity import Activities
from syncnet.engines.conclusion import VerdictRules, conclude, failed_result
from syncnet.engines.failures import explain
from syncnet.engines.isolated import TakenAlongError
from syncnet.engines.serving import Score
from syncnet.engines.watch import Watch
from syncnet.errors import StillChangingError, TimeLimitError, VideoError
from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.inputs.remote import identity_of, local_copy
from syncnet.keepsake.embedded import embedded_path, write_embedded
from syncnet.keepsake.file import keepsake_path, write_keepsake
from syncnet.results import Source, VideoResult, VideoScore, best_score
from syncnet.state.records import VideoRecord
from syncnet.state.score_store import ScoreStore, hash_content
from syncnet.system.interruption import Deadline, Interrupted, StopFlag
from syncnet.system.patience import run_within


@dataclass(frozen=True)
class VideoJob:
    """What is done with each video of a run."""

    score: Score
    fingerprint: str
    """Of everything but the files that the score depends on."""
    rules: VerdictRules
    found_in: str = ""
    """The input of the run, as the ledger names it."""
    state_dir: Path | None = None
    """Where keepsakes are written below; None: nowhere."""
    score_uri: Callable[[str, StopFlag, Path | None], VideoScore] | None = None
    """For remote videos, where they are not to be fetched here."""
    store: ScoreStore | None = None
    find_again: bool = True
    """Whether scores are taken from the store, and not only put there."""
    settle_seconds: float = 0.0
    timeout_seconds: float = math.inf
    watch: Watch = field(default_factory=lambda: Watch(math.inf))
    activities: Activities = field(default_factory=Activities)


def process_video(video: VideoFile, job: VideoJob, stop: StopFlag) -> VideoResult:
    """Whatever goes wrong with the video is in the result; raises Interrupted and TakenAlongError only.

    The record is on the disk before the video is placed: a kill in between leaves only the placement to be redone.
    """
    started = time.perf_counter()
    record: VideoRecord | None = None
    source: Source = "scored"
    try:
        stop.check()
        video = _as_it_is_now(video, job.settle_seconds, stop)
        job.rules.ledger.note_started(str(video.relative_path), video.identity)
        with _at_hand(video, job, stop) as at_hand:
            score, source = _score(at_hand, job, stop)
            # Thousands of records are held for the whole run, so the pictures go their own way.
            record = _record(video, job, replace(score, keepsake=None, embedded=None), time.perf_counter() - started)
            job.rules.ledger.add(record)
            _keep_beside(video, job, score)
            known = record
            return run_within(
                stop,
                lambda flag: conclude(known, at_hand, job.rules, flag, source=source),
                idle_seconds=job.timeout_seconds,
            )
    except Interrupted:
        _give_up(video, job)
        raise
    except TakenAlongError:
        # It stays noted as under way: a run that goes no further leaves it to the next one to try it alone.
        raise
    except StillChangingError as error:
        _give_up(video, job)
        size, why = video.file_bytes, error.problem
        return VideoResult(video.path, video.relative_path, size, "pending", 0.0, uri=video.uri, error=why)
    except Exception as error:
        # The one catch-all of the program: a video, whatever is in it, never stops the others.
        failure, problem, cure = explain(error)
        if record is None:
            record = _record(video, job, None, time.perf_counter() - started)
            record = replace(record, failure=failure, error=problem, cure=cure)
            # A ledger that cannot be written means that the video is tried again in the next run.
            with contextlib.suppress(OSError):
                job.rules.ledger.add(record)
        return failed_result(video, problem, cure, record=record, source=source)


def recall_video(
    record: VideoRecord,
    video: VideoFile,
    rules: VerdictRules,
    stop: StopFlag,
    *,
    gone: bool = False,
    idle_seconds: float = math.inf,
) -> VideoResult:
    """A video that needs no scoring: judged and placed as if it had just been scored. Raises Interrupted only.

    ``idle_seconds``: how long its disk may say nothing.
    """
    try:
        return run_within(
            stop,
            lambda flag: conclude(record, video, rules, flag, source="ledger", gone=gone),
            idle_seconds=idle_seconds,
        )
    except Interrupted:
        raise
    except Exception as error:
        _, problem, cure = explain(error)
        return failed_result(video, problem, cure, record=record, source="ledger")


def report_hung(video: VideoFile, job: VideoJob) -> VideoResult:
    """A video whose thread will not come back: recorded, so that it is tried again in a child process if at all."""
    problem = f"hangs in the decoder: it did not stop after {job.timeout_seconds:g} s"
    cure = "convert it again, or leave it out"
    record = replace(_record(video, job, None, job.timeout_seconds), failure="crash", error=problem, cure=cure)
    with contextlib.suppress(OSError):
        job.rules.ledger.add(record)
    return failed_result(video, problem, cure, record=record)


def seconds_until_settled(path: Path, settle_seconds: float) -> float:
    """How long the file has yet to stay as it is; 0 for one that has. Raises OSError."""
    status = path.stat()
    # A tool that keeps the times of its source sets them last, which only the inode's own time shows. A time that
    # lies further ahead than any clock's error must not be waited for.
    ages = (time.time() - moment for moment in (status.st_mtime, status.st_ctime))
    return max(0.0, *(settle_seconds - age for age in ages if age > -settle_seconds), 0.0)


def _as_it_is_now(video: VideoFile, settle_seconds: float, stop: StopFlag) -> VideoFile:
    """Hours may lie between the listing of the folder and this video's turn."""
    sound = video.sound and video.sound.as_it_is_now()
    if video.uri:
        # Uploads to object stores show when they are whole: there is nothing to settle.
        identity = identity_of(video.uri, fresh=True, stop=stop)
        return replace(video, sound=sound, file_bytes=identity.size, mtime_ns=identity.mtime_ns)
    if settle_seconds and seconds_until_settled(video.path, settle_seconds) > 0:
        raise StillChangingError("it changed a moment ago", path=video.path)
    return replace(video.seen_as(video.path.stat()), sound=sound)


def _score(video: VideoFile, job: VideoJob, stop: StopFlag) -> tuple[VideoScore, Source]:
    store = None if _is_scored_where_it_is_fetched(video) else job.store
    content_hash = _hash_in_time(video, job, stop) if store else ""
    known = store.find(content_hash, job.fingerprint) if store and job.find_again else None
    try:
        score = known or _score_in_time(video, job, stop)
    except VideoError:
        # Half an upload is no broken video.
        _refuse_changed(video)
        raise
    _refuse_changed(video)
    if store and known is None:
        store.keep(content_hash, job.fingerprint, score)
    return score, "cache" if known else "scored"


def _hash_in_time(video: VideoFile, job: VideoJob, stop: StopFlag) -> str:
    """A disk that is stalled, and a file of terabytes, take no longer than scoring may."""
    try:
        return run_within(Deadline(stop, job.timeout_seconds), lambda flag: _hash(video, flag))
    except TimeLimitError as error:
        # Another run may find the disk at work again.
        raise TimeLimitError(f"reading it: {error.problem}", path=video.path, cure=error.cure) from TimeoutError()


def _hash(video: VideoFile, stop: StopFlag) -> str:
    """Of the video and, where that is from elsewhere, of its sound: the cache is shared by many folders."""
    content = hash_content(video.file, stop)
    return f"{content}+{hash_content(video.sound_path, stop)}" if video.sound_path else content


@contextlib.contextmanager
def _at_hand(video: VideoFile, job: VideoJob, stop: StopFlag) -> Iterator[VideoFile]:
    """The video with a file to open, unless whoever scores it fetches it too."""
    if not video.uri or job.score_uri:
        yield video
        return
    deadline = Deadline(stop, job.timeout_seconds)
    with contextlib.ExitStack() as stack:
        with job.activities.at(video, deadline):
            at_hand = stack.enter_context(local_copy(video, deadline))
        yield at_hand


def _is_scored_where_it_is_fetched(video: VideoFile) -> bool:
    return bool(video.uri) and video.fetched is None


def _keep_beside(video: VideoFile, job: VideoJob, score: VideoScore) -> None:
    if job.state_dir is None:
        return
    pictures, embedded = (path(job.state_dir, video.relative_path) for path in (keepsake_path, embedded_path))
    # It is for looking only: a full disk fails no video.
    with contextlib.suppress(OSError):
        # What lies there is of an earlier version of the video.
        pictures.unlink(missing_ok=True) if score.keepsake is None else write_keepsake(pictures, score.keepsake)
    with contextlib.suppress(OSError):
        embedded.unlink(missing_ok=True) if score.embedded is None else write_embedded(embedded, score.embedded)


def _score_in_time(video: VideoFile, job: VideoJob, stop: StopFlag) -> VideoScore:
    deadline = Deadline(stop, job.timeout_seconds)
    with job.watch.scoring(video), job.activities.at(video, deadline):
        if job.score_uri and _is_scored_where_it_is_fetched(video):
            return job.score_uri(video.uri, deadline, video.sound_path)
        return job.score(video.file, deadline, video.sound_path)


def _refuse_changed(video: VideoFile) -> None:
    if video.sound and video.sound.as_it_is_now() != video.sound:
        raise StillChangingError("its sound file changed while it was being scored", path=video.sound.path)
    if video.fetched:
        # What was scored is the copy.
        return
    now = identity_of(video.uri, fresh=True) if video.uri else FileIdentity.of(video.path.stat())
    if now != video.identity:
        raise StillChangingError("it changed while it was being scored", path=video.path)


def _record(video: VideoFile, job: VideoJob, score: VideoScore | None, seconds: float) -> VideoRecord:
    record = VideoRecord(
        str(video.relative_path),
        video.identity,
        video.kind(job.fingerprint),
        score,
        seconds,
        peak_memory_mb=score.peak_memory_mb if score else None,
        source=video.source,
        found_in=job.found_in,
    )
    if score and score.tracks and best_score(score) is None:
        cure = "check that the sound is as long as the picture"
        return replace(record, failure="file", error="no sound while a face is seen", cure=cure)
    return record


def _give_up(video: VideoFile, job: VideoJob) -> None:
    # Without the note the video is taken for one that crashed, and tried alone: no harm.
    with contextlib.suppress(OSError):
        job.rules.ledger.note_given_up(str(video.relative_path))

"""One file: its sound is moved, what was written is checked and scored, and only what is better stays."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath

from syncnet.errors import VideoError
from syncnet.media.opening import Media, open_media
from syncnet.repair.boxes import OddIndexError
from syncnet.repair.checking import MOST_ERROR_MS, check_rest_unchanged, misplaced_ms
from syncnet.repair.copying import CannotCopyError
from syncnet.repair.correction import Correction
from syncnet.repair.finding import Refusal, describe, find_correction
from syncnet.repair.quiet import cut_in_silence
from syncnet.repair.records import RepairRecord, RepairStatus
from syncnet.repair.writing import ways_for, write_repaired
from syncnet.results import VideoResult
from syncnet.settings import MediaSettings, RepairSettings, SoundWay
from syncnet.system.atomic import NewFile
from syncnet.system.interruption import StopFlag

REPAIRED_DIR = "repaired"
OTHER_KIND = "copy it into another kind of file first: ffmpeg -i FILE -map 0 -c copy FILE.mkv"
MOVE_IT = "move it, or give another --output_dir"
Score = Callable[[Path], VideoResult]


@dataclass(frozen=True)
class RepairJob:
    """What is done with each file."""

    output_dir: Path
    score: Score
    """For what was written: as any other file is scored and judged."""
    settings: RepairSettings
    media: MediaSettings
    stop: StopFlag
    must_pass: bool = False
    """Whether only what passes by the thresholds stays."""

    @property
    def wanted(self) -> str:
        """The options, for the record."""
        return f"sound={self.settings.sound or 'auto'} keep_pitch={self.settings.keep_pitch}"

    def target(self, relative_path: PurePath) -> Path:
        return self.output_dir / REPAIRED_DIR / relative_path


def offset_of(result: VideoResult) -> float | None:
    """In milliseconds; where it changes along the file, the one that is farthest from zero. None without evidence."""
    best, judged = result.best, result.over_time
    if best is None or best.timing is None or not best.rests_on_evidence:
        return None
    along = judged.over_time.along if judged else None
    if along is None or along.kind == "none":
        return round(best.timing.milliseconds, 1)
    offsets: list[float] = [ms for jump in along.jumps for ms in (jump.before_ms, jump.after_ms)]
    if along.drift:
        offsets += [along.drift.start_ms, along.drift.end_ms]
    if along.offset_ms is not None:
        offsets.append(along.offset_ms)
    farthest: float = max(offsets, key=abs)
    return round(farthest, 1)


def plan_repair(
    source: Path, result: VideoResult, relative_path: PurePath, job: RepairJob
) -> tuple[RepairRecord, Correction | None]:
    """What would be done, and its record; a file in its way is a reason against it. Raises OSError."""
    status = source.stat()
    record = RepairRecord(
        str(source), str(relative_path), status.st_size, status.st_mtime_ns, "refused", job.wanted,
        offset_before_ms=offset_of(result), failed=result.status == "failed",
    )  # fmt: skip
    found = find_correction(result)
    if isinstance(found, Refusal):
        kind: RepairStatus = "in_sync" if found.needless else "refused"
        return replace(record, status=kind, reason=found.reason, cure=found.cure), None
    target = job.target(relative_path)
    if os.path.lexists(target):
        return _refused(record, f"{target} is there already", MOVE_IT), None
    return _with_correction(record, found, result, target), found


def repair_video(source: Path, result: VideoResult, relative_path: PurePath, job: RepairJob) -> RepairRecord:
    """Repairs the file, or says why not. Raises Interrupted, and OSError where nothing can be written."""
    record, correction = plan_repair(source, result, relative_path, job)
    if correction is None:
        return record
    target = job.target(relative_path)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Never in the place of another file.
    new = NewFile(target, exclusive=True)
    try:
        try:
            before = open_media(source, settings=_of_track(job.media, result), stop=job.stop)
            correction = cut_in_silence(correction, before.samples)
            way = _write(before, new.temporary, correction, job)
            after = job.score(new.temporary)
        except (CannotCopyError, OddIndexError) as error:
            return _refused(record, f"it cannot be written again: {error}", OTHER_KIND)
        except VideoError as error:
            return _refused(record, error.problem, error.cure)
        residual = offset_of(after)
        record = _with_correction(record, correction, result, target)
        record = replace(record, sound=way, residual_ms=residual, passes=after.passed)
        if problem := _no_better(record, after, must_pass=job.must_pass):
            return replace(_refused(record, problem, "look at the file with --visualize all"), residual_ms=residual)
        with contextlib.suppress(OSError):
            shutil.copystat(source, new.temporary)
        try:
            new.put()
        except FileExistsError:
            return _refused(record, f"{target} is there already", MOVE_IT)
        return record
    finally:
        new.discard()


def _write(before: Media, temporary: Path, correction: Correction, job: RepairJob) -> SoundWay:
    """How the sound was moved. Raises what ``write_repaired`` and the checks do."""
    ways = ways_for(before.path, before.info.sound_track, correction, job.settings.sound)
    for way in ways[:-1]:
        with contextlib.suppress(CannotCopyError, OddIndexError):
            _write_checked(before, temporary, correction, way, job)
            return way
        temporary.unlink(missing_ok=True)
    _write_checked(before, temporary, correction, ways[-1], job)
    return ways[-1]


def _write_checked(before: Media, temporary: Path, correction: Correction, way: SoundWay, job: RepairJob) -> None:
    track, path = before.info.sound_track, before.path
    keep_pitch = job.settings.keep_pitch
    write_repaired(path, temporary, track, correction, way, job.stop, keep_pitch=keep_pitch)
    check_rest_unchanged(path, temporary, track)
    after = open_media(temporary, settings=before.settings, stop=job.stop)
    for fact in ("width", "height", "rotation_degrees", "source_fps", "sound_tracks"):
        if getattr(after.info, fact) != getattr(before.info, fact):
            raise CannotCopyError(f"its {fact.replace('_', ' ')} would not stay as it is")
    if keep_pitch and correction.rate:
        # The wave itself becomes another one; its score has to do.
        return
    error_ms = misplaced_ms(before.samples, after.samples, correction)
    if error_ms is None or error_ms > MOST_ERROR_MS:
        told = "cannot be found again" if error_ms is None else f"comes out {error_ms:.0f} ms from where it should be"
        raise CannotCopyError(f"its sound {told}")


def _of_track(media: MediaSettings, result: VideoResult) -> MediaSettings:
    """With the sound that was scored."""
    return media if result.info is None else replace(media, audio_track=result.info.sound_track)


def _no_better(record: RepairRecord, after: VideoResult, *, must_pass: bool) -> str:
    """Why the repaired file does not stay; empty where it does."""
    before, residual = record.offset_before_ms, record.residual_ms
    if (
        residual is None
        or before is None
        or (after.best and after.best.evidence and after.best.evidence.level != "strong")
    ):
        return "the repaired file has no strong evidence of sync"
    if abs(residual) >= abs(before):
        return f"the repaired file is no better: {residual:+.0f} ms after {before:+.0f} ms"
    if must_pass and not after.passed:
        return f"the repaired file does not pass: {'; '.join(after.verdict.reasons) if after.verdict else after.error}"
    return ""


def _with_correction(record: RepairRecord, correction: Correction, result: VideoResult, target: Path) -> RepairRecord:
    seconds = result.info.duration_seconds if result.info else 0.0
    return replace(
        record,
        status="repaired",
        repaired_path=str(target),
        correction=describe(correction),
        correction_ms=round(correction.largest_ms(seconds), 1),
        steps=[[round(step.from_seconds, 3), round(step.delay_ms, 1)] for step in correction.steps],
        drift_ms_per_minute=round(60 * correction.rate, 3) if correction.rate else None,
    )


def _refused(record: RepairRecord, reason: str, cure: str) -> RepairRecord:
    return replace(record, status="refused", repaired_path=None, passes=None, reason=reason, cure=cure)

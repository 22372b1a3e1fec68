"""``--repair``: the videos of a run that fail only by their offset, written again with the sound where it belongs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from syncnet.engines.isolated import TakenAlongError
from syncnet.engines.video import VideoJob, process_video
from syncnet.errors import DamagedVideoError
from syncnet.inputs.discovery import VideoFile
from syncnet.placement.folders import OutputFolders
from syncnet.repair.finding import fails_only_by_offset
from syncnet.repair.records import RECORDS_NAME, Records, RepairRecord
from syncnet.report.run import Run
from syncnet.results import RepairTold, VideoResult
from syncnet.scorer import NoRecords
from syncnet.settings import Request
from syncnet.system.interruption import Interrupted, StopFlag


def repair_run(run: Run, request: Request, job: VideoJob, stop: StopFlag) -> Run:
    """The run with what it repaired, where that was asked for, and with what earlier ones did.

    A repaired file is scored as any other, and stands in no ledger: it is no video of the input. Raises UsageError.
    """
    asked = request.repair.repair and not run.interrupted
    if not asked and not (run.folders.output_dir / RECORDS_NAME).exists():
        return run
    records = Records(run.folders.output_dir)
    repaired = list(_repair_all(run, request, job, stop, records)) if asked else []
    results = [_told(result, records.known.get(str(result.relative_path))) for result in run.results]
    return replace(run, results=results, repaired=repaired, interrupted=run.interrupted or stop.stopped)


def _repair_all(run: Run, request: Request, job: VideoJob, stop: StopFlag, records: Records) -> Iterator[RepairRecord]:
    # It loads a decoder, which a run over known videos does without.
    from syncnet.repair.repairing import RepairJob, repair_video

    settings = request.settings
    alone = replace(
        job,
        rules=replace(job.rules, folders=None, ledger=NoRecords(), splitter=None),
        state_dir=None,
        settle_seconds=0.0,
    )

    def score(path: Path) -> VideoResult:
        try:
            return process_video(VideoFile(path, PurePosixPath(path.name), path.stat().st_size), alone, stop)
        except TakenAlongError as error:
            raise DamagedVideoError("scoring it crashed", path=path) from error

    each = RepairJob(run.folders.output_dir, score, request.repair, settings.media, stop, must_pass=True)
    for result in run.results:
        if result.uri or not fails_only_by_offset(result, settings.thresholds, settings.over_time):
            continue
        source = next((path for path in _places(result, run.folders) if path.is_file()), None)
        if source is None:
            continue
        try:
            known = records.find(str(result.relative_path), source.stat(), each.wanted)
            record = known or repair_video(source, result, result.relative_path, each)
            if known is None:
                records.add(record)
        except Interrupted:
            return
        except OSError as error:
            record = _failed(result, source, error)
        yield record


def _places(result: VideoResult, folders: OutputFolders) -> Iterator[Path]:
    """Where a video is, or was moved to."""
    yield result.path
    yield folders.poor_dir / result.relative_path


def _failed(result: VideoResult, source: Path, error: OSError) -> RepairRecord:
    """Of this run only: the next one tries again."""
    reason, relative = f"it cannot be written: {error.strerror}", str(result.relative_path)
    return RepairRecord(str(source), relative, 0, 0, "refused", reason=reason, cure="free some space and run again")


def _told(result: VideoResult, record: RepairRecord | None) -> VideoResult:
    if record is None or record.size != result.file_bytes:
        return result
    return replace(
        result,
        repair=RepairTold(
            path=record.repaired_path,
            correction=record.correction,
            correction_ms=record.correction_ms,
            sound=record.sound,
            offset_before_ms=record.offset_before_ms,
            residual_ms=record.residual_ms,
            passes=record.passes,
            reason=record.reason,
        ),
    )

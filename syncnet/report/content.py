"""What page and contact sheet are made of: a run that has just ended, or what an earlier one stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from syncnet.decisions.kept import NO_DECISIONS, Decisions, read_kept
from syncnet.engines.conclusion import VerdictRules, conclude
from syncnet.errors import UsageError
from syncnet.inputs.manifest import video_at
from syncnet.placement.folders import OutputFolders
from syncnet.report.command_line import COMMAND_NAME, CommandLine, read_command
from syncnet.report.run import Run
from syncnet.results import VideoResult
from syncnet.settings import OverTimeSettings, Thresholds, TrackSettings
from syncnet.state.ledger import Ledger, look_at_ledger
from syncnet.state.splitter import splitter_of
from syncnet.system.interruption import StopFlag
from syncnet.system.plain import read_json


@dataclass(frozen=True)
class ReportContent:
    """One folder's results, as they are shown."""

    folders: OutputFolders
    command: CommandLine
    thresholds: Thresholds
    results: Sequence[VideoResult]
    """In path order."""
    total: int
    """All videos that are known of, finished or not."""
    model: str
    detector: str
    notices: Sequence[str]
    interrupted: bool
    complete: bool
    """False where the run was killed, or is still under way."""
    timestamp: float
    """When the results were written, in seconds since 1970."""
    over_time: OverTimeSettings = field(default_factory=OverTimeSettings)
    decisions: Decisions = NO_DECISIONS
    """Of people, as the folder keeps them."""


def content_of_run(run: Run, command: CommandLine, timestamp: float) -> ReportContent:
    return ReportContent(
        folders=run.folders,
        command=command,
        thresholds=run.settings.thresholds,
        results=run.results,
        total=run.total,
        model=run.model.name,
        detector=run.detector.name,
        notices=run.notices,
        interrupted=run.interrupted,
        complete=run.complete,
        timestamp=timestamp,
        over_time=run.settings.over_time,
        decisions=run.decisions,
    )


def read_content(folders: OutputFolders) -> ReportContent:
    """What is stored in the folder, also while a run is at work in it; no video is opened.

    Raises UsageError where there is nothing, or nothing that this version can read.
    """
    document = _read_document(folders.results_path)
    command = read_command(folders.state_dir / COMMAND_NAME)
    if command is None:
        raise UsageError(
            f"{folders.output_dir} holds results of an earlier version",
            cure="run the filter on it again; the stored scores are reused",
        )
    try:
        return _content(document, folders, command)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise UsageError(f"{folders.results_path} is not a results file of this version", cure="run again") from error


def _content(document: dict[str, Any], folders: OutputFolders, command: CommandLine) -> ReportContent:
    settings = document["filter_settings"]
    thresholds = Thresholds(
        settings["min_confidence"],
        settings["max_abs_offset"],
        settings["min_offset"],
        settings["max_offset"],
        # Files of earlier versions know of none.
        settings.get("max_distance"),
    )
    tracks = TrackSettings(settings["min_face_size"], settings["min_track"])
    # Files of earlier versions know of no time line.
    over_time = OverTimeSettings.of_flags(settings)
    decisions = read_kept(folders.state_dir)
    with look_at_ledger(folders.state_dir / "ledger.jsonl") as ledger:
        splitter = splitter_of(folders.state_dir, document["model"]["name"], over_time)
        rules = VerdictRules(
            thresholds,
            tracks,
            tracks.min_track_frames,
            None,
            ledger,
            over_time=over_time,
            splitter=splitter,
            decisions=decisions,
        )
        results = [_result(entry, command, rules, ledger) for entry in document["results"]]
    return ReportContent(
        folders=folders,
        command=command,
        thresholds=thresholds,
        results=results,
        total=document["total_videos"],
        model=document["model"]["name"],
        detector=document["detector"]["name"],
        notices=document["notices"],
        interrupted=document["interrupted"],
        complete=document["complete"],
        timestamp=document["timestamp"],
        over_time=over_time,
        decisions=decisions,
    )


def _result(entry: dict[str, Any], command: CommandLine, rules: VerdictRules, ledger: Ledger) -> VideoResult:
    """The video of an entry: its scores as the ledger has them, its fate as the results file tells it."""
    named = video_at(entry["video_path"], command.input_dir)
    # Files of earlier versions name no other name than the video's own.
    named = dataclasses.replace(named, relative_path=PurePosixPath(entry.get("relative_path") or named.relative_path))
    path, relative, uri = named.path, named.relative_path, named.uri
    record = ledger.records.get(str(relative))
    fate: dict[str, Any] = {"error": entry["error"] or "", "cure": entry["cure"] or "", "missing": entry["missing"]}
    if record is None:
        reason = fate["error"] or "its record is gone: run again"
        size, seconds = entry["file_size"], entry["processing_time"]
        return VideoResult(path, relative, size, "failed", seconds, uri=uri, error=reason)
    video = dataclasses.replace(named, file_bytes=record.identity.size, mtime_ns=record.identity.mtime_ns)
    result = conclude(record, video, rules, StopFlag(), source="ledger")
    if entry["status"] == "failed":
        # Its score stands, its copy could not be made.
        fate |= {"status": "failed", "verdict": None}
    sound = entry.get("audio_path")
    columns = entry.get("columns")
    return dataclasses.replace(result, **fate, sound_path=Path(sound) if sound else None, columns=columns)


def _read_document(path: Path) -> dict[str, Any]:
    try:
        document = read_json(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"{path}: no such file", cure="give the --output_dir of an earlier run") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read", cure="run the filter on its folder again") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path} is not a results file", cure="give the --output_dir of an earlier run")
    return document

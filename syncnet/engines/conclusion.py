"""From a record to its verdict and its place: redone in every run, without scoring anything."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Protocol

from syncnet.decisions.kept import NO_DECISIONS, Decisions
from syncnet.faces.no_track import NoTrackReason, advise_on_no_track, advise_on_view
from syncnet.inputs.discovery import FileIdentity, VideoFile
from syncnet.overtime.judging import judge_video
from syncnet.placement.folders import OutputFolders
from syncnet.placement.placing import place_video, replace_verdict
from syncnet.placement.resting import RestingPlaces
from syncnet.placement.slots import History, look
from syncnet.results import Source, VideoResult, VideoScore, best_score
from syncnet.settings import OverTimeSettings, PlaceMode, Thresholds, TrackSettings
from syncnet.state.records import VideoRecord
from syncnet.state.splitter import Splitter
from syncnet.system.interruption import StopFlag
from syncnet.verdict import Verdict


class Records(History, Protocol):
    """Where it is noted what becomes of the videos; the ledger is one."""

    def note_started(self, path: str, identity: FileIdentity) -> None:
        """Heard when a video is under way."""

    def note_given_up(self, path: str) -> None:
        """Heard when it no longer is, and has no record."""

    def add(self, record: VideoRecord) -> None:
        """Heard when it has one, before it is placed."""


@dataclass(frozen=True)
class VerdictRules:
    """What verdict and placement depend on."""

    thresholds: Thresholds
    tracks: TrackSettings
    least_track_frames: int
    """What the model needs; only for advice."""
    folders: OutputFolders | None
    """None: place nothing."""
    ledger: Records
    place: PlaceMode = "copy"
    over_time: OverTimeSettings = field(default_factory=OverTimeSettings)
    splitter: Splitter | None = None
    """By the path of a record: what takes long segments of its video apart; None where they stay whole."""
    decisions: Decisions = NO_DECISIONS
    """Of people, who win over the thresholds."""


def conclude(
    record: VideoRecord, video: VideoFile, rules: VerdictRules, stop: StopFlag, *, source: Source, gone: bool = False
) -> VideoResult:
    """Judges and places the video of a record; ``gone``: its file is not at hand.

    Raises CopyError and Interrupted.
    """
    result = judge_record(record, video, rules, source=source)
    if result.status == "failed" or not rules.folders:
        return result
    passed = _wanted(result)
    if gone:
        placed = replace_verdict(video, rules.folders, passed=passed, history=rules.ledger)
    else:
        placed = place_video(
            video,
            rules.folders,
            passed=passed,
            stop=stop,
            history=rules.ledger,
            mode=rules.place,
            scored_now=source != "ledger",
        )
    return _found_in_place(dataclasses.replace(result, placed=placed), rules, gone=gone)


def recall_resting(
    record: VideoRecord, video: VideoFile, rules: VerdictRules, places: RestingPlaces | None, *, gone: bool = False
) -> VideoResult | None:
    """The same for a known video where its file is as it should be; None where something has to be done to it.

    ``places``: those of the rules' folders.
    """
    result = judge_record(record, video, rules, source="ledger")
    if result.status == "failed" or places is None:
        return result
    if places.hold(video, passed=_wanted(result), gone=gone):
        return _found_in_place(result, rules, gone=gone)
    return None


def _found_in_place(result: VideoResult, rules: VerdictRules, *, gone: bool) -> VideoResult:
    """With the folder that its file stands in now."""
    if result.best is None or rules.folders is None:
        return result
    folder = rules.folders.good_dir if result.passed else rules.folders.poor_dir
    try:
        stands = not gone or look(folder / result.relative_path) is not None
    except OSError:
        # Whether it stands there cannot be told.
        return result
    return dataclasses.replace(result, placed_in=folder) if stands else result


def _wanted(result: VideoResult) -> bool | None:
    return result.passed if result.best else None


def judge_record(record: VideoRecord, video: VideoFile, rules: VerdictRules, *, source: Source) -> VideoResult:
    """The verdict; no file is looked at."""
    score = record.score
    if score is None or record.failure:
        failed = failed_result(video, record.error, record.cure, record=record, source=source)
        return dataclasses.replace(failed, failed_now=source != "ledger")
    best = best_score(score)
    no_track = None if best else score.no_track
    split = rules.splitter(record.path) if rules.splitter else None
    decided = rules.decisions.about(record.path, record.identity)
    limits = rules.thresholds, rules.over_time
    verdict, over_time = judge_video(best, no_track, score.over_time, *limits, split, decided)
    return VideoResult(
        path=video.path,
        relative_path=video.relative_path,
        file_bytes=video.file_bytes,
        mtime_ns=record.identity.mtime_ns,
        uri=video.uri,
        sound_path=video.sound_path,
        columns=video.columns,
        status="success" if best else "no_faces",
        seconds=record.seconds,
        peak_memory_mb=record.peak_memory_mb,
        info=score.info,
        tracks=score.tracks,
        best=best,
        conversation=score.conversation,
        pooled=score.pooled,
        over_time=over_time,
        verdict=verdict,
        error=verdict.reasons[0] if no_track else "",
        cure=_advice(score, no_track, verdict, rules),
        source=source,
        missing=video.removed,
    )


def _advice(score: VideoScore, no_track: NoTrackReason | None, verdict: Verdict, rules: VerdictRules) -> str:
    if no_track:
        return advise_on_no_track(no_track, rules.tracks, rules.least_track_frames)
    return advise_on_view(score.seen_as) if score.seen_as and not verdict.passed else ""


def failed_result(
    video: VideoFile, error: str, cure: str, *, record: VideoRecord | None = None, source: Source = "scored"
) -> VideoResult:
    """A video that failed in this run, without a score or without its copy; tracks that were scored are told."""
    score = record.score if record else None
    return VideoResult(
        path=video.path,
        relative_path=video.relative_path,
        file_bytes=video.file_bytes,
        uri=video.uri,
        sound_path=video.sound_path,
        columns=video.columns,
        status="failed",
        seconds=record.seconds if record else 0.0,
        peak_memory_mb=record.peak_memory_mb if record else None,
        info=score.info if score else None,
        tracks=score.tracks if score else (),
        best=best_score(score) if score else None,
        error=error,
        cure=cure,
        source=source,
        failed_now=True,
        missing=video.removed,
    )

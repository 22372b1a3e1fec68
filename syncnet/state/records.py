"""What is remembered of one finished video: everything that verdict, placement and results can be made from again."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, Protocol

from syncnet.faces.no_track import read_no_track
from syncnet.inputs.discovery import FileIdentity
from syncnet.results import VideoScore
from syncnet.settings import DetectSettings, ShotSettings, TrackSettings
from syncnet.state.codec import from_json, from_plain, to_plain
from syncnet.state.record_check import check_name, check_numbers, check_score
from syncnet.system.plain import read_json


class _Named(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def identity(self) -> str: ...


class ScoringParts(Protocol):
    """What a score depends on beside the video, loaded (``Stages``) or not yet."""

    @property
    def model(self) -> _Named: ...
    @property
    def detector(self) -> _Named | None: ...
    @property
    def tracks(self) -> TrackSettings: ...
    @property
    def detect(self) -> DetectSettings: ...
    @property
    def shots(self) -> ShotSettings: ...


SCORING_VERSION = 8
"""Raised whenever the same file and settings come to another score; records of another version are scored again.
tests/test_scoring_version.py fails when the code of a stage changes and nobody said whether the scores do."""

Failure = Literal["", "file", "environment", "crash", "killed"]
"""``file``: its own fault, the same while it is unchanged. ``environment``: disk full, no permission, no memory; the
next run may fare better. ``crash``: it took its process along. ``killed``: somebody, mostly the system for want of
memory, ended its process."""


@dataclass(frozen=True, slots=True)
class VideoRecord:
    """What became of one video, before any threshold is applied."""

    path: str
    """Relative to the input folder, unless that name was taken: the name below good_quality and poor_quality."""
    identity: FileIdentity
    fingerprint: str
    """Of all else that the score depends on."""
    score: VideoScore | None
    """None for a video that could not be scored."""
    seconds: float
    """Wall time that scoring took."""
    failure: Failure = ""
    error: str = ""
    cure: str = ""
    peak_memory_mb: int | None = None
    """Most memory that its process held while it was scored; None where that is not known."""
    source: str = ""
    """The video's own path below the input folder, where another video's kept copy has that name; else empty."""
    found_in: str = ""
    """The input that its file was found in (``inputs.belonging``); empty in records of before."""
    content: str = ""
    """``hash_video`` of the file; empty in records of before, and where another machine fetched it."""
    scored_at: str = ""
    """``utc_now`` when this record was made; empty in records of before."""
    renamed_from: str = ""
    """The name under which the ledger had it before; empty where it never had another."""


def utc_now() -> str:
    """``2026-01-31T23:59:59Z``: such texts have the order of the times that they tell."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def fingerprint_of(stages: ScoringParts, modes: dict[str, Any] | None = None) -> str:
    """SHA-256 over everything but the file itself that a score depends on.

    ``modes``: ways of scoring that the stages do not show, by name.
    """
    parts = {
        "scoring": SCORING_VERSION,
        "model": [stages.model.name, stages.model.identity],
        "detector": [stages.detector.name, stages.detector.identity] if stages.detector else [],
        "tracks": asdict(stages.tracks),
        "detect": asdict(stages.detect),
        "shots": asdict(stages.shots),
        "modes": modes or {},
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def record_to_plain(record: VideoRecord) -> dict[str, Any]:
    """The record in what JSON knows."""
    plain: dict[str, Any] = to_plain(record)
    return plain


def read_record(text: bytes) -> VideoRecord:
    """The record of a line of the ledger. Raises ValueError for anything that is no whole record."""
    record = from_json(VideoRecord, text)
    _check(record)
    if record.score is None or record.score.tracks or record.score.no_track:
        return record
    return replace(record, score=_with_reason(record.score, read_json(text)["score"]))


def score_to_plain(score: VideoScore) -> dict[str, Any]:
    """The score in what JSON knows."""
    plain: dict[str, Any] = to_plain(score)
    return plain


def score_from_plain(plain: Any) -> VideoScore:
    """Raises ValueError for anything that is no whole score."""
    score = _with_reason(from_plain(VideoScore, plain), plain)
    check_score(score)
    return score


def _with_reason(score: VideoScore, plain: Any) -> VideoScore:
    """Earlier versions wrote the reason as a sentence."""
    if score.tracks or score.no_track:
        return score
    return replace(score, no_track=read_no_track(str(plain.get("no_track_reason"))))


def _check(record: VideoRecord) -> None:
    """Raises ValueError where it says what no run writes."""
    check_name(record.path)
    if record.source:
        check_name(record.source)
    check_numbers(iter((record.seconds, record.peak_memory_mb or 0)))
    if record.score is not None:
        check_score(record.score)

"""What is known of one video: its score, and what became of it. Reading it needs none of what makes it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any, Literal

from syncnet.faces.no_track import NoTrackReason
from syncnet.keepsake.embedded import EmbeddedVideo
from syncnet.keepsake.file import Keepsake
from syncnet.media.info import MediaInfo
from syncnet.overtime.judging import JudgedOverTime
from syncnet.overtime.timeline import OverTime
from syncnet.overtime.words import describe_share
from syncnet.scoring.pooling import PooledScore
from syncnet.scoring.score import SyncScore
from syncnet.scoring.turns import Conversation
from syncnet.system.text import masked
from syncnet.verdict import Verdict, describe_offset


@dataclass(frozen=True, slots=True)
class TrackScore:
    """One face track, without its boxes, and how its lips fit the sound."""

    first_frame: int
    frame_count: int
    mean_box: tuple[float, float, float, float]
    """xyxy in pixels of the original frame."""
    score: SyncScore | None
    """None where no sound stands beside the track."""


@dataclass(frozen=True, slots=True)
class VideoScore:
    """All that was found in one video."""

    info: MediaInfo
    tracks: tuple[TrackScore, ...]
    """In the order of the tracking stage."""
    no_track: NoTrackReason | None = None
    """Which gate dropped every face; None when there are tracks."""
    conversation: Conversation | None = None
    """Where several faces speak in turns, and score better together than each alone."""
    pooled: tuple[PooledScore, ...] = ()
    """Tracks of one face between edits, which count together and not by themselves."""
    over_time: OverTime | None = None
    """Its time line; None in records of before."""
    seen_as: str = ""
    """The value of the ``View`` in which faces are seen better, where the score rests on nothing."""
    keepsake: Keepsake | None = field(default=None, compare=False, repr=False, metadata={"stored": False})
    """For looking at, and no part of any record: its file lies beside."""
    embedded: EmbeddedVideo | None = field(default=None, compare=False, repr=False, metadata={"stored": False})
    """What it is made of, where that was asked for; its file lies beside too."""
    peak_memory_mb: int | None = field(default=None, compare=False, metadata={"stored": False})
    """Of the process while it was scored; of the run that scored it, so no part of the score."""


def best_score(video: VideoScore) -> SyncScore | None:
    """The score with the highest confidence of those that rest on evidence, the earliest of equals.

    Those whose lips fit most of the speech come first. Several tracks of one face, and faces that speak in turns, count
    as one. Where none rests on evidence, the highest of all; None where there is no score.
    """
    pieces = {number for pooled in video.pooled for number in pooled.tracks}
    alone = (track.score for number, track in enumerate(video.tracks) if number not in pieces)
    scores = [*(score for score in alone if score is not None), *(pooled.score for pooled in video.pooled)]
    if video.conversation:
        scores.append(video.conversation.score)
    return max(scores, key=_rank, default=None)


def is_supported(score: SyncScore | None) -> bool:
    """Whether there is a score that rests on evidence, and the lips fit most of the speech."""
    return score is not None and all(_rank(score)[:2])


def _rank(score: SyncScore) -> tuple[bool, bool, float]:
    fits = score.evidence is None or score.evidence.fits
    return score.rests_on_evidence, fits, ordered_confidence(score)


def ordered_confidence(score: SyncScore) -> float:
    """The confidence, or less than any other where it is no number."""
    return -math.inf if math.isnan(score.confidence) else score.confidence


@dataclass(frozen=True, slots=True)
class RepairTold:
    """A repair, as the results tell it. Offsets in milliseconds; positive: the sound comes early."""

    path: str | None
    """Of the repaired file; None where there is none."""
    correction: str
    """In words."""
    correction_ms: float | None
    sound: str | None
    """``shift`` or ``encode``."""
    offset_before_ms: float | None
    residual_ms: float | None
    passes: bool | None
    reason: str
    """Why there is no repaired file; empty where there is one."""


Status = Literal["success", "no_faces", "failed", "pending"]
Source = Literal["scored", "cache", "ledger"]
"""Where a score is from: this run, an earlier one of any folder, an earlier one of this folder."""


@dataclass(frozen=True)
class VideoResult:
    """What became of one video."""

    path: Path
    """As given; of a remote video it only stands for it."""
    relative_path: PurePath
    """Below the input folder."""
    file_bytes: int
    status: Status
    """``pending``: it is still changing, so there is nothing to tell yet but ``error``."""
    seconds: float
    """Wall time, from opening to the finished copy, in the run that scored it."""
    uri: str = field(default="", kw_only=True)
    """Where it is fetched from; empty for a file of this machine."""
    mtime_ns: int = field(default=0, kw_only=True)
    """When the file was changed last, in ns since 1970."""
    sound_path: Path | None = field(default=None, kw_only=True)
    """What it was scored against, if that is not its own sound."""
    columns: dict[str, Any] | None = field(default=None, kw_only=True)
    """What the table says of it that names it; None where no table does."""
    peak_memory_mb: int | None = field(default=None, kw_only=True)
    """Most memory that its process held at once meanwhile; None where that is not known."""
    info: MediaInfo | None = None
    """None where the file could not be opened."""
    tracks: tuple[TrackScore, ...] = ()
    best: SyncScore | None = None
    """Score of the best track, or of the faces that speak in turns."""
    conversation: Conversation | None = None
    """Who speaks when, where several faces speak in turns."""
    pooled: tuple[PooledScore, ...] = ()
    """Tracks of one face between edits, which count together."""
    over_time: JudgedOverTime | None = None
    """Its time line: segments, and what they come to; None where there is no score, or one of an earlier version."""
    verdict: Verdict | None = None
    """None for a failed video."""
    error: str = ""
    """Why there is no score, or no copy; empty for a success."""
    cure: str = ""
    """What to try."""
    source: Source = "scored"
    placed: bool = False
    """Whether its file had to be put, moved or removed in the output folders in this run."""
    failed_now: bool = False
    """Whether it failed in this run, and not only in an earlier one."""
    missing: bool = False
    """Whether its file is gone from where it was found. What was found out stays."""
    repair: RepairTold | None = None
    """What a repair of its sound came to; None where there was none."""
    placed_in: Path | None = None
    """The folder of its verdict, where its file stands there; None where it does not, or nobody looked."""

    @property
    def location(self) -> str:
        """Its URI or its path, for people."""
        return masked(self.uri) or str(self.path)

    @property
    def placed_path(self) -> Path | None:
        """Where its file stands in the output folder."""
        return self.placed_in and self.placed_in / self.relative_path

    @property
    def passed(self) -> bool:
        return self.verdict is not None and self.verdict.passed


def share_of(result: VideoResult) -> str:
    """``in sync for 11 of 73 s``; empty where nothing is known, and where no segment passes."""
    if result.over_time is None or result.info is None or not result.over_time.in_sync_seconds:
        return ""
    return describe_share(result.over_time.in_sync_seconds, result.info.duration_seconds)


def with_share(words: str, result: VideoResult) -> str:
    """``sound 40 ms early, in sync for 11 of 73 s``; where the words are ``in sync``, the share says it too."""
    share = share_of(result)
    if not share:
        return words
    return share if words == describe_offset(0) else f"{words}, {share}"

"""What the pipeline gives for one video. What only reads scores needs this, and none of what makes them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from syncnet.keepsake import Keepsake
from syncnet.media_info import MediaInfo
from syncnet.scoring import SyncScore
from syncnet.turns import Conversation


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
    no_track_reason: str
    """Which gate dropped every face; empty when there are tracks."""
    conversation: Conversation | None = None
    """Where several faces speak in turns, and score better together than each alone."""
    keepsake: Keepsake | None = field(default=None, compare=False, repr=False, metadata={"stored": False})
    """For looking at, and no part of any record: its file lies beside."""
    peak_memory_mb: int | None = field(default=None, compare=False, metadata={"stored": False})
    """Of the process while it was scored; of the run that scored it, so no part of the score."""


def best_score(video: VideoScore) -> SyncScore | None:
    """The score with the highest confidence of those that rest on evidence, the earliest of equals.

    That of faces that speak in turns counts as one. Where none rests on evidence, the highest of all; None where there
    is no score.
    """
    scores = [track.score for track in video.tracks if track.score is not None]
    if video.conversation:
        scores.append(video.conversation.score)
    return max(scores, key=lambda score: (score.rests_on_evidence, ordered_confidence(score)), default=None)


def ordered_confidence(score: SyncScore) -> float:
    """The confidence, or less than any other where it is no number."""
    return -math.inf if math.isnan(score.confidence) else score.confidence

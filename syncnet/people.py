"""Tracks with their embeddings -> the scores of tracks, of people, and of the video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from syncnet.conventions import Samples
from syncnet.faces.no_track import NoTrackReason
from syncnet.faces.people import FaceLook, find_people
from syncnet.faces.shots import Shot
from syncnet.faces.tracks import Track
from syncnet.keepsake.embedded import embed_video
from syncnet.keepsake.file import TrackKeepsake
from syncnet.keepsake.making import (
    MOST_PICTURED_TRACKS,
    TrackPictures,
    keep_track,
    keep_video,
    rank_of,
    without_pictures,
)
from syncnet.media.info import MediaInfo
from syncnet.models.protocol import Embeddings, SyncModel
from syncnet.overtime.finding import find_over_time
from syncnet.overtime.matches import SeenFace
from syncnet.results import TrackScore, VideoScore, best_score, ordered_confidence
from syncnet.scoring.pooling import PooledScore, pool_tracks
from syncnet.scoring.score import Counted, SyncScore, pair_distances, score_distances
from syncnet.scoring.speech import without_long_pauses
from syncnet.scoring.stretches import leave_to_others
from syncnet.scoring.turns import TrackTable, find_conversation


@dataclass(frozen=True)
class Beside:
    """What the tracks of a video are scored with."""

    model: SyncModel
    samples: Samples
    speech: np.ndarray
    keep_embeddings: bool = False

    @cached_property
    def counts(self) -> np.ndarray:
        """Frames that belong to speech."""
        return without_long_pauses(self.speech)


class TrackSeen:
    """What is kept of a track's pictures while its crops go by."""

    def __init__(self, first_frame: int, *, keep_embeddings: bool = False) -> None:
        """``keep_embeddings``: whether what the model makes of them is kept too."""
        self.keep_embeddings = keep_embeddings
        self.pictures = TrackPictures(first_frame)
        self.look = FaceLook()

    @property
    def takes_next(self) -> bool:
        """Whether anything is kept of the next crop."""
        return self.pictures.takes_next or self.look.takes_next

    def see(self, crops: Sequence[np.ndarray | None]) -> None:
        """The track's next crops, each (224, 224, 3) uint8 BGR, or None where it is not taken."""
        self.pictures.see(crops)
        self.look.see(crops)


@dataclass(frozen=True)
class ScoredTrack:
    """What is known of one track."""

    track: Track
    score: SyncScore | None
    keepsake: TrackKeepsake
    table: TrackTable | None
    look: FaceLook
    embeddings: Embeddings | None = None
    """Where they are to be kept."""

    def told(self) -> TrackScore:
        """What is remembered of it."""
        left, top, right, bottom = (float(edge) for edge in self.track.mean_box)
        return TrackScore(self.track.first_frame, self.track.frame_count, (left, top, right, bottom), self.score)


class HasScored(Protocol):
    """What holds a track when it is scored."""

    scored: ScoredTrack | None


class PicturesOnTheWay:
    """Lets go of the pictures of tracks that cannot be among the few whose pictures are kept, while tracks come.

    Hours of short shots have thousands of tracks, with some 13 kB of pictures each.
    """

    def __init__(self, least_frames: int) -> None:
        """``least_frames``: a track of so many is sure to be told, whatever comes."""
        self._least_frames = least_frames
        self._with_pictures: list[HasScored] = []

    def add(self, one: HasScored) -> None:
        """The next track, which is scored."""
        self._with_pictures.append(one)
        if len(self._with_pictures) < 4 * MOST_PICTURED_TRACKS:
            return
        known = [(rank_of(one.scored.score), one, one.scored) for one in self._with_pictures if one.scored]
        sure = sorted(rank for rank, _, scored in known if scored.track.frame_count >= self._least_frames)
        least = sure[-MOST_PICTURED_TRACKS] if len(sure) >= MOST_PICTURED_TRACKS else -math.inf
        for rank, holder, scored in known:
            if rank < least:
                holder.scored = replace(scored, keepsake=without_pictures(scored.keepsake))
        self._with_pictures = [holder for rank, holder, _ in known if rank >= least]


def score_track(
    track: Track,
    embeddings: Embeddings,
    model: SyncModel,
    speech: np.ndarray,
    seen: TrackSeen,
    counted: Counted = "speech",
) -> ScoredTrack:
    """One track by itself. ``speech``: whether somebody speaks, for each frame of the video, bool."""
    first_lip = track.first_frame + embeddings.middle_frame
    distances = pair_distances(embeddings)
    score = score_distances(distances, embeddings.metric, model, speech, first_lip, counted)
    seen.look.finish()
    table = TrackTable(first_lip, distances, embeddings.metric, ordered_confidence(score)) if score else None
    kept = keep_track(track.first_frame, track.boxes, table, score, model, speech, seen.pictures)
    return ScoredTrack(track, score, kept, table, seen.look, embeddings if seen.keep_embeddings else None)


def gather_people(
    scored: Sequence[ScoredTrack], least_frames: int, model: SyncModel, speech: np.ndarray
) -> tuple[list[ScoredTrack], tuple[PooledScore, ...]]:
    """Tracks of faces that are seen for ``least_frames`` in all, and the scores of those with several tracks."""
    pooled: list[PooledScore] = []
    shown: list[int] = []
    for person in find_people([one.track for one in scored], [one.look for one in scored]):
        tables = [(number, table) for number in person if (table := scored[number].table)]
        groups = pool_tracks(tables, model, speech) if len(tables) > 1 else []
        apart = set(person).difference(*(group.tracks for group in groups))
        for numbers in [*(group.tracks for group in groups), *((number,) for number in apart)]:
            if sum(scored[number].track.frame_count for number in numbers) >= least_frames:
                shown += numbers
        pooled += [group for group in groups if len(group.tracks) > 1 and group.tracks[0] in shown]
    shown.sort()
    places = {number: place for place, number in enumerate(shown)}
    renumbered = (replace(group, tracks=tuple(places[number] for number in group.tracks)) for group in pooled)
    return [scored[number] for number in shown], tuple(renumbered)


def score_together(
    video: VideoScore,
    tables: Sequence[TrackTable | None],
    pooled: tuple[PooledScore, ...],
    model: SyncModel,
    speech: np.ndarray,
) -> VideoScore:
    """The video with what its faces are to each other: pieces of one, or several that speak in turns.

    ``tables``: of its tracks, in their order.
    """
    conversation = find_conversation(tables, model, speech)
    together = _leave_to_speakers(replace(video, pooled=pooled))
    with_turns = replace(together, conversation=conversation)
    # Faces in turns count only where they score better than the best of them alone.
    return with_turns if conversation and best_score(with_turns) is conversation.score else together


def video_score(
    info: MediaInfo,
    scored: Sequence[ScoredTrack],
    no_track: NoTrackReason | None,
    model: SyncModel,
    samples: Samples,
    speech: np.ndarray,
    shots: Sequence[Shot] = (),
) -> VideoScore:
    """The tracks of a video, each by itself, with the embeddings of its sound where those of the tracks were kept."""
    embeddings = [(one.track.first_frame, one.embeddings) for one in scored if one.embeddings is not None]
    embedded = embed_video(embeddings, model, samples, speech) if embeddings else None
    kept = [one.keepsake for one in scored]
    keepsake = keep_video(kept, [one.score for one in scored], samples, [shot.first_frame for shot in shots], speech)
    return VideoScore(info, tuple(one.told() for one in scored), no_track, keepsake=keepsake, embedded=embedded)


def score_over_time(
    video: VideoScore,
    scored: Sequence[ScoredTrack],
    model: SyncModel,
    speech: np.ndarray,
    counted: Counted = "speech",
) -> VideoScore:
    """The video with its time line. ``scored``: its tracks, in their order."""
    faces = [SeenFace(one.track.first_frame, one.track.boxes, one.table) for one in scored]
    return replace(video, over_time=find_over_time(faces, model, speech, counted))


def _leave_to_speakers(video: VideoScore) -> VideoScore:
    """Speech that a face does not fit is no matter of it where another face fits it."""
    fitting = {
        number: track.score.evidence.stretches
        for number, track in enumerate(video.tracks)
        if track.score and track.score.evidence and track.score.rests_on_evidence
    }

    def left(score: SyncScore, own: tuple[int, ...]) -> SyncScore:
        if score.evidence is None:
            return score
        others = [part for number, parts in fitting.items() if number not in own for part in parts]
        stretches = leave_to_others(score.evidence.stretches, others)
        return replace(score, evidence=replace(score.evidence, stretches=stretches))

    tracks = (replace(t, score=left(t.score, (i,))) if t.score else t for i, t in enumerate(video.tracks))
    pooled = (replace(group, score=left(group.score, group.tracks)) for group in video.pooled)
    return replace(video, tracks=tuple(tracks), pooled=tuple(pooled))

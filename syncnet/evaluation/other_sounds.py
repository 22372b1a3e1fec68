"""The faces of a folder scored against each other's sound: what wrong sound scores on these very videos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.keepsake.embedded import EmbeddedVideo, embedded_path, read_embedded
from syncnet.models.protocol import Embeddings, SyncModel
from syncnet.people import score_together
from syncnet.report.run import OtherSounds, WrongSound
from syncnet.results import TrackScore, VideoResult, VideoScore, best_score, ordered_confidence
from syncnet.scoring.pooling import PooledScore, pool_tracks
from syncnet.scoring.score import Counted, SyncScore, pair_distances, score_distances
from syncnet.scoring.turns import TrackTable
from syncnet.system.interruption import StopFlag

MOST_PAIRS = 2000
"""Of more videos each face meets fewer sounds, one at least, spread over the whole folder."""
SAME_SOUND = 0.9
"""Mean cosine, at the best shift, from which the sounds of two videos are the same: of a copy, of another camera."""


def score_other_sounds(
    results: Sequence[VideoResult], state_dir: Path, model: SyncModel, counted: Counted, stop: StopFlag
) -> OtherSounds:
    """Of the videos that have a score, as far as their embeddings lie in the state folder. Raises Interrupted.

    ``counted``: which lips the scores of the results were made of.
    """
    scored = [result for result in results if result.best is not None]
    paths = [embedded_path(state_dir, result.relative_path) for result in scored]
    found, same = [], 0
    for face, sounds in pick_pairs(len(scored)):
        video = read_embedded(paths[face])
        for number in sounds if video else ():
            stop.check()
            other = read_embedded(paths[number])
            if video is None or other is None or len(other.sound) == 0:
                continue
            if have_same_sound(video, other):
                same += 1
            elif score := score_with_sound(scored[face], video, other, model, counted):
                found.append(WrongSound(face, score))
    return OtherSounds(tuple(found), same)


def pick_pairs(count: int) -> Iterator[tuple[int, list[int]]]:
    """Each of so many faces, with the numbers of the sounds that it meets; never its own."""
    each = min(count - 1, max(1, MOST_PAIRS // count)) if count > 1 else 0
    steps = [round(float(step)) for step in np.linspace(1, count - 1, each)]
    for face in range(count):
        yield face, [(face + step) % count for step in steps]


def have_same_sound(one: EmbeddedVideo, two: EmbeddedVideo) -> bool:
    """Whether the sounds agree from end to end, at one shift of half a second at most."""
    unit = [_unit_length(each.sound) for each in (one, two)]
    length = min(map(len, unit))
    pairs = pair_distances(Embeddings(unit[0][:length], unit[1][:length], 0, "cosine", zero_pad_ends=False))
    exists = np.isfinite(pairs).sum(axis=1)
    means = np.nansum(pairs, axis=1) / np.maximum(exists, 1)
    return bool((1 - means[2 * exists > length] >= SAME_SOUND).any())


def score_with_sound(
    result: VideoResult, face: EmbeddedVideo, other: EmbeddedVideo, model: SyncModel, counted: Counted
) -> SyncScore | None:
    """The score that the video would have with the sound of the other one; None where there is none."""
    period = max(1, min(len(other.sound), len(other.speech) - other.middle_frame))
    end = max((first + len(lips) for first, lips in zip(face.first_frames, face.lips, strict=True)), default=0)
    frames = np.arange(end + 2 * other.middle_frame)
    speech = other.speech[(frames - other.middle_frame) % period + other.middle_frame]
    tracks: list[TrackScore] = []
    tables: list[TrackTable | None] = []
    for track, first_frame, lips in zip(result.tracks, face.first_frames, face.lips, strict=False):
        embeddings = _beside(other, int(first_frame), lips, period)
        distances, first_lip = pair_distances(embeddings), int(first_frame) + face.middle_frame
        score = score_distances(distances, embeddings.metric, model, speech, first_lip, counted)
        tracks.append(replace(track, score=score))
        known = TrackTable(first_lip, distances, embeddings.metric, ordered_confidence(score)) if score else None
        tables.append(known)
    if result.info is None or not tracks:
        return None
    video = VideoScore(result.info, tuple(tracks))
    if counted == "all":
        return best_score(video)
    pooled = _pool(result.pooled, tables, model, speech)
    return best_score(score_together(video, tables, pooled, model, speech))


def _beside(other: EmbeddedVideo, first_frame: int, lips: np.ndarray, period: int) -> Embeddings:
    """The lips of a track with the other sound, which starts again from its beginning where it is too short."""
    lead = 0 if other.zero_pad_ends else MAX_SHIFT_FRAMES
    start, end = max(0, first_frame - lead), first_frame + len(lips)
    places = np.arange(start, end + lead)
    places = places[places < len(other.sound)] if period >= end else places % period
    audio = other.sound[places].astype(np.float32)
    return Embeddings(
        lips.astype(np.float32),
        audio,
        first_frame - start,
        other.metric,
        other.zero_pad_ends,
        middle_frame=other.middle_frame,
    )


def _pool(
    groups: Sequence[PooledScore], tables: Sequence[TrackTable | None], model: SyncModel, speech: np.ndarray
) -> tuple[PooledScore, ...]:
    """The pieces of one face, which are the same ones with whatever sound."""
    pooled: list[PooledScore] = []
    for group in groups:
        known = [(number, table) for number in group.tracks if number < len(tables) and (table := tables[number])]
        pooled += [part for part in pool_tracks(known, model, speech) if len(part.tracks) > 1] if known else []
    return tuple(pooled)


def _unit_length(sound: np.ndarray) -> np.ndarray:
    wide = sound.astype(np.float32)
    return np.asarray(wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-9))

"""Tracks that show one face, and faces beside each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from fakes import INFO
from test_pipeline import SAMPLES, SeenPictures, keep_what_was_seen, make_track
from test_stretches import noisy

from syncnet import people
from syncnet.faces.people import FaceLook
from syncnet.people import ScoredTrack
from syncnet.scoring.score import score_distances
from syncnet.scoring.turns import TrackTable
from tests.fakes import NoOdds


def scored_track(first_frame: int, frames: int, face: int, offset: int = 0) -> ScoredTrack:
    """A track whose lips fit, of a face that looks as its number says."""
    coarse = np.random.default_rng(face).integers(0, 255, (7, 7, 3)).astype(np.uint8)
    crop = np.kron(coarse, np.ones((32, 32, 1), np.uint8))
    look = FaceLook()
    look.see([crop])
    distances = noisy(np.ones(frames, bool), offset, first_frame)
    table = TrackTable(first_frame, distances, "cosine", 6.0)
    kept = keep_what_was_seen(first_frame, np.zeros((frames, 4)), SeenPictures(first_frame))
    score = score_distances(distances, "cosine", Doubling(), np.ones(600, bool), first_frame)
    return ScoredTrack(make_track(first_frame, frames), score, kept, table, look)


class Doubling(NoOdds):
    def confidence(self, raw: float, embedding_count: int) -> float:
        return 2 * raw


def test_the_gate_holds_for_the_pieces_of_a_face_together() -> None:
    # Face 1 is cut into 30 + 30 frames, face 2 between them is seen for 30, face 3 for 60 later.
    tracks = [scored_track(0, 30, 1), scored_track(30, 30, 2), scored_track(60, 30, 1), scored_track(200, 60, 3)]
    shown, pooled = people.gather_people(tracks, 50, Doubling(), np.ones(600, bool))  # type: ignore[arg-type]
    assert [one.track.first_frame for one in shown] == [0, 60, 200]
    assert [group.tracks for group in pooled] == [(0, 1)]
    shown, pooled = people.gather_people(tracks, 61, Doubling(), np.ones(600, bool))  # type: ignore[arg-type]
    assert (shown, pooled) == ([], ())


def test_a_piece_that_an_offset_of_its_own_keeps_apart_is_gated_alone() -> None:
    tracks = [scored_track(0, 100, 1), scored_track(100, 80, 1, offset=8)]
    shown, pooled = people.gather_people(tracks, 90, Doubling(), np.ones(600, bool))  # type: ignore[arg-type]
    assert [one.track.first_frame for one in shown] == [0]
    assert pooled == ()


def test_speech_that_another_face_fits_is_no_matter_of_a_listener() -> None:
    fits = np.arange(200) < 100
    one = replace(scored_track(0, 200, 1), table=None)
    listener = score_distances(noisy(fits), "cosine", Doubling(), np.ones(200, bool))  # type: ignore[arg-type]
    speaker = score_distances(noisy(~fits, 0, 5), "cosine", Doubling(), np.ones(200, bool))  # type: ignore[arg-type]
    assert listener and speaker and listener.evidence and listener.evidence.unmatched_share > 0.4
    scored = [replace(one, score=listener), replace(one, score=speaker)]
    alone = people.video_score(INFO, scored[:1], None, Doubling(), SAMPLES, np.ones(25, bool))  # type: ignore[arg-type]
    both = people.video_score(INFO, scored, None, Doubling(), SAMPLES, np.ones(25, bool))  # type: ignore[arg-type]
    (kept,) = people.score_together(alone, [one.table for one in scored[:1]], (), Doubling(), np.ones(200, bool)).tracks  # type: ignore[arg-type]
    assert kept.score and kept.score.evidence and kept.score.evidence.unmatched_share > 0.4
    first, _ = people.score_together(both, [one.table for one in scored], (), Doubling(), np.ones(200, bool)).tracks  # type: ignore[arg-type]
    assert first.score and first.score.evidence and first.score.evidence.unmatched_share < 0.15


class Held:
    def __init__(self, confidence: float, frames: int) -> None:
        track = scored_track(0, 30, 1)
        assert track.score
        picture = np.ones(3, np.uint8)
        self.scored: ScoredTrack | None = replace(
            track,
            track=make_track(0, frames),
            score=replace(track.score, confidence=confidence),
            keepsake=replace(track.keepsake, thumbnail=picture, strip=picture),
        )

    @property
    def pictured(self) -> bool:
        assert self.scored
        return len(self.scored.keepsake.thumbnail) > 0


def test_pictures_that_will_not_be_kept_are_let_go_of_on_the_way() -> None:
    # Eight pictures are kept of a video. Every fourth track is too short to be told by itself.
    confidences = np.random.default_rng(1).permutation(np.arange(100.0))
    tracks = [Held(confidence, 20 if number % 4 == 0 else 60) for number, confidence in enumerate(confidences)]
    pictures = people.PicturesOnTheWay(least_frames=50)
    for track in tracks:
        pictures.add(track)
    sure = sorted(confidence for number, confidence in enumerate(confidences) if number % 4)[-8]
    assert all(track.pictured for track, confidence in zip(tracks, confidences, strict=True) if confidence >= sure)
    assert 8 < sum(track.pictured for track in tracks) < 32


def test_pictures_of_short_tracks_wait_until_all_are_known() -> None:
    tracks = [Held(float(number), 30) for number in range(100)]
    pictures = people.PicturesOnTheWay(least_frames=50)
    for track in tracks:
        pictures.add(track)
    assert all(track.pictured for track in tracks)

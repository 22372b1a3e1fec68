"""Linking by hand: overlap, gaps, crossing faces, and which gate dropped everything."""

from __future__ import annotations

import numpy as np
import pytest

from detectors.protocol import Detections
from syncnet.faces.finding import FacePass
from syncnet.faces.no_track import describe_no_track
from syncnet.faces.shots import Shot
from syncnet.faces.tracks import Track, link_tracks
from syncnet.settings import TrackSettings

SHORT = TrackSettings(min_face_px=1, min_track_frames=1)
"""Gates that let every track through."""


def seen(boxes_by_frame: dict[int, list[list[float]]], *, shots: list[Shot] | None = None, every: int = 1) -> FacePass:
    detections = {
        frame: Detections(np.float32(boxes).reshape(-1, 4), np.ones(len(boxes), np.float32))
        for frame, boxes in boxes_by_frame.items()
    }
    frame_count = max(boxes_by_frame, default=-1) + 1
    return FacePass(detections, shots or [Shot(0, frame_count)], frame_count, every)


def box_at(x: float, side: float = 100.0) -> list[float]:
    return [x, 0.0, x + side, side]


def frame_ranges(faces: FacePass, settings: TrackSettings = SHORT) -> list[tuple[int, int]]:
    return [(track.first_frame, track.frame_count) for track in link_tracks(faces, settings).tracks]


def test_a_still_face_is_one_track() -> None:
    result = link_tracks(seen({n: [box_at(0)] for n in range(5)}), SHORT)
    assert result.no_track is None
    (track,) = result.tracks
    assert track.frames.tolist() == [0, 1, 2, 3, 4]
    assert track.boxes.dtype == np.float32
    np.testing.assert_array_equal(track.boxes, np.tile([0, 0, 100, 100], (5, 1)))


def test_overlap_must_be_more_than_half() -> None:
    # Two squares of side 90 shifted by 30 share 60 of 120 in width: exactly 0.5. By 29: 61 / 119 = 0.513.
    assert frame_ranges(seen({0: [box_at(0, 90)], 1: [box_at(30, 90)]})) == [(0, 1), (1, 1)]
    assert frame_ranges(seen({0: [box_at(0, 90)], 1: [box_at(29, 90)]})) == [(0, 2)]


def test_missed_frames_are_interpolated() -> None:
    faces = seen({0: [box_at(0)], 1: [], 2: [], 3: [], 4: [box_at(8, 104)]})
    (track,) = link_tracks(faces, SHORT).tracks
    assert track.frames.tolist() == [0, 1, 2, 3, 4]
    # Left edge 0 -> 8, right edge 100 -> 112, bottom 100 -> 104, in four equal steps.
    expected = [[0, 0, 100, 100], [2, 0, 103, 101], [4, 0, 106, 102], [6, 0, 109, 103], [8, 0, 112, 104]]
    np.testing.assert_array_equal(track.boxes, np.float32(expected))


def test_25_missed_frames_are_bridged_and_26_are_not() -> None:
    bridged = {n: [] for n in range(60)} | {0: [box_at(0)], 26: [box_at(0)]}
    assert frame_ranges(seen(bridged)) == [(0, 27)]
    broken = {n: [] for n in range(60)} | {0: [box_at(0)], 27: [box_at(0)]}
    assert frame_ranges(seen(broken)) == [(0, 1), (27, 1)]


def test_frames_nobody_looked_at_are_no_misses() -> None:
    # Looks at every fifth frame: 0 and 30 lie 25 + 5 frames apart, with five misses (5 .. 25) in between.
    looks: dict[int, list[list[float]]] = {n: [] for n in range(0, 60, 5)}
    assert frame_ranges(seen(looks | {0: [box_at(0)], 30: [box_at(0)]}, every=5)) == [(0, 31)]
    assert frame_ranges(seen(looks | {0: [box_at(0)], 35: [box_at(0)]}, every=5)) == [(0, 1), (35, 1)]


def test_the_gap_is_bridged_only_where_the_face_is_still_there() -> None:
    assert frame_ranges(seen({0: [box_at(0)], 1: [], 2: [box_at(200)]})) == [(0, 1), (2, 1)]


def test_no_track_crosses_a_cut() -> None:
    faces = seen({n: [box_at(0)] for n in range(6)}, shots=[Shot(0, 2), Shot(2, 6)])
    assert frame_ranges(faces) == [(0, 2), (2, 4)]


def test_two_faces_that_cross_keep_to_their_paths() -> None:
    # Both 100 wide, 90 and 100 high, moving by -10 and +10 a frame from 60 and 0, at the same place in frame 3. There
    # and next to it each box overlaps both tracks by more than half: its own path by 90 / 110 = 0.82, the other one
    # by 81 / 109 = 0.74 (its last box at the same distance, but of the other height).
    paths = {n: [[60 - 10 * n, 0, 160 - 10 * n, 90], [10.0 * n, 0, 100 + 10.0 * n, 100]] for n in range(7)}
    tracks = link_tracks(seen(paths), SHORT).tracks
    assert [(track.first_frame, track.frame_count) for track in tracks] == [(0, 7), (0, 7)]
    heights = [track.boxes[:, 3].tolist() for track in tracks]
    assert heights == [[90.0] * 7, [100.0] * 7]


def test_best_match_goes_first() -> None:
    # The box at 30 overlaps the track at 0 by 70 / 130 = 0.54 and the one at 40 by 90 / 110 = 0.82. The second track
    # takes it, although the first one comes first, and the first track takes the box at -20 (80 / 120 = 0.67).
    faces = seen({0: [box_at(0), box_at(40)], 1: [box_at(30), box_at(-20)]})
    tracks = link_tracks(faces, SHORT).tracks
    assert [track.boxes[:, 0].tolist() for track in tracks] == [[0.0, -20.0], [40.0, 30.0]]


def test_one_detection_continues_one_track_only() -> None:
    faces = seen({0: [box_at(0), box_at(20)], 1: [box_at(0)]})
    assert frame_ranges(faces) == [(0, 2), (0, 1)]


def test_gates_are_inclusive() -> None:
    faces = seen({n: [[0, 0, 30, 50]] for n in range(50)})
    assert frame_ranges(faces, TrackSettings(min_face_px=50, min_track_frames=50)) == [(0, 50)]
    assert frame_ranges(faces, TrackSettings(min_face_px=51, min_track_frames=50)) == []
    assert frame_ranges(faces, TrackSettings(min_face_px=50, min_track_frames=51)) == []


def test_width_counts_as_well_as_height() -> None:
    faces = seen({n: [[0, 0, 50, 30]] for n in range(2)})
    assert frame_ranges(faces, TrackSettings(min_face_px=50, min_track_frames=2)) == [(0, 2)]


def test_the_mean_size_decides() -> None:
    # Sides 40 and 60: the mean is 50, though one frame lies below.
    faces = seen({0: [box_at(0, 40)], 1: [[0, 0, 45, 60]]})
    assert frame_ranges(faces, TrackSettings(min_face_px=50, min_track_frames=2)) == [(0, 2)]


@pytest.mark.parametrize(
    ("boxes_by_frame", "reason"),
    [
        ({}, "no face seen"),
        ({0: [], 1: []}, "no face seen"),
        ({n: [box_at(0, 31)] for n in range(60)}, "only faces smaller than 50 px (largest 31 px)"),
        # Rounded down: 49.9 is smaller than 50, and the message must not say otherwise.
        ({n: [box_at(0, 49.9)] for n in range(60)}, "only faces smaller than 50 px (largest 49 px)"),
        ({n: [box_at(0, 31)] for n in range(7)}, "only faces smaller than 50 px (largest 31 px)"),
        ({n: [box_at(0)] for n in range(22)}, "only tracks shorter than 50 frames (longest 22)"),
        # A false alarm of one frame must not hide that the face was small, nor the other way round.
        (
            {n: [box_at(0, 41), *([box_at(300)] if n < 3 else [])] for n in range(60)},
            "only faces smaller than 50 px (largest 41 px) or tracks shorter than 50 frames (longest 3)",
        ),
    ],
)
def test_reason_names_the_gate(boxes_by_frame: dict[int, list[list[float]]], reason: str) -> None:
    result = link_tracks(seen(boxes_by_frame), TrackSettings())
    assert result.tracks == []
    assert result.no_track is not None
    assert describe_no_track(result.no_track) == reason


def test_track_refuses_what_is_no_track() -> None:
    with pytest.raises(ValueError, match="consecutive"):
        Track(np.array([1, 3]), np.zeros((2, 4), np.float32))
    with pytest.raises(ValueError, match="boxes"):
        Track(np.array([1, 2]), np.zeros((3, 4), np.float32))


def test_mean_box() -> None:
    track = Track(np.array([4, 5]), np.float32([[0, 0, 10, 20], [2, 0, 14, 24]]))
    np.testing.assert_array_equal(track.mean_box, np.float32([1, 0, 12, 22]))
    assert track.face_px == 22.0

"""Published tracking by hand: which face follows which, and the gates that have to be exceeded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from detectors.protocol import Detections
from syncnet.faces.no_track import describe_no_track
from syncnet.faces.shots import Shot
from syncnet.faces.tracks import Track
from syncnet.reference.crops import smooth_as_published
from syncnet.reference.tracks import detect_faces, find_published_shots, link_published_tracks
from syncnet.settings import PUBLISHED_GATE, TrackSettings
from syncnet.system.interruption import Interrupted, StopFlag
from synthetic.media import Clip, write_clip

SETTINGS = TrackSettings(min_face_px=10, min_track_frames=3)


def box(left: float, side: float = 20.0) -> list[float]:
    return [left, 0.0, left + side, side]


def boxes(*frames: list[list[float]]) -> list[np.ndarray]:
    return [np.array(faces, np.float32).reshape(-1, 4) for faces in frames]


def link(frames: list[np.ndarray], settings: TrackSettings = SETTINGS, shots: list[Shot] | None = None) -> list[Track]:
    return link_published_tracks(frames, shots or [Shot(0, len(frames))], settings).tracks


def test_the_gates_have_to_be_exceeded() -> None:
    assert PUBLISHED_GATE == 100
    assert len(link(boxes(*[[box(0)]] * 4))) == 1
    assert link(boxes(*[[box(0)]] * 3)) == []
    assert link(boxes(*[[box(0, 10)]] * 4)) == []
    assert len(link(boxes(*[[box(0, 10.5)]] * 4))) == 1


def test_detections_count_and_not_frames() -> None:
    # Ten frames long, but seen in three of them.
    seen = [[box(0)], *[[]] * 4, [box(0)], *[[]] * 3, [box(0)]]
    assert link(boxes(*seen)) == []
    reason = link_published_tracks(boxes(*seen), [Shot(0, 10)], SETTINGS).no_track
    assert reason is not None
    assert describe_no_track(reason) == "only tracks of no more than 3 frames (longest 3)"


def test_gaps_are_filled_in_a_line_up_to_25_frames() -> None:
    seen = [[box(0)], [box(0)], [box(0)], *[[]] * 24, [box(5)]]
    (track,) = link(boxes(*seen))
    assert (track.first_frame, track.frame_count) == (0, 28)
    # From frame 2 to frame 27 the box moves 5 pixels in 25 steps.
    assert track.boxes[12] == pytest.approx([2, 0, 22, 20])
    longer_gap = [*seen[:3], *[[]] * 25, [box(5)]]
    assert link(boxes(*longer_gap)) == []


def test_a_face_must_overlap_by_more_than_half() -> None:
    # Moved by a third of its side: 2/3 over 4/3 is one half exactly. By less, it follows.
    assert link(boxes(*[[box(0)]] * 3, [box(0 + 21 / 3, 21)])) == []
    assert len(link(boxes([box(0)], [box(6)], [box(12)], [box(18)]))) == 1


def test_the_surest_face_starts_a_track_and_the_others_get_their_own() -> None:
    two = [[box(100), box(0)]] * 4
    first, second = link(boxes(*two))
    assert (first.boxes[0, 0], second.boxes[0, 0]) == (100, 0)


def test_tracks_end_with_their_shot() -> None:
    frames = boxes(*[[box(0)]] * 8)
    tracks = link(frames, shots=[Shot(0, 4), Shot(4, 8)])
    assert [(track.first_frame, track.frame_count) for track in tracks] == [(0, 4), (4, 4)]


@pytest.mark.parametrize(
    ("frames", "reason"),
    [
        ([[]] * 5, "no face seen"),
        ([[box(0, 8)]] * 5, "only faces of no more than 10 px (largest 8 px)"),
        ([[box(0)]] * 2, "only tracks of no more than 3 frames (longest 2)"),
    ],
)
def test_the_reason_names_the_gate(frames: list[list[list[float]]], reason: str) -> None:
    result = link_published_tracks(boxes(*frames), [Shot(0, len(frames))], SETTINGS)
    assert result.no_track is not None
    assert describe_no_track(result.no_track) == reason


def test_smoothing_equals_the_published_one(test_data: Path) -> None:
    golden = np.load(test_data / "goldens" / "crops_example.npz")
    # Half of a difference, or a difference of halves: the last bit of a float64.
    np.testing.assert_allclose(smooth_as_published(golden["boxes_xyxy"]), golden["smoothed_xys"], rtol=1e-15)


def test_smoothing_takes_the_least_of_seven_at_the_ends() -> None:
    # A face of half-size 10 that moves right from x = 30 by 1 a frame: six zeros and x of frames 0 to 6 are around the
    # first frame, whose median is the seventh of the thirteen in order, x of frame 0. At the last frame it is again the
    # least of seven, x of the seventh last. In between the median is the value itself.
    x = np.arange(30.0, 60.0)
    moving = np.stack([x - 10, np.full(30, 40.0), x + 10, np.full(30, 60.0)], axis=1)
    smoothed = smooth_as_published(moving)
    assert smoothed[0].tolist() == [30, 50, 10]
    assert smoothed[15].tolist() == [45, 50, 10]
    assert smoothed[-1].tolist() == [53, 50, 10]


def write_colours(path: Path, colours: list[int]) -> Path:
    """One even picture a frame."""

    def draw(number: int) -> av.VideoFrame:
        return av.VideoFrame.from_ndarray(np.full((120, 160, 3), colours[number], np.uint8), format="bgr24")

    return write_clip(path, Clip(seconds=len(colours) / 25, video_codec="mpeg4", audio_codec="libmp3lame"), draw)


def test_shots_have_at_least_15_frames(tmp_path: Path) -> None:
    # The cut at 80 comes 40 frames after the one before and counts. The one at 88 comes too soon: it is merged into
    # what follows, and counts as the last change only once 15 frames have passed, if at least 15 lie between the two
    # merged ones, which they do not.
    clip = write_colours(tmp_path / "shots.avi", [0] * 40 + [255] * 40 + [0] * 8 + [255] * 32)
    shots = find_published_shots(clip, 120, StopFlag())
    assert shots == [Shot(0, 40), Shot(40, 80), Shot(80, 120)]


def test_without_a_cut_the_video_is_one_shot(tmp_path: Path) -> None:
    clip = write_colours(tmp_path / "one.avi", [100] * 50)
    assert find_published_shots(clip, 50, StopFlag()) == [Shot(0, 50)]


def test_every_frame_is_looked_at_until_a_stop() -> None:
    stop = StopFlag()

    class Counting:
        seen = 0

        def detect(self, frame_bgr: np.ndarray) -> Detections:
            self.seen += 1
            return Detections(np.full((1, 4), frame_bgr[0, 0, 0], np.float32), np.ones(1, np.float32))

    def frames() -> Iterator[np.ndarray]:
        for number in range(10):
            if number == 7:
                stop.stop()
            yield np.full((4, 4, 3), number, np.uint8)

    detector = Counting()
    assert [found[0, 0] for found in detect_faces(list(frames())[:5], detector, StopFlag())] == [0, 1, 2, 3, 4]
    with pytest.raises(Interrupted):
        detect_faces(frames(), detector, stop)

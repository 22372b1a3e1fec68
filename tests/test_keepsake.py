"""What a scored video leaves behind: the file, how it is made, and its way from the scorer to the output folder."""

from __future__ import annotations

import errno
from dataclasses import replace
from pathlib import Path, PurePath

import cv2
import numpy as np
import pytest
from fakes import make_score, scored

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.keepsake.arrays import read_arrays
from syncnet.keepsake.file import Keepsake, TrackKeepsake, keepsake_path, read_keepsake, write_keepsake
from syncnet.keepsake.making import (
    MOST_PICTURED_TRACKS,
    MOST_THUMBNAIL_BYTES,
    TrackPictures,
    frame_confidence,
    frame_loudness,
    keep_track,
    keep_video,
)
from syncnet.models.protocol import Embeddings
from syncnet.scoring.score import pair_distances
from syncnet.scoring.turns import TrackTable
from syncnet.state.records import score_from_plain, score_to_plain
from syncnet.state.score_store import ScoreStore
from tests.fakes import NoOdds


class DoublingModel(NoOdds):
    """Confidence is twice the raw one."""

    def confidence(self, raw: float, embedding_count: int) -> float:
        assert embedding_count > 0
        return 2 * raw


def make_track(first_frame: int = 0, length: int = 3) -> TrackKeepsake:
    return TrackKeepsake(
        first_frame,
        np.tile(np.float32([10.4, 20.6, 110, 140]), (length, 1)),
        np.linspace(-1, 7, length, dtype=np.float32),
        np.float32([[first_frame, -3, 0.25]]),
        np.arange(5, dtype=np.uint8),
        np.arange(9, dtype=np.uint8),
        np.array([first_frame, first_frame + 2], np.int32),
        np.linspace(0, 1, 31, dtype=np.float32)[None],
    )


def make_keepsake(*tracks: TrackKeepsake) -> Keepsake:
    return Keepsake(tracks, np.array([0, 72], np.int32), np.float32([-90, -12.5]), np.array([False, True]))


# The file


def test_what_was_written_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.npz"
    faceless = replace(
        make_track(50, 1), windows=np.empty((0, 3), np.float32), curves=np.empty((0, 31)), strip=np.empty(0, np.uint8)
    )
    write_keepsake(path, make_keepsake(make_track(0, 3), faceless))
    keepsake = read_keepsake(path)
    assert keepsake is not None
    assert keepsake.shot_starts.tolist() == [0, 72]
    assert keepsake.loudness_db.tolist() == [-90, -12.5]
    assert keepsake.speech.tolist() == [False, True]
    first, second = keepsake.tracks
    assert first.first_frame == 0
    # To whole pixels.
    assert first.boxes.tolist() == [[10, 21, 110, 140]] * 3
    assert first.confidence.tolist() == [-1, 3, 7]
    assert first.windows.tolist() == [[0, -3, 0.25]]
    assert first.curves[0] == pytest.approx(np.linspace(0, 1, 31), abs=1e-3)
    assert second.curves.shape == (0, 31)
    assert first.thumbnail.tolist() == [0, 1, 2, 3, 4]
    assert first.strip.tolist() == list(range(9))
    assert second.strip_frames.tolist() == [50, 52]
    assert (second.first_frame, second.boxes.shape, second.windows.shape, len(second.strip)) == (50, (1, 4), (0, 3), 0)
    assert [path.name for path in path.parent.iterdir()] == ["a.npz"]


def test_a_video_without_a_track_has_its_shots_and_loudness(tmp_path: Path) -> None:
    write_keepsake(tmp_path / "a.npz", make_keepsake())
    keepsake = read_keepsake(tmp_path / "a.npz")
    assert keepsake is not None
    assert keepsake.tracks == ()
    assert keepsake.shot_starts.tolist() == [0, 72]


def test_arrays_are_those_of_numpys_own_reader(tmp_path: Path) -> None:
    write_keepsake(tmp_path / "a.npz", make_keepsake(make_track(), make_track()))
    arrays = read_arrays(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as expected:
        assert arrays.keys() == set(expected.files)
        for name, array in arrays.items():
            assert (array.dtype, array.shape) == (expected[name].dtype, expected[name].shape)
            np.testing.assert_array_equal(array, expected[name])
    np.savez(tmp_path / "b.npz", columns=np.asfortranarray(np.ones((2, 3))))
    with pytest.raises(ValueError, match="no keepsake has"):
        read_arrays(tmp_path / "b.npz")


def test_a_file_that_is_no_keepsake_is_none(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    assert read_keepsake(path) is None
    write_keepsake(path, make_keepsake(make_track()))
    whole = path.read_bytes()
    for content in (b"", b"{}", whole[: len(whole) // 2], whole[:200] + b"\x00" * 40 + whole[240:]):
        path.write_bytes(content)
        assert read_keepsake(path) is None
    np.savez(path, format=np.array(99))
    assert read_keepsake(path) is None
    # Objects would be pickles.
    np.savez(path, format=np.array([{"a": 1}], object))
    assert read_keepsake(path) is None


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    write_keepsake(path, make_keepsake(make_track()))
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        write_keepsake(path, make_keepsake())
    assert path.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


def test_each_path_has_a_file_of_its_own() -> None:
    names = {keepsake_path(Path("s"), PurePath(name)) for name in ("a.mp4", "a.mov", "b/a.mp4", "b\udcff.mp4")}
    assert len(names) == 4
    assert {path.parent for path in names} == {Path("s/keepsakes")}
    assert keepsake_path(Path("s"), "b/a.mp4") == keepsake_path(Path("s"), PurePath("b/a.mp4"))


# Frame by frame


def test_frame_confidence_is_the_median_over_shifts_minus_the_distance_at_the_offset() -> None:
    distances = np.full((31, 100), 1.0)
    # Offset +2 is row 13. The first half fits there by 0.5, the second fits nowhere.
    distances[MAX_SHIFT_FRAMES - 2, :50] = 0.5
    confidence = frame_confidence(distances, 2, 4, 110, DoublingModel())  # type: ignore[arg-type]
    assert confidence.shape == (110,)
    # Lip i stands for frame i + 4; the frames before the first lip have its value, twice the raw 0.5.
    assert confidence[:41] == pytest.approx(1.0)
    assert confidence[70:] == pytest.approx(0.0)
    # Lip 50, the first that does not fit, has 12 fitting neighbours among its 25.
    assert confidence[54] == pytest.approx(2 * 0.5 * 12 / 25)


def test_frame_confidence_is_nan_where_no_sound_is() -> None:
    distances = np.full((31, 100), 1.0)
    distances[:, 50:] = np.nan
    confidence = frame_confidence(distances, 0, 0, 100, DoublingModel())  # type: ignore[arg-type]
    assert np.isfinite(confidence[:62]).all()
    assert np.isnan(confidence[62:]).all()


def test_loudness_is_in_db_of_full_scale() -> None:
    # A full square wave is 0 dB, a tenth of it -20 dB; what is left of a frame at the end is no frame.
    samples = np.concatenate([np.full(640, -32768), np.full(640, 3277), np.zeros(640), np.ones(100)]).astype(np.int16)
    assert frame_loudness(samples) == pytest.approx([0.0, -20.0, -90.0], abs=0.01)
    assert len(frame_loudness(samples[:639])) == 0


# Pictures


def crops(count: int) -> list[np.ndarray]:
    """Crop n is full of n; number 6 alone has an edge in it."""
    made = [np.full((224, 224, 3), number, np.uint8) for number in range(count)]
    made[6][:, 112:] = 255
    return made


def test_the_strip_is_of_mouths_evenly_spread_over_the_track() -> None:
    pictures = TrackPictures(1000)
    for start in range(0, 250, 50):
        pictures.see(crops(250)[start : start + 50])
    jpeg, frames = pictures.strip()
    assert len(frames) == 12
    assert frames[0] == 1000
    # 250 frames, so that mouths 1000 + 8 k were held at last: 32 of them, and neighbours lie 2 or 3 of these apart.
    assert set(np.diff(frames)) <= {16, 24}
    assert frames[-1] == 1248
    strip = cv2.imdecode(jpeg, cv2.IMREAD_COLOR)
    assert strip.shape == (64, 12 * 64, 3)
    middles = strip[32, 32::64, 0].astype(int)
    assert np.abs(middles - (frames - 1000)).max() <= 3


def test_the_strip_of_the_shortest_track_with_a_score_is_full() -> None:
    pictures = TrackPictures(0)
    pictures.see(crops(26))
    _, frames = pictures.strip()
    # Twelve of the thirteen even frames up to 24: one is left out.
    assert (frames[0], frames[-1], len(frames)) == (0, 24, 12)
    assert sorted(np.diff(frames)) == [2] * 10 + [4]


def test_a_short_track_has_fewer_mouths() -> None:
    pictures = TrackPictures(0)
    pictures.see(crops(8)[:6])
    _, frames = pictures.strip()
    assert frames.tolist() == [0, 2, 4]
    empty, none = TrackPictures(0).strip()
    assert len(empty) == len(none) == len(TrackPictures(0).thumbnail()) == 0


def test_the_thumbnail_is_the_sharpest_face_and_small() -> None:
    pictures = TrackPictures(0)
    pictures.see(crops(20))
    face = cv2.imdecode(pictures.thumbnail(), cv2.IMREAD_COLOR)
    assert face.shape == (160, 160, 3)
    assert face[80, 40].max() < 40
    assert face[80, 120].min() > 220
    noisy = TrackPictures(0)
    noisy.see(np.random.default_rng(1).integers(0, 256, (1, 224, 224, 3), np.uint8))
    assert 0 < len(noisy.thumbnail()) <= 2 * MOST_THUMBNAIL_BYTES


def test_only_the_best_tracks_of_a_crowd_have_pictures() -> None:
    count = MOST_PICTURED_TRACKS + 2
    scores = [None, *(make_score(float(number)) for number in range(1, count))]
    kept = keep_video([make_track(number) for number in range(count)], scores, np.zeros(1280, np.int16), [0, 40])
    assert [len(track.thumbnail) for track in kept.tracks] == [0, 0] + [5] * MOST_PICTURED_TRACKS
    assert [len(track.strip_frames) for track in kept.tracks] == [0, 0] + [2] * MOST_PICTURED_TRACKS
    assert all(len(track.boxes) == 3 for track in kept.tracks)
    assert (kept.shot_starts.tolist(), len(kept.loudness_db)) == ([0, 40], 2)


def test_windows_are_those_in_which_somebody_speaks() -> None:
    rng = np.random.default_rng(5)
    audio = rng.normal(size=(130, 16)).astype(np.float32)
    audio /= np.linalg.norm(audio, axis=1, keepdims=True)
    # The lips are 100 frames of the sound from its frame 18 on, but placed as if from 15 on: the sound comes 3 late.
    embeddings = Embeddings(audio[18:118], audio, 15, "cosine", zero_pad_ends=False, middle_frame=5)
    table = TrackTable(25, pair_distances(embeddings), "cosine", 5.0)
    speech = np.zeros(300, bool)
    speech[:80] = True
    track = keep_track(
        20, np.zeros((110, 4)), table, make_score(5.0, -3), DoublingModel(), speech, TrackPictures(20)  # type: ignore[arg-type]
    )  # fmt: skip
    # Windows start every 10 lips from frame 25 on; from frame 65 on (15 of 25 frames) the speech is still half of them.
    assert track.windows[:, 0].tolist() == [25, 35, 45, 55, 65]
    assert track.windows[:, 1].tolist() == [-3] * 5
    assert (15 - track.curves.argmin(axis=1)).tolist() == [-3] * 5
    assert track.confidence.min() > 1.5
    silent = keep_track(20, np.zeros((110, 4)), None, None, DoublingModel(), speech, TrackPictures(20))  # type: ignore[arg-type]
    assert np.isnan(silent.confidence).all()
    assert silent.windows.shape == (0, 3)


# Its way


def test_a_keepsake_is_no_part_of_a_record() -> None:
    score = replace(scored(make_score(7.5)), keepsake=make_keepsake(make_track()))
    plain = score_to_plain(score)
    assert "tracks" in plain
    assert "keepsake" not in plain
    assert score_from_plain({**plain, "keepsake": {"tracks": 5}}).keepsake is None


def test_a_score_is_found_again_with_its_keepsake(tmp_path: Path) -> None:
    store = ScoreStore(tmp_path)
    store.keep("aa", "f1", replace(scored(make_score(7.5)), keepsake=make_keepsake(make_track(4))))
    store.keep("bb", "f1", scored(make_score(7.5)))
    with_pictures, without = store.find("aa", "f1"), store.find("bb", "f1")
    assert with_pictures is not None
    assert with_pictures.keepsake is not None
    assert with_pictures.keepsake.tracks[0].first_frame == 4
    assert without is not None
    assert without.keepsake is None

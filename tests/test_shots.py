"""Cuts in made-up frames."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.faces.shots import CutFinder, Shot, shots_between
from syncnet.settings import ShotSettings


def find_shots(frames: list[np.ndarray], settings: ShotSettings) -> list[Shot]:
    cut_finder = CutFinder(settings)
    return shots_between([n for n, frame_bgr in enumerate(frames) if cut_finder.is_cut(frame_bgr)], len(frames))


def plain(level: int, *, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey frame: of hue, saturation and brightness only the last differs between two of them."""
    return np.full((height, width, 3), level, dtype=np.uint8)


def test_no_frame_no_shot() -> None:
    assert find_shots([], ShotSettings()) == []


def test_a_still_picture_is_one_shot() -> None:
    assert find_shots([plain(100)] * 7, ShotSettings()) == [Shot(0, 7)]


def test_the_same_array_again_is_no_cut_and_counts_as_a_frame() -> None:
    dark, bright = plain(0), plain(200)
    assert find_shots([dark, dark, dark, bright, bright, dark], ShotSettings()) == [Shot(0, 3), Shot(3, 5), Shot(5, 6)]


def test_cut_lies_at_the_first_frame_of_the_new_picture() -> None:
    frames = [plain(20)] * 5 + [plain(220)] * 3
    assert find_shots(frames, ShotSettings()) == [Shot(0, 5), Shot(5, 8)]


def test_threshold_is_the_mean_change_of_hue_saturation_and_brightness() -> None:
    # Between greys only brightness changes, so that its change counts a third: 81 / 3 = 27 is a cut, 80 / 3 is none.
    assert find_shots([plain(100), plain(181)], ShotSettings()) == [Shot(0, 1), Shot(1, 2)]
    assert find_shots([plain(100), plain(180)], ShotSettings()) == [Shot(0, 2)]
    assert find_shots([plain(100), plain(180)], ShotSettings(content_threshold=26.0)) == [Shot(0, 1), Shot(1, 2)]


def low_light(picture: np.ndarray, count: int) -> list[np.ndarray]:
    """Some frames of a picture that is as bright as the noise on it."""
    noise = np.random.default_rng(5).normal(0, 5, (count, *picture.shape))
    return [np.clip(picture + grain, 0, 255).astype(np.uint8) for grain in noise]


def test_noise_in_low_light_is_no_cut() -> None:
    """Of dark pixels hue and saturation are chance: the library alone takes every one of these frames for a cut."""
    frames = low_light(np.full((48, 64, 3), 6.0), 30)
    library = CutFinder(ShotSettings())
    library._stands_out = lambda _frame: True  # type: ignore[method-assign]
    assert sum(library.is_cut(frame) for frame in frames) == 29
    # Before the second frame there is no change to compare with.
    assert find_shots(frames, ShotSettings()) == [Shot(0, 1), Shot(1, 30)]


def test_slides_are_cut_however_alike_their_changes_are() -> None:
    slides = [plain(level) for level in (20, 220, 20, 220)]
    frames = [slide for slide in slides for _ in range(3)]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 3), Shot(3, 6), Shot(6, 9), Shot(9, 12)]


def test_noise_of_a_slow_camera_is_no_cut_either() -> None:
    frames = [frame for frame in low_light(np.full((48, 64, 3), 6.0), 20) for _ in range(2)]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 2), Shot(2, 40)]


def test_a_cut_over_two_frames_is_one_cut_or_two() -> None:
    """As where a frame shows both pictures, half of each."""
    street, room = np.zeros((48, 64, 3), np.uint8), np.full((48, 64, 3), 200, np.uint8)
    street[:, ::2] = 60
    frames = [street.copy() for _ in range(6)] + [street // 2 + room // 2] + [room.copy() for _ in range(6)]
    cuts = [shot.first_frame for shot in find_shots(frames, ShotSettings())][1:]
    assert cuts and set(cuts) <= {6, 7}


def test_a_cut_in_low_light_is_one() -> None:
    street = np.zeros((48, 64, 3))
    street[:, 20:] = (40, 15, 5)
    room = np.zeros((48, 64, 3))
    room[10:, :40] = (5, 20, 60)
    frames = [*low_light(street, 12), *low_light(room, 12)]
    cuts = [shot.first_frame for shot in find_shots(frames, ShotSettings())][1:]
    # With the first frame of the new picture nobody knows yet how much noise is in it.
    assert cuts in ([12], [12, 13])


def test_a_fade_is_no_cut() -> None:
    assert find_shots([plain(level) for level in range(0, 250, 10)], ShotSettings()) == [Shot(0, 25)]


def test_cuts_are_told_when_their_frame_arrives_however_close() -> None:
    finder = CutFinder(ShotSettings())
    levels = [20, 220, 220, 20, 20, 20]
    assert [finder.is_cut(plain(level)) for level in levels] == [False, True, False, True, False, False]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (3000, 4), (1, 1)])
def test_frames_of_any_shape(width: int, height: int) -> None:
    frames = [plain(20, width=width, height=height)] * 2 + [plain(220, width=width, height=height)]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 2), Shot(2, 3)]

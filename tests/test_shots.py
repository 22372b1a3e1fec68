"""Cuts in made-up frames."""

from __future__ import annotations

import numpy as np
import pytest

from syncnet.faces.shots import CutFinder, Shot, shots_between
from syncnet.settings import ShotSettings


def find_shots(frames: list[np.ndarray], settings: ShotSettings) -> list[Shot]:
    cut_finder = CutFinder(settings)
    for frame_bgr in frames:
        cut_finder.is_cut(frame_bgr)
    return shots_between(cut_finder.cuts, len(frames))


def plain(level: int, *, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey frame: of hue, saturation and brightness only the last differs between two of them."""
    return np.full((height, width, 3), level, dtype=np.uint8)


def test_no_frame_no_shot() -> None:
    assert find_shots([], ShotSettings()) == []


def test_a_still_picture_is_one_shot() -> None:
    assert find_shots([plain(100)] * 7, ShotSettings()) == [Shot(0, 7)]


def test_the_same_array_again_is_no_cut_and_counts_as_a_frame() -> None:
    dark, bright = plain(0), plain(200)
    frames = [dark] * 3 + [bright] * 4 + [dark]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 3), Shot(3, 7), Shot(7, 8)]


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
    frames = [slide for slide in slides for _ in range(4)]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 4), Shot(4, 8), Shot(8, 12), Shot(12, 16)]


def scene(frame: int, glow: int = 0) -> np.ndarray:
    """A picture with colours in which something moves slowly, lit by so much more."""
    picture = np.zeros((48, 64, 3), np.int32)
    picture[:, :32], picture[:, 32:] = (40, 80, 120), (90, 60, 30)
    picture[20:30, frame % 40 : frame % 40 + 10] = (20, 160, 60)
    return np.clip(picture + glow, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("light", [[200], [200, 60], [255, 255, 255], [-200], [-200, -200], [200, 100, 60]])
def test_a_flash_and_a_black_picture_are_no_cut(light: list[int]) -> None:
    """The library sees two cuts in each of these."""
    frames = [scene(frame) for frame in range(40)]
    for start in (10, 24):
        for step, glow in enumerate(light):
            frames[start + step] = scene(start + step, glow)
    assert find_shots(frames, ShotSettings()) == [Shot(0, 40)]


def test_four_frames_of_light_are_a_shot() -> None:
    frames = [scene(frame, 200 if 10 <= frame < 14 else 0) for frame in range(30)]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 10), Shot(10, 14), Shot(14, 30)]


def test_a_cut_behind_a_flash_stays_one() -> None:
    """The picture that follows is another one than that before the flash."""
    street = np.full((48, 64, 3), (200, 30, 30), np.uint8)
    frames = [scene(frame) for frame in range(10)] + [scene(10, 200)] + [street] * 10
    assert find_shots(frames, ShotSettings())[-1] == Shot(11, 21)
    # Straight into a picture that is shown for two frames, and on to a third one.
    frames = [scene(frame) for frame in range(10)] + [street] * 2 + [plain(128)] * 10
    assert find_shots(frames, ShotSettings()) == [Shot(0, 10), Shot(10, 12), Shot(12, 22)]


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
    levels = [20, 220, 220, 120, 120, 120]
    assert [finder.is_cut(plain(level)) for level in levels] == [False, True, False, True, False, False]
    assert finder.cuts == [1, 3]


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1080, 1920), (3000, 4), (1, 1)])
def test_frames_of_any_shape(width: int, height: int) -> None:
    frames = [plain(20, width=width, height=height)] * 2 + [plain(220, width=width, height=height)]
    assert find_shots(frames, ShotSettings()) == [Shot(0, 2), Shot(2, 3)]

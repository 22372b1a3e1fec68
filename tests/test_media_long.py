"""Sound far longer than its picture: read no longer than it can matter, and never deaf to a stop."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import pytest

from syncnet.conventions import SAMPLE_RATE
from syncnet.errors import DamagedVideoError, TimeLimitError, TooLargeError
from syncnet.media.listening import _check_passed_over
from syncnet.media.opening import open_media
from syncnet.settings import MediaSettings
from syncnet.system.interruption import Deadline, Interrupted, StopFlag
from synthetic.media import Clip, find_clicks, write_clip

AT_ONCE = (("tune", "zerolatency"),)
"""An encoder that holds pictures back would have them written behind their sound."""
LONG = Clip(seconds=1.0, audio_end=30.0, click_times=(0.5, 5.5), sample_rate=16_000, video_options=AT_ONCE)


class StopAtLook(StopFlag):
    """Set when it is looked at for the n-th time."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.left = number

    def look(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.stop()
        super().look()


@pytest.fixture
def ten_minutes_are_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("listening", "decoder"):
        monkeypatch.setattr(f"syncnet.media.{name}.MAX_STEP_SECONDS", 5)


@pytest.mark.parametrize("number", [1, 100, 400])
def test_a_stop_is_heard_amid_the_sound(number: int, tmp_path: Path) -> None:
    # 30 s are 469 packets of 1024 samples.
    path = write_clip(tmp_path / "clip.mp4", LONG)
    stop = StopAtLook(number)
    with pytest.raises(Interrupted):
        open_media(path, stop=stop)
    assert stop.left == 0


def test_the_time_limit_counts_amid_the_sound(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", LONG)
    deadline = Deadline(StopFlag(), -1)
    with pytest.raises(TimeLimitError):
        open_media(path, stop=deadline)
    # Packets are no frames of any stage.
    assert deadline.frames_done == 0


def test_a_stop_is_heard_where_no_picture_comes(tmp_path: Path) -> None:
    media = open_media(write_clip(tmp_path / "clip.mp4", Clip()), stop=StopAtLook(10**9))
    media.stop.stop()
    with pytest.raises(Interrupted):
        next(media.frames())


@pytest.mark.parametrize("name", ["clip.mp4", "clip.mkv", "clip.ts"])
def test_sound_long_after_the_last_picture_is_not_decoded(
    name: str, tmp_path: Path, ten_minutes_are_five_seconds: None
) -> None:
    container = "mpegts" if name.endswith("ts") else None
    media = open_media(write_clip(tmp_path / name, Clip(**{**vars(LONG), "container": container})))
    assert len(media.samples) / SAMPLE_RATE == pytest.approx(6.0, abs=0.1)
    assert find_clicks(media.samples) == pytest.approx([0.5, 5.5], abs=0.01)
    assert len(list(media.frames())) == 25


def test_all_sound_is_kept_that_a_later_picture_may_need(tmp_path: Path, ten_minutes_are_five_seconds: None) -> None:
    clip = Clip(
        seconds=9.0, frame_times=[0, 0.04, 4.9, 8.9], click_times=(0.5, 8.5), sample_rate=16_000, video_options=AT_ONCE
    )
    media = open_media(write_clip(tmp_path / "clip.mkv", clip))
    assert find_clicks(media.samples) == pytest.approx([0.5, 8.5], abs=0.01)


def test_what_will_not_be_decoded_is_not_held_against_the_bound(
    tmp_path: Path, ten_minutes_are_five_seconds: None
) -> None:
    path = write_clip(tmp_path / "clip.mp4", LONG)
    # 30 s would be 2.9 MB, 6 s are 0.6; pictures of 160 x 120 take 0.9.
    assert len(open_media(path, settings=MediaSettings(max_memory_mb=1.5)).samples) < 7 * SAMPLE_RATE
    # Matroska tells one length for all of it.
    with pytest.raises(TooLargeError, match="sound of 30"):
        open_media(write_clip(tmp_path / "clip.mkv", LONG), settings=MediaSettings(max_memory_mb=1.5))


def test_sound_that_turns_out_to_be_needed_after_all_is_no_silence() -> None:
    picture = SimpleNamespace(index=0)
    decoder = SimpleNamespace(passed_over_from=Fraction(601), ends={0: Fraction(700)})
    with pytest.raises(DamagedVideoError, match="more than ten minutes apart"):
        _check_passed_over(Path("a.mkv"), decoder, picture)  # type: ignore[arg-type]
    decoder.ends[0] = Fraction(1)
    _check_passed_over(Path("a.mkv"), decoder, picture)  # type: ignore[arg-type]

"""What benchmarks/known_shift.py measures, in small: a sound moved by a known amount is found where it was moved to."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import pytest
from synthetic_media import Clip, write_clip

from benchmarks.media_timing import (
    CONTAINERS,
    EDITED,
    STARTS,
    STORES_NO_DELAY,
    base_clip,
    clips_to_read,
    read_bias,
)

MAX_BIAS_MS = 5.0
"""The goal for every container that stores its delay; a frame is 40 ms."""
MEDIA_CASES = [
    # Every frame rate in one container each; every container at least once.
    ("MOV/PCM", "23.976"),
    ("MPEG-TS/MP2", "24"),
    ("WebM VP8/Opus", "25"),
    ("MP4/AAC", "29.97"),
    ("MPEG-TS/AAC", "30"),
    ("WebM VP9/Opus", "50"),
    ("Matroska/Opus", "60"),
    ("MP4/AAC", "variable"),
]


def bias_ms(path: Path, clip: Clip) -> float:
    return 1000 * sum(read_bias(write_clip(path, clip), clip))


@pytest.mark.parametrize(("container", "frame_rate"), MEDIA_CASES)
def test_picture_and_sound_are_read_in_step(container: str, frame_rate: str, tmp_path: Path) -> None:
    extension, clip = base_clip(container, frame_rate)
    assert abs(bias_ms(tmp_path / f"clip.{extension}", clip)) < MAX_BIAS_MS


@pytest.mark.parametrize("container", ["MP4/AAC", "Matroska/Opus", "MPEG-TS/MP2"])
@pytest.mark.parametrize("start", STARTS)
def test_streams_that_start_apart_or_late_are_read_in_step(container: str, start: str, tmp_path: Path) -> None:
    # Matroska's header gives the time of the end as the length: at first stamps of 10 s that is no missing 10 s.
    extension, clip = base_clip(container, "25")
    assert abs(bias_ms(tmp_path / f"clip.{extension}", replace(clip, **STARTS[start]))) < MAX_BIAS_MS


def test_what_an_edit_list_hides_is_not_shown(tmp_path: Path) -> None:
    _, _, _, extension, clip = next(planned for planned in clips_to_read() if planned[2] == EDITED)
    path = write_clip(tmp_path / f"clip.{extension}", clip)
    with av.open(str(path)) as container:
        # The hidden 12 frames are in the file: without the edit list the sound would seem 480 ms late.
        hidden = [packet for packet in container.demux(video=0) if packet.size and packet.is_discard]
    assert len(hidden) == 12
    assert abs(1000 * sum(read_bias(path, clip))) < MAX_BIAS_MS


def test_the_bias_of_a_moved_sound_is_what_it_was_moved_by(tmp_path: Path) -> None:
    extension, clip = base_clip("MP4/AAC", "30")
    path = write_clip(tmp_path / f"clip.{extension}", replace(clip, sound_shift=0.02))
    # Held against the clip that was not moved: 20 ms late, negative as an offset is.
    assert 1000 * sum(read_bias(path, clip)) == pytest.approx(-20, abs=MAX_BIAS_MS)


def test_every_container_that_stores_its_delay_is_measured_at_every_rate() -> None:
    rates = {name: {rate for c, rate, start, *_ in clips_to_read() if c == name and not start} for name in CONTAINERS}
    assert {len(rates[name]) for name in CONTAINERS if name != STORES_NO_DELAY} == {8}
    assert len(rates[STORES_NO_DELAY]) == 7

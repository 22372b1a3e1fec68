"""What two players that share no code with the media stage make of a repaired file."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import pytest

from benchmarks import readers
from benchmarks.repair_readers import KINDS
from syncnet.repair.correction import constant
from syncnet.repair.writing import ways_for, write_repaired
from syncnet.system.interruption import StopFlag
from synthetic.media import Clip

MOVED_MS = (200, -200)
NEAR_MS = 20.0
"""What a repaired file may be off after all."""
PLAYED_BY_CHROMIUM = ("MP4/AAC", "MP4/MP3", "Matroska/Opus", "WebM/Opus")
PLAYED_BY_GSTREAMER = ("MP4/AAC", "MP4/Opus", "Matroska/AAC", "MPEG-TS/AAC", "MPEG-TS/MP2", "AVI/MP3", "AVI/PCM")


@pytest.fixture(scope="module")
def player(chromium: Any) -> readers.Chromium:
    return readers.player_of(chromium)


@pytest.fixture
def gstreamer() -> None:
    if problem := readers.gstreamer_problem():
        pytest.skip(problem)


def true_and_repaired(folder: Path, kind: str, moved_ms: float) -> tuple[Path, Path]:
    """A clip in sync, and one whose sound was moved and that was repaired in the way that is the default."""
    extension, fields = KINDS[kind]
    clip, correction = Clip(**fields), constant(-moved_ms)
    true = readers.write_flashes(folder / f"true.{extension}", clip)
    source = readers.write_flashes(folder / f"moved.{extension}", clip, moved_ms / 1000)
    target = folder / f"repaired.{extension}"
    write_repaired(source, target, 0, correction, ways_for(source, 0, correction, None)[0], StopFlag())
    return true, target


def assert_alike(before: list[float], after: list[float]) -> None:
    assert len(before) == len(after) == len(readers.FLASHES)
    assert after == pytest.approx(before, abs=NEAR_MS)


@pytest.mark.parametrize("moved_ms", MOVED_MS)
@pytest.mark.parametrize("kind", KINDS)
def test_by_the_media_stage(tmp_path: Path, kind: str, moved_ms: float) -> None:
    true, repaired = true_and_repaired(tmp_path, kind, moved_ms)
    # To a millisecond and a half: Matroska counts in whole ones, and AAC smears a click.
    assert readers.media(repaired) == pytest.approx(readers.media(true), abs=1.5)


@pytest.mark.parametrize("moved_ms", MOVED_MS)
@pytest.mark.parametrize("kind", PLAYED_BY_GSTREAMER)
@pytest.mark.usefixtures("gstreamer")
def test_by_gstreamer(tmp_path: Path, kind: str, moved_ms: float) -> None:
    true, repaired = true_and_repaired(tmp_path, kind, moved_ms)
    assert_alike(readers.gstreamer(true), readers.gstreamer(repaired))


@pytest.mark.slow
@pytest.mark.parametrize("moved_ms", MOVED_MS)
@pytest.mark.parametrize("kind", PLAYED_BY_CHROMIUM)
def test_by_chromium(tmp_path: Path, player: readers.Chromium, kind: str, moved_ms: float) -> None:
    true, repaired = true_and_repaired(tmp_path, kind, moved_ms)
    before, after = player(true), player(repaired)
    # A player on a busy machine shows a picture late now and then: the middle one of three counts.
    assert len(before) == len(after) == len(readers.FLASHES)
    assert median(after) == pytest.approx(median(before), abs=NEAR_MS)


@pytest.mark.usefixtures("gstreamer")
def test_gstreamer_finds_sound_that_was_not_repaired(tmp_path: Path) -> None:
    extension, fields = KINDS["MP4/AAC"]
    true, late = (
        readers.gstreamer(readers.write_flashes(tmp_path / f"{ms}.{extension}", Clip(**fields), ms / 1000))
        for ms in (0, 200)
    )
    assert late == pytest.approx([one - 200 for one in true], abs=1)

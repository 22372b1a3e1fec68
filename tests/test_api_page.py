"""docs/api.md tells of the library as it is, and its code runs."""

from __future__ import annotations

import dataclasses
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from folders import make_videos

import syncnet
from syncnet import (
    FilteredVideos,
    MediaSettings,
    OverTimeSettings,
    ReportOptions,
    RunOptions,
    ScorerSettings,
    SpeedSettings,
    Thresholds,
    TrackSettings,
    VideoResult,
    WeightsPolicy,
)
from syncnet.media.opening import MediaInfo
from syncnet.models.odds import Odds
from syncnet.overtime.judging import JudgedOverTime, JudgedSegment
from syncnet.overtime.timeline import Drift, Jump, OffsetAlong, OverTime, Segment
from syncnet.results import TrackScore
from syncnet.scoring.evidence import Evidence, OffsetPiece
from syncnet.scoring.pooling import PooledScore
from syncnet.scoring.score import SyncScore
from syncnet.scoring.stretches import Stretch
from syncnet.scoring.timing import Timing
from syncnet.scoring.turns import Conversation, Turn
from syncnet.verdict import Decision, Verdict

RETURNED = (
    *(FilteredVideos, VideoResult, Verdict, Decision, SyncScore, Evidence, OffsetPiece, Timing, Odds),
    *(TrackScore, Conversation, Turn, MediaInfo, PooledScore, Stretch),
    *(JudgedOverTime, JudgedSegment, Segment, OverTime, OffsetAlong, Jump, Drift),
)
GIVEN = (
    *(ScorerSettings, Thresholds, TrackSettings, MediaSettings, SpeedSettings, WeightsPolicy),
    *(RunOptions, ReportOptions, OverTimeSettings),
)


@pytest.fixture
def page(repository: Path) -> str:
    return (repository / "docs" / "api.md").read_text()


def test_the_page_has_every_public_name_and_every_field(page: str) -> None:
    documented = set(re.findall(r"`(\w+)`", page))
    assert set(syncnet.__all__) <= documented
    for given in (*RETURNED, *GIVEN):
        assert given.__name__ in documented
        fields = {field.name for field in dataclasses.fields(given)}
        assert fields <= documented, f"{given.__name__}: {fields - documented}"


def test_every_field_of_the_page_is_a_real_one(page: str) -> None:
    """In its tables, where a field stands first in a row below the heading of its type."""
    known = {given.__name__: given for given in (*RETURNED, *GIVEN)}
    rows = 0
    for heading, body in re.findall(r"^### `(\w+)`.*?\n(.*?)(?=^##|\Z)", page, re.MULTILINE | re.DOTALL):
        given: Any = known[heading]
        names = {field.name for field in dataclasses.fields(given)} | set(dir(given))
        for first in re.findall(r"^\| (`.*?) \|", body, re.MULTILINE):
            for name in re.findall(r"`(\w+)`(?!\))", first):
                rows += 1
                assert name in names, f"{heading} has no {name}"
    assert rows > 60


@pytest.mark.slow
def test_the_code_of_the_page_runs(page: str, repository: Path, tmp_path: Path) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) >= 3
    make_videos(tmp_path / "my_videos")
    for name in ("my_videos/talk.mp4", "talk.mp4"):
        shutil.copy(repository / "samples" / "in_sync.mp4", tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.append({str(repository)!r})\n" + "\n".join(blocks)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "True 7.6 +1" in done.stdout
    assert (tmp_path / "sorted" / "good_quality" / "talk.mp4").is_file()


@pytest.mark.slow
def test_the_example_draws_the_curve(repository: Path, tmp_path: Path) -> None:
    example = [sys.executable, str(repository / "examples" / "plot_sync_curve.py")]
    video = repository / "samples" / "sound_8_frames_late.mp4"
    done = subprocess.run([*example, video, "curve.png"], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "sound late" in done.stdout
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")

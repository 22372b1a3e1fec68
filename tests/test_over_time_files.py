"""A made file through the whole pipeline: the smoke mode of benchmarks/over_time.py, in which the answer is known."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.over_time import measure, smoke_plan
from benchmarks.over_time_figures import Figures
from benchmarks.over_time_files import late_ms_at, make_file
from syncnet.scorer import SyncScorer
from syncnet.settings import ScorerSettings, WeightsPolicy


def test_a_file_that_is_late_from_its_middle_on_is_told_so(tmp_path: Path, repository: Path) -> None:
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    plan = smoke_plan(repository / "samples")
    # 4.5 s in sync, 1.5 s of nobody, 4.5 s that are 320 ms late.
    assert late_ms_at(plan, np.array([1.0, 5.0, 7.0]))[[0, 2]].tolist() == [0.0, 320.0]
    make_file(plan, tmp_path / "smoke.mp4")
    scorer = SyncScorer(ScorerSettings(model="lite", weights=WeightsPolicy(offline=True)))
    judged, speech = measure(tmp_path / "smoke.mp4", scorer)
    first, second = (one for one in judged.segments if one.segment.kind == "speech")
    assert (first.passes, second.passes) == (True, False)
    assert (first.segment.start_seconds, first.segment.end_seconds) == (
        pytest.approx(0.0, abs=0.6), pytest.approx(4.5, abs=0.3),
    )  # fmt: skip
    assert (second.segment.start_seconds, second.segment.end_seconds) == (
        pytest.approx(6.0, abs=0.6), pytest.approx(10.5, abs=0.3),
    )  # fmt: skip
    (jump,) = judged.over_time.along.jumps
    assert jump.after_ms - jump.before_ms == pytest.approx(-320, abs=30)
    figures = Figures()
    figures.add(plan, judged, speech)
    assert (figures.true_jumps, figures.found_jumps, figures.false_jumps) == (1, 1, 0)
    assert figures.right_seconds == pytest.approx(figures.passing_seconds, abs=0.1)
    assert figures.found_seconds >= 0.9 * figures.true_seconds

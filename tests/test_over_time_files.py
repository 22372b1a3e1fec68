"""A made file through the whole pipeline: the smoke mode of benchmarks/over_time.py, in which the answer is known."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from benchmarks.over_time import smoke_plan
from benchmarks.over_time_figures import Figures
from benchmarks.over_time_files import LEAD_SECONDS, Part, Plan, late_ms_at, make_file
from benchmarks.over_time_measures import measure
from benchmarks.over_time_tracks import Face, Mouths, StoredClip, place_faces
from syncnet.models.lite import LiteFaceEncoder, load_lite
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


@pytest.mark.parametrize("fps", [25.0, 50.0])
def test_stored_mouths_stand_where_the_picture_of_a_made_file_would_show_them(fps: float) -> None:
    clips = {name: StoredClip(np.zeros((150, 64, 64), np.uint8), np.zeros(150 * 640, np.int16)) for name in "ab"}
    a, b = Path("a"), Path("b")
    # The first two parts show one face without a cut. The clip is seen from its frame 8 on, in each of them.
    parts = (Part("stranger", a, b, 2.0), Part("own", a, None, 3.0), Part("silence", None, None, 1.0))
    (face,) = place_faces(Plan("", parts, fps), clips)
    assert (face.clip, face.first_frame, face.end_frame) == (a, 0, 125)
    assert face.places.tolist() == [8 + n for n in (*range(50), *range(75))]
    pair = Part("pair", a, b, 2.0, speaker_left=False)
    speaker, listener = place_faces(Plan("", (parts[2], pair), fps), clips)
    assert (speaker.clip, speaker.left, speaker.first_frame, speaker.places[49]) == (a, False, 25, 8 + 49)
    assert (listener.clip, listener.left, set(listener.places.tolist())) == (b, True, {0})


def test_a_clip_may_be_seen_without_its_ends() -> None:
    clip = StoredClip(np.zeros((150, 64, 64), np.uint8), np.zeros(140 * 640, np.int16))
    assert clip.seconds == pytest.approx(140 / 25 - 2 * LEAD_SECONDS)


def test_features_that_are_put_together_are_those_of_the_whole_clip() -> None:
    model = load_lite("cpu", WeightsPolicy(offline=True))
    mouths = np.random.default_rng(1).integers(0, 256, (40, 64, 64), np.uint8)
    encoder = LiteFaceEncoder(model)
    encoder.push_mouths(mouths)
    stored = Mouths({"a": StoredClip(mouths, np.zeros(40 * 640, np.int16))}, model)
    for _ in range(2):
        features = stored.features(Face(Path("a"), None, 0, np.arange(40)))
        np.testing.assert_allclose(features, encoder.features()[:], atol=1e-4)

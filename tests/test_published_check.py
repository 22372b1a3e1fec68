"""The published network on its own example; and that the check can tell right from wrong."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.registry import load_model
from syncnet.scoring.score import SyncScore
from syncnet.subcommands.published_check import (
    EXAMPLE_FILE,
    PublishedNumbers,
    check_published_example,
    score_as_published,
)
from synthetic.media import Clip, write_clip
from synthetic.weights import write_seeded_syncnet_v2
from weights import WeightsPolicy, examine_weights, find_weights


def score_of(offset: int, distance: float, confidence: float) -> SyncScore:
    return SyncScore(offset, confidence, distance, np.zeros(31))


@pytest.mark.parametrize(("distance", "confidence"), [(5.353, 10.021), (5.348, 10.081)])
def test_both_published_pairs_agree(distance: float, confidence: float) -> None:
    assert PublishedNumbers().agree_with(score_of(3, distance, confidence))


@pytest.mark.parametrize("wrong", [(2, 5.353, 10.021), (3, 5.5, 10.021), (3, 5.353, 9.7)])
def test_other_numbers_do_not(wrong: tuple[int, float, float]) -> None:
    assert not PublishedNumbers().agree_with(score_of(*wrong))


@pytest.mark.slow
def test_other_weights_fail_the_check(tmp_path: Path, test_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_seeded_syncnet_v2(tmp_path / SYNCNET_V2_FILE, test_data)
    crop = av.VideoFrame.from_ndarray(np.full((224, 224, 3), 128, np.uint8), format="bgr24")
    write_clip(
        tmp_path / EXAMPLE_FILE, Clip(seconds=1.2, video_codec="mpeg4", size_px=(224, 224)), draw=lambda _number: crop
    )
    policy = WeightsPolicy(tmp_path, offline=True, allow_unverified=True)
    assert check_published_example(policy) == 1
    told = capsys.readouterr().out
    assert "published            +3         5.353      10.021\n" in told
    assert "They do NOT agree." in told


@pytest.mark.published_weights
def test_the_published_numbers_come_out(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, users_environment: dict[str, str]
) -> None:
    # Where a user's own files are is what matters here, not the empty cache of the other tests.
    for name in ("XDG_CACHE_HOME", "SYNC_FILTER_WEIGHTS"):
        if name in users_environment:
            monkeypatch.setenv(name, users_environment[name])
        else:
            monkeypatch.delenv(name, raising=False)
    policy = WeightsPolicy(offline=True)
    if not find_weights(SYNCNET_V2_FILE, policy):
        pytest.skip("syncnet_v2.model is not here: python -m weights fetch")
    found = find_weights(EXAMPLE_FILE, policy)
    example = found.path if found else request.getfixturevalue("test_data") / "clips" / EXAMPLE_FILE
    assert examine_weights(example).verified
    score = score_as_published(example, load_model("syncnet_v2", "cpu", policy))
    assert PublishedNumbers().agree_with(score), score

"""Real clips that are spoilt in ways that say nothing of their sync, and one way that does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.what_counts import real_recording, score_frames, score_recording
from benchmarks.what_counts_spoilers import PICTURES, Recording, one_word, pauses, voice_over
from detectors.protocol import DetectorSpec
from detectors.registry import resolve_detector
from syncnet.models.lite import LiteModel, load_lite
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds
from syncnet.verdict import Verdict, judge
from training.robustness import Frames, read_source
from weights import WeightsPolicy

pytestmark = pytest.mark.slow

WOMAN = "OpenTalker__video-retalking__face_4.mp4"
OTHER_VOICE = "OpenTalker__video-retalking__face_2.mp4"


@pytest.fixture(scope="module")
def detector(test_data: Path) -> DetectorSpec:
    return resolve_detector("yunet", WeightsPolicy(test_data / "weights", offline=True))


@pytest.fixture(scope="module")
def model() -> LiteModel:
    return load_lite("cpu", WeightsPolicy(offline=True))


@pytest.fixture(scope="module")
def woman(test_data: Path) -> tuple[Frames, np.ndarray]:
    return read_source(test_data / "clips" / WOMAN)


@pytest.fixture(scope="module")
def face(woman: tuple[Frames, np.ndarray], detector: DetectorSpec) -> Recording:
    recording = real_recording(WOMAN, *woman, detector)
    assert recording is not None
    return recording


def scored(recording: Recording, model: LiteModel) -> SyncScore:
    score = score_recording(recording, model)
    assert score is not None and score.evidence is not None
    return score


def verdict_on(score: SyncScore) -> Verdict:
    return judge(score, Thresholds())


@pytest.mark.parametrize("name", list(PICTURES))
def test_edits_and_flashes_leave_the_verdict(
    name: str, woman: tuple[Frames, np.ndarray], model: LiteModel, detector: DetectorSpec
) -> None:
    frames, samples = woman
    verdict = score_frames(PICTURES[name](frames), samples, model, detector)
    assert verdict.passed, verdict.reasons


@pytest.mark.parametrize("share", [0.2, 0.45, 0.7])
def test_pauses_leave_the_verdict(share: float, face: Recording, model: LiteModel) -> None:
    alone = scored(face, model)
    spoilt = scored(pauses(share)(face, np.random.default_rng(1)), model)
    assert verdict_on(spoilt).passed, verdict_on(spoilt).reasons
    assert spoilt.offset_frames == alone.offset_frames
    # With the silence in the level of the sound it was some 2 lower for pauses of 70 %.
    assert spoilt.confidence == pytest.approx(alone.confidence, abs=1.0)
    # The same speech: as much of it, but for the frames at either end of a pause.
    assert spoilt.evidence and alone.evidence
    assert spoilt.evidence.speech_seconds == pytest.approx(alone.evidence.speech_seconds, abs=0.6)


@pytest.mark.parametrize("frames", [26, 29, 34])
def test_a_word_is_weak_evidence_or_too_short(frames: int, face: Recording, model: LiteModel) -> None:
    evidence = scored(one_word(frames)(face, np.random.default_rng(1)), model).evidence
    assert evidence is not None
    assert evidence.level == "weak" or evidence.problem.startswith("too short to say")


def test_a_word_in_silence_is_too_little_speech(face: Recording, model: LiteModel) -> None:
    """Three seconds of the face, of which two are silent."""
    samples = face.samples[: 75 * 640].copy()
    samples[: 32 * 640] = samples[48 * 640 :] = 0
    evidence = scored(Recording(face.name, face.mouths[:75], samples), model).evidence
    assert evidence is not None
    assert (evidence.level, evidence.problem) == (
        "none",
        f"too little speech to tell ({evidence.speech_seconds:.1f} s)",
    )
    assert 0.5 < evidence.speech_seconds < 1.0


def test_another_voice_over_half_of_it_does_not_pass(
    test_data: Path, face: Recording, model: LiteModel, detector: DetectorSpec
) -> None:
    _, stranger = read_source(test_data / "clips" / OTHER_VOICE)
    for seed in range(3):
        score = scored(voice_over(face, stranger, 0.5, np.random.default_rng(seed)), model)
        verdict = verdict_on(score)
        assert not verdict.passed
        assert score.evidence and (score.evidence.level == "none" or 0.3 < score.evidence.unmatched_share < 0.8)
        if score.evidence.level != "none":
            assert "only: no match for" in verdict.reasons[-1]

"""What is told of real clips whose truth is known because it was made: no evidence, a jump, a listener."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from detectors.registry import resolve_detector
from syncnet.media.opening import open_media
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.results import VideoScore, best_score
from syncnet.settings import Thresholds
from syncnet.system.interruption import StopFlag
from syncnet.verdict import judge
from weights import WeightsPolicy

pytestmark = pytest.mark.slow

SPEAKER = "bytedance__LatentSync__demo1_video.mp4"
CLEAR_SPEAKER = "example.avi"
LISTENER = "facebookresearch__VisualVoice__noisy_restaurant.mp4"
HEIGHT_PX = 640
SECONDS = 9


@pytest.fixture(scope="module")
def stages(test_data: Path) -> Stages:
    policy = WeightsPolicy(test_data / "weights", offline=True)
    return Stages(load_model("lite", "cpu", policy), resolve_detector("yunet", policy))


def read(path: Path) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames of 640 lines and samples of the first nine seconds."""
    media = open_media(path, threads=1)
    frames = []
    for frame in media.frames():
        width = round(frame.shape[1] * HEIGHT_PX / frame.shape[0] / 2) * 2
        frames.append(cv2.resize(frame, (width, HEIGHT_PX), interpolation=cv2.INTER_AREA))
        if len(frames) == SECONDS * 25:
            break
    return frames, media.samples[: len(frames) * 640]


@pytest.fixture(scope="module")
def speaker(test_data: Path) -> tuple[list[np.ndarray], np.ndarray]:
    return read(test_data / "clips" / SPEAKER)


def write(path: Path, frames: list[np.ndarray], samples: np.ndarray) -> Path:
    with av.open(path, "w") as container:
        video = container.add_stream("libx264", rate=25, options={"crf": "20", "preset": "veryfast"})
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=16000, layout="mono")
        for frame in frames:
            container.mux(video.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(video.encode())
        sound = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        sound.sample_rate = 16000
        container.mux(audio.encode(sound))
        container.mux(audio.encode())
    return path


def score(path: Path, stages: Stages) -> VideoScore:
    return score_video(path, stages, StopFlag())


def test_noise_is_no_evidence(tmp_path: Path, speaker: tuple[list[np.ndarray], np.ndarray], stages: Stages) -> None:
    frames, samples = speaker
    noise = (np.random.default_rng(1).standard_normal(len(samples)) * 2000).astype(np.int16)
    best = best_score(score(write(tmp_path / "noise.mkv", frames, noise), stages))
    assert best is not None and best.evidence is not None
    assert best.evidence.level == "none"
    (*_, reason) = judge(best, Thresholds(0.0, 15)).reasons
    assert reason.startswith("no evidence of sync (")


def test_a_jump_is_told_with_its_times(tmp_path: Path, test_data: Path, stages: Stages) -> None:
    frames, samples = read(test_data / "clips" / CLEAR_SPEAKER)
    jump, moved = 4.5, 8
    at = int(jump * 16000)
    jumping = np.concatenate([samples[:at], np.zeros(moved * 640, np.int16), samples[at:]])[: len(samples)]
    best = best_score(score(write(tmp_path / "jump.mkv", frames, jumping), stages))
    assert best is not None and best.evidence is not None
    before, after = best.evidence.pieces
    # The sound is later by eight frames from there on.
    assert before.offset_frames - after.offset_frames == pytest.approx(moved, abs=1)
    # Windows of a second around the jump hold both, and reach over the pause in it.
    assert before.end_seconds == pytest.approx(jump, abs=1.4)
    assert after.start_seconds == pytest.approx(jump, abs=1.4)
    assert not judge(best, Thresholds(0.0, 3)).passed


def test_a_listener_does_not_drag_the_speaker_down(
    tmp_path: Path, test_data: Path, speaker: tuple[list[np.ndarray], np.ndarray], stages: Stages
) -> None:
    frames, samples = speaker
    others, _ = read(test_data / "clips" / LISTENER)
    both = [np.hstack([frame, other]) for frame, other in zip(frames, others, strict=False)]
    samples = samples[: len(both) * 640]
    alone = best_score(score(write(tmp_path / "alone.mkv", frames[: len(both)], samples), stages))
    video = score(write(tmp_path / "both.mkv", both, samples), stages)
    best = best_score(video)
    assert alone is not None and best is not None
    assert len(video.tracks) == 2
    assert abs(best.offset_frames - alone.offset_frames) <= 1
    # Encoding a clip once more moves its confidence by 0.4.
    assert best.confidence > alone.confidence - 1.0
    scores = sorted(track.score.confidence for track in video.tracks if track.score)
    assert scores[0] < 3.0 < scores[1]


def test_who_speaks_when(
    tmp_path: Path, test_data: Path, speaker: tuple[list[np.ndarray], np.ndarray], stages: Stages
) -> None:
    # The same face twice: it speaks first on the left, then on the right, and is still where it does not.
    frames, samples = speaker
    half = len(frames) // 2
    left = [*frames[:half], *[frames[half]] * (len(frames) - half)]
    right = [*[frames[half]] * half, *frames[half:]]
    both = [np.hstack(pair) for pair in zip(left, right, strict=True)]
    video = score(write(tmp_path / "turns.mkv", both, samples), stages)
    assert video.conversation is not None
    first, second = video.conversation.turns
    boxes = [video.tracks[turn.track].mean_box for turn in (first, second)]
    assert boxes[0][0] < boxes[1][0]
    assert first.end_seconds == pytest.approx(half / 25, abs=1.0)
    assert second.start_seconds == pytest.approx(half / 25, abs=1.0)
    alone = best_score(score(write(tmp_path / "alone.mkv", frames, samples), stages))
    assert alone is not None
    assert abs(video.conversation.score.offset_frames - alone.offset_frames) <= 1
    singles = [track.score.confidence for track in video.tracks if track.score]
    assert max(singles) < video.conversation.score.confidence

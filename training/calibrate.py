"""Brings the embedded model's raw confidence to the familiar SyncNet scale.

``python -m training.calibrate --corpus DIR`` scores windows of 1.4, 2, 3 and 4 s of the held-out corpus clips in sync
and with another clip's sound, those in which somebody speaks nearly all the time, and writes
weights/lite_calibration.json by seconds of speech: monotone, linear between its points.
Neither these clips nor their speakers are trained on or evaluated on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from syncnet.conventions import FPS
from syncnet.models.lite import LiteFaceEncoder, LiteModel, load_networks
from syncnet.models.lite_calibration import Calibration
from syncnet.models.lite_files import CALIBRATION_FILE
from syncnet.models.lite_network import CONTEXT_FRAMES
from syncnet.scoring.score import SyncScore
from training.corpus import MARGIN, MOUTH_SIZE_PX, Corpus, CorpusClip, add_corpus_flags, load_corpus
from training.judge import TalkingClip, score_windows, wrong_sounds

# Longer ones are too few among the held-out clips; their tracks are judged as those of 4 s.
WINDOW_FRAMES = (35, 50, 75, 100)
# Of a window's lips, those that count by syncnet/scoring/score.py: a window with less speech stands for a shorter one.
LEAST_COUNTED_SHARE = 0.85
# Where the original network's confidences lie: medians of unrelated and of in-sync sound (152 published means
# of real video: median 7.49, 90 % quantile 8.69), and the best that is seen on very clear speech.
FAMILIAR_WRONG_MEDIAN = 1.7
FAMILIAR_IN_SYNC_MEDIAN = 7.5
FAMILIAR_IN_SYNC_90 = 8.7
FAMILIAR_TOP, RAW_TOP = 12.0, 3.0
# The default threshold: of wrong sound few may reach it, and of what does most lands further away than 3 frames.
DEFAULT_THRESHOLD = 5.0
WRONG_BELOW_THRESHOLD = 0.975
# On the way from the median of wrong sound to that of in-sync sound. At 2 s the two overlap so far that the share above
# would shut out half of what is in sync.
THRESHOLD_AT_MOST = 0.7
UNCALIBRATED = Calibration(np.array([1.0, 2.0]), np.array([[0.0, RAW_TOP]] * 2), np.array([0.0, RAW_TOP]))


def load_uncalibrated(weights_path: Path) -> LiteModel:
    """The model with its raw confidence passed on as it is."""
    return LiteModel(load_networks(weights_path), UNCALIBRATED, "uncalibrated", "cpu")


def read_corpus_clip(model: LiteModel, corpus: Corpus, clip: CorpusClip) -> TalkingClip:
    encoder = LiteFaceEncoder(model)
    inner = slice(MARGIN, MARGIN + MOUTH_SIZE_PX)
    mouths = np.ascontiguousarray(corpus.clip_mouths(clip)[:, inner, inner])
    for first in range(0, len(mouths), 64):
        encoder.push_mouths(mouths[first : first + 64])
    return TalkingClip(clip.name, encoder.features(), corpus.clip_samples(clip))


CONFIDENCES = (
    0.0,
    FAMILIAR_WRONG_MEDIAN,
    DEFAULT_THRESHOLD,
    FAMILIAR_IN_SYNC_MEDIAN,
    FAMILIAR_IN_SYNC_90,
    FAMILIAR_TOP,
)


def fit_row(in_sync: np.ndarray, wrong: np.ndarray) -> list[float]:
    """The raw confidence that stands for each of CONFIDENCES, strictly rising."""
    wrong_median, in_sync_median = float(np.median(wrong)), float(np.median(in_sync))
    highest_threshold = wrong_median + THRESHOLD_AT_MOST * (in_sync_median - wrong_median)
    row = [
        0.0,
        wrong_median,
        min(float(np.quantile(wrong, WRONG_BELOW_THRESHOLD)), highest_threshold),
        in_sync_median,
        float(np.quantile(in_sync, 0.9)),
        RAW_TOP,
    ]
    if (np.diff(row) <= 0).any():
        raise SystemExit(f"in-sync and wrong sound are not apart: {row}")
    return [round(value, 4) for value in row]


def score_length(model: LiteModel, clips: Sequence[TalkingClip], window_frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Raw confidences of all windows of a length: in sync, and with the sound of other clips."""
    long_enough = [clip for clip in clips if clip.frame_count >= window_frames]
    in_sync: list[SyncScore] = []
    wrong: list[SyncScore] = []
    for index, clip in enumerate(long_enough):
        in_sync += _score_speech(model, clip, window_frames)
        for sound in wrong_sounds(long_enough, index):
            wrong += _score_speech(model, clip, window_frames, sound)
    for name, scores in (("in sync", in_sync), ("wrong sound", wrong)):
        quantiles = np.quantile([score.confidence for score in scores], [0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97])
        print(f"{window_frames} frames, {name}: {len(scores)} windows, raw 3..97 %: {np.round(quantiles, 3)}")
    return np.array([score.confidence for score in in_sync]), np.array([score.confidence for score in wrong])


def _score_speech(
    model: LiteModel, clip: TalkingClip, window_frames: int, samples: np.ndarray | None = None
) -> list[SyncScore]:
    """Of the windows that are nearly all speech."""
    scores = score_windows(model, clip, window_frames, samples)
    least_seconds = LEAST_COUNTED_SHARE * lip_seconds(window_frames)
    return [score for score in scores if score.evidence and score.evidence.speech_seconds >= least_seconds]


def lip_seconds(window_frames: int) -> float:
    """Of the lips that have an embedding."""
    return (window_frames - CONTEXT_FRAMES + 1) / FPS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_corpus_flags(parser)
    parser.add_argument("--weights", type=Path, default=Path("weights/lite.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("weights") / CALIBRATION_FILE)
    options = parser.parse_args()
    corpus = load_corpus(options.corpus, options.cache)
    model = load_uncalibrated(options.weights)
    clips = [
        read_corpus_clip(model, corpus, clip) for clip in corpus.clips if clip.held_out and clip.frame_count >= 2 * FPS
    ]
    rows = [fit_row(*score_length(model, clips, frames)) for frames in WINDOW_FRAMES]
    lengths = [lip_seconds(frames) for frames in WINDOW_FRAMES]
    table = {"speech_seconds": lengths, "raw": rows, "confidence": CONFIDENCES}
    options.out.write_text(json.dumps(table, indent=1) + "\n")
    print(json.dumps(table))


if __name__ == "__main__":
    main()

"""Brings the embedded model's raw confidence to the familiar SyncNet scale.

``python -m training.calibrate --corpus DIR`` scores 4 s windows of the held-out corpus clips in sync and with
another clip's sound, and writes weights/lite_calibration.json: a monotone table, linear between its points.
Neither these clips nor their speakers are trained on or evaluated on.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.torch import load_file

from syncnet.models.lite import CALIBRATION_FILE, LiteFaceEncoder, LiteModel
from syncnet.models.lite_network import LiteNetwork
from training.corpus import MARGIN, MOUTH_SIZE_PX, Corpus, CorpusClip, load_corpus
from training.judge import TalkingClip, score_windows, wrong_sounds

WINDOW_FRAMES = 100
# Where the original network's confidences lie: medians of unrelated and of in-sync sound (152 published means
# of real video: median 7.49, 90 % quantile 8.69), and the best that is seen on very clear speech.
FAMILIAR_WRONG_MEDIAN = 1.7
FAMILIAR_IN_SYNC_MEDIAN = 7.5
FAMILIAR_IN_SYNC_90 = 8.7
FAMILIAR_TOP = 12.0
# The default threshold: of wrong sound that lands within 3 frames by chance, few may reach it.
DEFAULT_THRESHOLD = 5.0
WRONG_BELOW_THRESHOLD = 0.975
UNCALIBRATED = (np.array([0.0, 1.0]), np.array([0.0, 1.0]))


def load_uncalibrated(weights_path: Path) -> LiteModel:
    """The model with its raw confidence passed on as it is."""
    network = LiteNetwork()
    network.load_state_dict(load_file(weights_path))
    return LiteModel(network, UNCALIBRATED, "uncalibrated", "cpu")


def read_corpus_clip(model: LiteModel, corpus: Corpus, clip: CorpusClip) -> TalkingClip:
    encoder = LiteFaceEncoder(model)
    inner = slice(MARGIN, MARGIN + MOUTH_SIZE_PX)
    mouths = np.ascontiguousarray(corpus.clip_mouths(clip)[:, inner, inner])
    for first in range(0, len(mouths), 64):
        encoder.push_mouths(mouths[first : first + 64])
    return TalkingClip(clip.name, encoder.features(), corpus.clip_samples(clip))


def fit_table(in_sync: np.ndarray, wrong: np.ndarray) -> dict[str, list[float]]:
    """Points (raw, confidence), strictly rising in both."""
    middle = float(np.quantile(wrong, WRONG_BELOW_THRESHOLD))
    points = [
        (0.0, 0.0),
        (float(np.median(wrong)), FAMILIAR_WRONG_MEDIAN),
        (middle, DEFAULT_THRESHOLD),
        (float(np.median(in_sync)), FAMILIAR_IN_SYNC_MEDIAN),
        (float(np.quantile(in_sync, 0.9)), FAMILIAR_IN_SYNC_90),
        (1.5, FAMILIAR_TOP),
    ]
    raw, confidence = (np.array(column) for column in zip(*points, strict=True))
    if (np.diff(raw) <= 0).any():
        raise SystemExit(f"in-sync and wrong sound are not apart: {points}")
    return {"raw": [round(float(value), 4) for value in raw], "confidence": confidence.tolist()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))
    parser.add_argument("--weights", type=Path, default=Path("weights/lite.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("weights") / CALIBRATION_FILE)
    options = parser.parse_args()
    corpus = load_corpus(options.corpus, options.cache)
    model = load_uncalibrated(options.weights)
    clips = [
        read_corpus_clip(model, corpus, clip)
        for clip in corpus.clips
        if clip.held_out and clip.frame_count >= WINDOW_FRAMES
    ]
    in_sync, wrong, near = [], [], []
    for index, clip in enumerate(clips):
        in_sync += [score.confidence for score in score_windows(model, clip, WINDOW_FRAMES)]
        for sound in wrong_sounds(clips, index):
            scores = score_windows(model, clip, WINDOW_FRAMES, sound)
            wrong += [score.confidence for score in scores]
            near += [abs(score.offset_frames) <= 3 for score in scores]
    table = fit_table(np.array(in_sync), np.array(wrong))
    table["in_sync_windows"], table["wrong_windows"] = len(in_sync), len(wrong)  # type: ignore[assignment]
    options.out.write_text(json.dumps(table, indent=1) + "\n")
    for name, values in (("in sync", in_sync), ("wrong sound", wrong)):
        quantiles = np.quantile(values, [0.03, 0.1, 0.25, 0.5, 0.75, 0.9, 0.97])
        print(f"{name}: {len(values)} windows, raw quantiles 3..97 %: {np.round(quantiles, 3)}")
    print(f"wrong sound within 3 frames: {np.mean(near):.3f}")
    print(json.dumps(table))


if __name__ == "__main__":
    main()

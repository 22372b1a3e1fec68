"""How likely a score is right: ``python -m training.odds --corpus DIR`` fits it, prints how well, and stores it.

Windows of 1.4 to 8 s of the held-out corpus clips, each scored as if it were a video of its own, with their own sound
and with that of other clips; all lengths and both kinds of sound count alike. Two logistic regressions on the signs of
syncnet/scoring/signs.py give ``p_in_sync`` and ``p_belongs``; their coefficients join weights/lite_calibration.json.
The figures are of each source by coefficients that were fitted without it.
"""

from __future__ import annotations

import argparse
import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.models.odds import SIGN_COUNT
from syncnet.scoring.score import SyncScore
from syncnet.scoring.signs import signs_of
from training.corpus import add_corpus_flags, load_corpus
from training.figures import held_out_clips, scored_windows
from training.judge import TalkingClip, wrong_sounds

WINDOW_FRAMES = (35, 50, 75, 100, 150, 200)
WRONG_SOUNDS, WRONG_WINDOWS = 8, 2
"""Other clips for each clip, and windows with the sound of each."""
PENALTY = 1e-3
"""On the squares of the coefficients of standardised signs: it only keeps them finite."""
BINS = 10


@dataclass(frozen=True)
class ScoredWindow:
    source: str
    frames: int
    signs: np.ndarray
    belongs: bool
    in_sync: bool
    """Belongs, and has the offset of the whole clip within a frame."""


def score_all(model: LiteModel, clips: Sequence[TalkingClip], sources: dict[str, str]) -> list[ScoredWindow]:
    found = []
    for index, clip in enumerate(clips):
        truth = next(scored_windows(model, clip, clip.frame_count)).offset_frames
        for frames in WINDOW_FRAMES:
            for score in scored_windows(model, clip, frames):
                right = abs(score.offset_frames - truth) <= 1
                found.append(ScoredWindow(sources[clip.name], frames, _signs(score), True, right))
            for sound in wrong_sounds(clips, index, WRONG_SOUNDS):
                wrong = itertools.islice(scored_windows(model, clip, frames, sound), WRONG_WINDOWS)
                found += [ScoredWindow(sources[clip.name], frames, _signs(score), False, False) for score in wrong]
    return found


def _signs(score: SyncScore) -> np.ndarray:
    assert score.evidence is not None
    return signs_of(score.offset_frames, score.confidence, score.curve, score.evidence)


def weights_of(windows: Sequence[ScoredWindow]) -> np.ndarray:
    """(N,), sum 1: each length, and of it right and wrong sound, weighs the same."""
    kinds = [(window.frames, window.belongs) for window in windows]
    counts = {kind: kinds.count(kind) for kind in set(kinds)}
    return np.array([1 / counts[kind] / len(counts) for kind in kinds])


def fit(signs: np.ndarray, right: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """(1 + SIGN_COUNT,) coefficients of a logistic regression of ``right`` (N,) bool on ``signs`` (N, SIGN_COUNT)."""
    middle, spread = signs.mean(axis=0), signs.std(axis=0)
    inputs = np.column_stack([np.ones(len(signs)), (signs - middle) / spread])
    weight = weight / weight.sum()

    def loss(coefficients: np.ndarray) -> tuple[float, np.ndarray]:
        logits = inputs @ coefficients
        slope = inputs.T @ (weight * (1 / (1 + np.exp(-logits)) - right))
        slope[1:] += 2 * PENALTY * coefficients[1:]
        value = float(weight @ (np.logaddexp(0, logits) - right * logits))
        return value + PENALTY * float((coefficients[1:] ** 2).sum()), slope

    standardised = minimize(loss, np.zeros(1 + SIGN_COUNT), jac=True).x
    plain = standardised[1:] / spread
    return np.array([standardised[0] - plain @ middle, *plain])


def apart(signs: np.ndarray, right: np.ndarray, weight: np.ndarray, sources: np.ndarray) -> np.ndarray:
    """(N,) probabilities, of each source by coefficients that were fitted to all others."""
    found = np.zeros(len(right))
    for source in np.unique(sources):
        own = sources == source
        coefficients = fit(signs[~own], right[~own], weight[~own])
        found[own] = 1 / (1 + np.exp(-(coefficients[0] + signs[own] @ coefficients[1:])))
    return found


def reliability(said: np.ndarray, right: np.ndarray, weight: np.ndarray) -> tuple[float, list[list[float]]]:
    """The expected calibration error, and for each tenth of what was said: its mean, the share that is right, windows.

    Source: Naeini, Cooper and Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015.
    """
    place = np.minimum((said * BINS).astype(int), BINS - 1)
    rows, error = [], 0.0
    for own in (place == number for number in range(BINS)):
        if own.any():
            mean, share = (float(np.average(values[own], weights=weight[own])) for values in (said, right))
            error += float(weight[own].sum() / weight.sum()) * abs(mean - share)
            rows.append([round(mean, 3), round(share, 3), int(own.sum())])
    return error, rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_corpus_flags(parser)
    parser.add_argument("--weights", type=Path, default=Path("weights") / WEIGHTS_FILE)
    parser.add_argument("--calibration", type=Path, default=Path("weights") / CALIBRATION_FILE)
    options = parser.parse_args()
    model = read_lite(options.weights, options.calibration, "cpu")
    clips = held_out_clips(model, options.corpus, options.cache)
    sources = {clip.name: clip.source for clip in load_corpus(options.corpus, options.cache).clips}
    windows = score_all(model, clips, sources)
    signs, weight = np.array([window.signs for window in windows]), weights_of(windows)
    groups = np.array([window.source for window in windows])
    table = {}
    for name in ("in_sync", "belongs"):
        right = np.array([getattr(window, name) for window in windows])
        error, rows = reliability(apart(signs, right, weight, groups), right, weight)
        print(json.dumps({"p": name, "windows": len(windows), "sources": len(set(groups)), "error": round(error, 4)}))
        for row in rows:
            print(json.dumps(dict(zip(("said", "right", "windows"), row, strict=True))))
        table[name] = [round(float(value), 4) for value in fit(signs, right, weight)]
    stored = json.loads(options.calibration.read_text())
    options.calibration.write_text(json.dumps({**stored, "odds": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()

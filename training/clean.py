"""Finds labels of the corpus that are wrong: ``python -m training.clean --corpus DIR`` writes training/cleaning.tsv.

Every clip is scored as a whole by a model that was trained before. Clips that show no agreement between lips and
sound are dropped; those that agree sharply at another shift have their sound moved to it. A source whose clips come
out at one constant is corrected by that constant, so that it does not pull the zero point of the next model.
"""

from __future__ import annotations

import argparse
import csv
import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from syncnet.conventions import MAX_SHIFT_FRAMES
from syncnet.models.lite import load_networks
from syncnet.models.lite_network import CONTEXT_FRAMES
from training.corpus import CLEANING, Corpus, CorpusClip, add_corpus_flags, load_corpus
from training.validate import embed_clip, mean_curve, pair_scores, raw_confidence

SHARP = 0.15
"""Raw confidence that another clip's sound reaches in a few of a hundred 4 s windows only."""
NO_AGREEMENT = 0.08
"""Raw confidence of half the windows with another clip's sound."""
LARGEST_CORRECTION_FRAMES = 3
"""A clip further off was rather misread, and is dropped, unless it agrees as sharply as hardly any wrong sound does:"""
SURE = 0.2
FEWEST_SHARP_CLIPS = 5
"""That a source needs for a constant of its own."""


@dataclass(frozen=True)
class Reading:
    """What the earlier model says of one clip as a whole."""

    clip: CorpusClip
    offset_frames: int
    """Positive: the sound is early, and is to be delayed."""
    raw_confidence: float


def read_clips(model_path: Path, corpus: Corpus) -> list[Reading]:
    network = load_networks(model_path)[0]
    readings = []
    for clip in corpus.clips:
        if clip.frame_count < CONTEXT_FRAMES + MAX_SHIFT_FRAMES or clip.held_out:
            continue
        curve = mean_curve(pair_scores(*embed_clip(network, corpus, clip)))
        readings.append(Reading(clip, MAX_SHIFT_FRAMES - int(curve.argmax()), raw_confidence(curve)))
    return readings


def corrections(readings: Sequence[Reading]) -> dict[str, int | None]:
    """For each clip whose label is changed: frames by which its sound is early, or None for a clip to drop."""
    by_source: dict[str, list[Reading]] = defaultdict(list)
    for reading in readings:
        by_source[reading.clip.source].append(reading)
    changed: dict[str, int | None] = {}
    for members in by_source.values():
        sharp = [reading.offset_frames for reading in members if reading.raw_confidence > SHARP]
        constant = round(statistics.median(sharp)) if len(sharp) >= FEWEST_SHARP_CLIPS else 0
        for reading in members:
            verdict = _correction(reading, constant)
            if verdict != 0:
                changed[reading.clip.name] = verdict
    return changed


def _correction(reading: Reading, constant: int) -> int | None:
    if reading.raw_confidence < NO_AGREEMENT:
        return None
    if abs(reading.offset_frames) > LARGEST_CORRECTION_FRAMES and reading.raw_confidence < SURE:
        return None
    # One frame is within what a reading is good for; more is not, where it is sharp.
    if reading.raw_confidence > SHARP and abs(reading.offset_frames - constant) > 1:
        return reading.offset_frames
    return constant


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_corpus_flags(parser)
    parser.add_argument("--weights", type=Path, default=Path("weights/lite.safetensors"))
    parser.add_argument("--out", type=Path, default=CLEANING)
    options = parser.parse_args()
    torch.set_num_threads(1)
    np.seterr(all="raise")
    changed = corrections(read_clips(options.weights, load_corpus(options.corpus, options.cache)))
    with options.out.open("w", newline="") as stream:
        table = csv.writer(stream, delimiter="\t", lineterminator="\n")
        table.writerow(("file", "sound_early_frames"))
        table.writerows((name, "drop" if frames is None else frames) for name, frames in sorted(changed.items()))
    dropped = sum(frames is None for frames in changed.values())
    print(f"{dropped} clips dropped, {len(changed) - dropped} moved")


if __name__ == "__main__":
    main()

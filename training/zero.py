"""Fits the embedded model's zero: by how much it reads sound as early that is in sync.

``python -m training.zero --corpus DIR`` reads studio recordings, where microphone and camera were one set-up: three
copies of GRID that different people made, of which one has speakers that are not trained on. Each copy's mean of the
fine offsets counts once, and the mean of these goes into weights/lite_calibration.json (``zero_ms``). Run after
training.calibrate, before training.register.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.scoring.score import SHIFT_COUNT
from syncnet.scoring.timing import MS_PER_FRAME, parabola_offsets
from training.calibrate import read_corpus_clip
from training.corpus import CorpusClip, add_corpus_flags, load_corpus
from training.judge import TalkingClip, score_clip

STUDIO_SOURCES = ("rizkiarm/LipNet", "TVR28/LipNet", "SAGAR0097/LIP-READING-USING-DEEP-LEARNING-")
LEAST_CONFIDENCE = 5.0
"""Of a clip whose offset counts: the default threshold."""


def fine_offsets(model: LiteModel, clips: Sequence[TalkingClip]) -> np.ndarray:
    """Offsets in milliseconds of the clips that are surely read."""
    scores = [score_clip(model, clip) for clip in clips]
    curves = [score.curve for score in scores if score and score.confidence >= LEAST_CONFIDENCE]
    return parabola_offsets(np.array(curves).reshape(-1, SHIFT_COUNT)) * MS_PER_FRAME


def describe(offsets: np.ndarray) -> str:
    error = offsets.std(ddof=1) / np.sqrt(len(offsets))
    return (
        f"{offsets.mean():+.1f} ms, standard error {error:.1f}, {len(offsets)} clips, spread {offsets.std(ddof=1):.1f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_corpus_flags(parser)
    parser.add_argument("--weights", type=Path, default=Path("weights") / WEIGHTS_FILE)
    parser.add_argument("--calibration", type=Path, default=Path("weights") / CALIBRATION_FILE)
    parser.add_argument("--only_read", action="store_true", help="print the means by source, write nothing")
    options = parser.parse_args()
    model = read_lite(options.weights, options.calibration, "cpu")
    corpus = load_corpus(options.corpus, options.cache)
    by_source: dict[str, list[CorpusClip]] = {}
    for clip in corpus.clips:
        if clip.source in STUDIO_SOURCES or options.only_read:
            by_source.setdefault(clip.source, []).append(clip)
    means = []
    for source, clips in sorted(by_source.items()):
        offsets = fine_offsets(model, [read_corpus_clip(model, corpus, clip) for clip in clips])
        if source in STUDIO_SOURCES:
            means.append(float(offsets.mean()))
        if len(offsets) > 1:
            print(f"{source:44} {'held out' if clips[0].held_out else 'trained on':10} {describe(offsets)}")
    print(f"studio recordings, copy by copy: {describe(np.array(means))}".replace("clips", "copies"))
    if options.only_read:
        return
    table = json.loads(options.calibration.read_text())
    table["zero_ms"] = round(table.get("zero_ms", 0.0) + float(np.mean(means)), 1)
    options.calibration.write_text(json.dumps(table, indent=1) + "\n")
    print(f"zero_ms {table['zero_ms']}")


if __name__ == "__main__":
    main()

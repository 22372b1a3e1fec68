"""An audit of the border: are the clips nearest to the default threshold judged rightly?

    python -m training.border --corpus DIR

Windows of 2, 3, 4 and 8 s of the held-out clips of training/figures.py with their own sound, and as many with the sound
of another clip. Of those that pass and of those that do not, the hundred whose confidence is nearest to the threshold.
Rightly judged: passes with its own sound and the clip's offset within a frame, or does not pass with another's.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.settings import Thresholds
from syncnet.verdict import judge
from training.corpus import add_corpus_flags
from training.figures import held_out_clips, scored_windows, share_of
from training.judge import TalkingClip, wrong_sounds

WINDOW_FRAMES = (50, 75, 100, 200)
AUDITED = 100


@dataclass(frozen=True)
class Judged:
    confidence: float
    passes: bool
    own: bool
    """With its own sound."""
    right: bool


def judge_windows(model: LiteModel, clips: Sequence[TalkingClip]) -> list[Judged]:
    """As many windows with their own sound as with another's, for each clip and length."""
    found = []
    for index, clip in enumerate(clips):
        truth = next(scored_windows(model, clip, clip.frame_count)).offset_frames
        for frames in (frames for frames in WINDOW_FRAMES if frames <= clip.frame_count):
            own = list(scored_windows(model, clip, frames))
            others = (scored_windows(model, clip, frames, sound) for sound in wrong_sounds(clips, index, len(own)))
            wrong = [score for other in others for score in itertools.islice(other, 1)]
            for score, is_own in [*((score, True) for score in own), *((score, False) for score in wrong)]:
                passes = judge(score, Thresholds()).passed
                right = passes and abs(score.offset_frames - truth) <= 1 if is_own else not passes
                found.append(Judged(score.confidence, passes, is_own, right))
    return found


def nearest(windows: Sequence[Judged], passes: bool, threshold: float) -> list[Judged]:
    """The AUDITED windows with that verdict whose confidence is nearest to the threshold."""
    side = [window for window in windows if window.passes is passes]
    return sorted(side, key=lambda window: abs(window.confidence - threshold))[:AUDITED]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_corpus_flags(parser)
    options = parser.parse_args()
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    windows = judge_windows(model, held_out_clips(model, options.corpus, options.cache))
    print("| side | confidence | with their own sound | rightly judged |\n|---|---|---:|---|")
    for passes, name in ((True, "pass"), (False, "do not pass")):
        audited = nearest(windows, passes, Thresholds().min_confidence)
        share = share_of([window.right for window in audited])
        low, high = share["interval"]  # type: ignore[misc]
        spread = [window.confidence for window in audited]
        cells = f"{min(spread):.2f} .. {max(spread):.2f} | {sum(window.own for window in audited)}"
        print(f"| {name} | {cells} | {share['share']:.1%} of {share['of']} ({100 * low:.0f} .. {100 * high:.0f}) |")


if __name__ == "__main__":
    main()

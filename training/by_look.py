"""How well the embedded model reads women and men, some languages, and faces that are turned, with glasses and so on.

    python -m training.by_look --corpus DIR --clips DIR --weights_dir DIR_WITH_YUNET

The held-out clips of the corpus and the real clips of training/figures.py, in windows of 4 s, by what
training/looks.tsv says of them. It was filled in by looking at three frames of each clip, before any score was sorted
by it.
``turned``: three-quarter view or further. ``beard``: on lip or chin, stubble not counted. ``woman`` and ``man``: as the
face appears; left empty where it does not tell, and for the real clips. Languages: as the page that a clip is from
names its file; of most clips it is not known.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.settings import Thresholds
from syncnet.verdict import judge
from training.corpus import add_corpus_flags
from training.figures import held_out_clips, real_clips, scored_windows, share_of
from training.judge import TalkingClip

LOOKS_FILE = Path(__file__).with_name("looks.tsv")
LOOKS = "turned", "glasses", "beard", "dim"
PERSONS = "woman", "man"
LANGUAGES = "arabic", "chinese", "english", "hindi", "korean", "polish", "portuguese", "thai"
WINDOW_FRAMES = 100
NONE = "none of these"

Outcome = tuple[bool, bool]
"""Of a window: whether its offset is within a frame of the whole clip's, and whether it is kept."""


def read_looks() -> dict[str, set[str]]:
    """By file, of those that have any."""
    with LOOKS_FILE.open(newline="") as table:
        return {row["file"]: set(row["looks"].split()) for row in csv.DictReader(table, delimiter="\t")}


def outcomes_of(model: LiteModel, clip: TalkingClip) -> list[Outcome]:
    whole = next(scored_windows(model, clip, clip.frame_count))
    return [
        (abs(score.offset_frames - whole.offset_frames) <= 1, judge(score, Thresholds()).passed)
        for score in scored_windows(model, clip, WINDOW_FRAMES)
    ]


def by_look(outcomes: dict[str, list[Outcome]], looks: dict[str, set[str]]) -> dict[str, list[list[Outcome]]]:
    """For each look the outcomes of each clip that has it; a clip may have several."""
    groups: dict[str, list[list[Outcome]]] = {look: [] for look in (*LOOKS, NONE, *PERSONS, *LANGUAGES)}
    for name, windows in outcomes.items():
        own = looks.get(name, set())
        for look in own if own.intersection(LOOKS) else {NONE, *own}:
            groups[look].append(windows)
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_corpus_flags(parser)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path, help="folder of YuNet's file")
    options = parser.parse_args()
    model = read_lite(Path("weights") / WEIGHTS_FILE, Path("weights") / CALIBRATION_FILE, "cpu")
    clips = held_out_clips(model, options.corpus, options.cache)
    clips += real_clips(model, options.clips, "yunet", options.weights_dir)
    outcomes = {clip.name: outcomes_of(model, clip) for clip in clips if clip.frame_count >= WINDOW_FRAMES}
    print("| look | clips | offset within a frame | kept |\n|---|---:|---|---|")
    for look, of_clips in by_look(outcomes, read_looks()).items():
        windows = [window for clip in of_clips for window in clip]
        found, kept = ([window[k] for window in windows] for k in (0, 1))
        print(f"| {look} | {len(of_clips)} | {_share(found)} | {_share(kept)} |")


def _share(outcomes: Sequence[bool]) -> str:
    share = share_of(outcomes)
    low, high = share["interval"]  # type: ignore[misc]
    return f"{share['share']:.1%} of {share['of']} ({low:.0%} .. {high:.0%})"


if __name__ == "__main__":
    main()

"""Whether the ranges that are told of long files are those that are good, and whether jumps and drifts are found.

    python -m benchmarks.over_time --clips CLIPS --weights_dir WEIGHTS            # clips that the stages were tuned on
    python -m benchmarks.over_time --corpus CORPUS --weights_dir WEIGHTS          # clips that nothing was tuned on
    python -m benchmarks.over_time --smoke                                        # one small file of samples/

Long files are made of clips in sync (benchmarks/over_time_files.py), encoded, scored as the command scores them and
judged at the default thresholds. Of the corpus, the held-out clips of 4 s and more are taken. Clips have offsets of
their own, so each is scored by itself first, and its sound is brought into sync by what was found; clips in which
nothing passes by itself are left out, since their answer is not known, unless ``--all`` is given.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.over_time_figures import Figures
from benchmarks.over_time_files import Part, Plan, make_file, usable_seconds
from benchmarks.over_time_plans import make_plans
from syncnet.overtime.judging import JudgedOverTime, judge_over_time
from syncnet.scorer import SyncScorer
from syncnet.settings import OverTimeSettings, ScorerSettings, Thresholds, TrackSettings, WeightsPolicy
from syncnet.system.interruption import StopFlag
from training.corpus import HELD_OUT_SOURCES, read_cleaning
from training.evaluate import IN_SYNC_CLIPS
from training.figures import EXCLUDED_SOURCES

LEAST_SECONDS = 4.0
NEAR_END_SECONDS = 0.6
SMOKE_LATE_MS, SMOKE_EARLY_MS = 320.0, 40.0
"""The model reads the sample's sound a frame early."""


def corpus_clips(corpus_dir: Path) -> Iterator[Path]:
    """Real speakers that the model was never trained on."""
    cleaning = read_cleaning()
    for line in (corpus_dir / "CORPUS.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        name, source, *_ = line.split("\t")
        # Clips whose own sound is early, late or wrong have no known answer.
        if source in HELD_OUT_SOURCES and source not in EXCLUDED_SOURCES and name not in cleaning:
            path = corpus_dir / name
            if usable_seconds(path) >= LEAST_SECONDS:
                yield path


def measure(path: Path, scorer: SyncScorer) -> tuple[JudgedOverTime, np.ndarray]:
    """The time line of a file at the default thresholds, and in which frames somebody speaks."""
    score = scorer.measure(path, StopFlag())
    if score.over_time is None or score.keepsake is None:
        raise ValueError(f"{path} has no time line")
    return judge_over_time(score.over_time, Thresholds(), OverTimeSettings()), score.keepsake.speech


def own_early_ms(clip: Path, scorer: SyncScorer) -> float | None:
    """By how much the sound of a clip is early, by its longest passing segment; None where it has none."""
    passing = [one.segment for one in measure(clip, scorer)[0].segments if one.passes]
    longest = max(passing, key=lambda segment: segment.seconds, default=None)
    return longest.timing.milliseconds if longest and longest.timing else None


def run_plan(plan: Plan, scorer: SyncScorer, figures: Figures, kept: Path | None) -> None:
    """Makes, scores and counts one file, and prints a line. ``kept``: where made files stay, and are found again."""
    with tempfile.TemporaryDirectory() as folder:
        path = (kept or Path(folder)) / f"{plan.name.replace(' ', '_')}.mp4"
        if not path.exists():
            make_file(plan, path)
        judged, speech = measure(path, scorer)
    own = Figures()
    for one in (own, figures):
        one.add(plan, judged, speech)
    along = judged.over_time.along
    reach = own.found_seconds / own.true_seconds if own.true_seconds else math.nan
    right = own.right_seconds / own.passing_seconds if own.passing_seconds else math.nan
    rate = f", drift {along.drift.ms_per_minute if along.drift else None} for {-60_000 * plan.drift:.1f}"
    print(
        f"{plan.name}, {plan.seconds:.0f} s, {plan.fps:.2f} fps: reach {reach:.3f}, right {right:.3f}, jumps "
        f"{own.found_jumps}/{own.true_jumps} (+{own.false_jumps}), {along.kind}{rate if plan.drift else ''}"
        + _told(own),
        flush=True,
    )


def _told(own: Figures) -> str:
    return "".join(f"\n    missed {words}" for words in own.missed)


def format_table(figures: Figures) -> str:
    ends = np.array(figures.ends)
    found = [(true, told) for true, told in figures.drifts if math.isfinite(told)]
    near = [abs(told - true) <= 0.1 * abs(true) for true, told in found]
    rows = [
        ("seconds in sync that are in passing segments", figures.found_seconds, figures.true_seconds),
        ("seconds in passing segments that are in sync", figures.right_seconds, figures.passing_seconds),
        (f"ends within {NEAR_END_SECONDS} s", float((ends <= NEAR_END_SECONDS).sum()), float(len(ends))),
        ("jumps of 3 frames and more found within a second", figures.found_jumps, figures.true_jumps),
        ("jumps told that there are not", figures.false_jumps, figures.false_jumps + figures.found_jumps),
        ("drifts found", len(found), len(figures.drifts)),
        ("drifts within 10 % of their rate", sum(near), len(figures.drifts)),
        ("files without jump or drift of which one is told", figures.false_files, figures.files_without),
    ]
    lines = ["| what | share | of |", "|---|---:|---:|"]
    lines += [
        f"| {what} | {part / whole:.1%} | {whole:.0f} |" if whole else f"| {what} | | 0 |" for what, part, whole in rows
    ]
    return "\n".join(lines)


def smoke_plan(samples_dir: Path) -> Plan:
    """One face, in sync and then late, with nobody between."""
    clip = samples_dir / "in_sync.mp4"
    early = Part("own", clip, None, 4.5)
    late = Part("own", clip, None, 4.5, SMOKE_LATE_MS)
    return Plan("smoke", (early, Part("silence", None, None, 1.5), late), own_early_ms=((clip, SMOKE_EARLY_MS),))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--weights_dir", type=Path, help="where YuNet's file lies")
    parser.add_argument("--all", action="store_true", help="also clips in which nothing passes by itself")
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first of them to make")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--keep", type=Path, help="folder in which the made files stay, for another run")
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    options = parser.parse_args()
    detector = "yunet" if options.weights_dir else "auto"
    policy = WeightsPolicy(options.weights_dir, offline=True)
    scorer = SyncScorer(ScorerSettings(tracks=TrackSettings(40), model="lite", detector=detector, weights=policy))
    clips: Sequence[Path] = ()
    if options.clips:
        clips = [options.clips / name for name in IN_SYNC_CLIPS]
    elif options.corpus:
        clips = list(corpus_clips(options.corpus))
    early = {clip: own_early_ms(clip, scorer) for clip in clips}
    known = {clip: 0.0 if ms is None else ms for clip, ms in early.items() if options.all or ms is not None}
    print(f"{len(known)} of {len(clips)} clips", flush=True)
    made = make_plans(known, options.files, options.seconds, options.seed)
    plans = [smoke_plan(Path("samples"))] if options.smoke else made
    figures = Figures()
    for number, plan in enumerate(plans):
        if number >= options.first:
            run_plan(plan, scorer, figures, options.keep)
    print(format_table(figures))
    if options.out:
        options.out.write_text(json.dumps(asdict(figures), indent=1) + "\n")


if __name__ == "__main__":
    main()

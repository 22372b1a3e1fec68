"""Whether the ranges that are told of long files are those that are good, and whether jumps and drifts are found.

    python -m benchmarks.over_time --clips CLIPS --weights_dir WEIGHTS            # clips that the stages were tuned on
    python -m benchmarks.over_time --corpus CORPUS --weights_dir WEIGHTS          # clips that nothing was tuned on
    python -m benchmarks.over_time --corpus CORPUS --cache CACHE --without_pictures   # many files, in minutes
    python -m benchmarks.over_time --smoke                                        # one small file of samples/

Long files are made of clips in sync (benchmarks/over_time_files.py), encoded, scored as the command scores them and
judged at the default thresholds. Of the corpus, the held-out clips of 4 s and more are taken. Clips have offsets of
their own, so each is scored by itself first, and its sound is brought into sync by what was found; clips in which
nothing passes by itself are left out, since their answer is not known, unless ``--all`` is given.

``--without_pictures`` (benchmarks/over_time_tracks.py) measures what comes after the face crop: the mouths are those of
the corpus, so nothing is encoded, decoded or detected. ``--half 0`` and ``--half 1`` are different clips: tune on one.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.over_time_figures import Figures
from benchmarks.over_time_files import Part, Plan
from benchmarks.over_time_measures import (
    Measure,
    WithoutPictures,
    WithPictures,
    corpus_clips,
    known_clips,
    read_known,
    write_known,
)
from benchmarks.over_time_plans import KINDS, example_plans, make_plans
from benchmarks.over_time_tracks import TRACKS
from syncnet.models.lite import read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.overtime.words import describe_changes, describe_share
from syncnet.scorer import SyncScorer
from syncnet.settings import ScorerSettings, Thresholds, WeightsPolicy
from training.corpus import load_corpus
from training.evaluate import IN_SYNC_CLIPS

LEAST_SECONDS = 4.0
NEAR_END_SECONDS = 0.6
SMOKE_LATE_MS, SMOKE_EARLY_MS = 320.0, 40.0
"""The model reads the sample's sound a frame early."""


def run_plan(plan: Plan, by: Measure, figures: Figures) -> None:
    """Scores and counts one file, and prints a line."""
    judged, speech = by.plan(plan)
    own = Figures()
    for one in (own, figures):
        one.add(plan, judged, speech)
    along = judged.over_time.along
    reasons = describe_changes(along, Thresholds().allow)
    reach = own.found_seconds / own.true_seconds if own.true_seconds else math.nan
    right = own.right_seconds / own.passing_seconds if own.passing_seconds else math.nan
    rate = f", drift {along.drift.ms_per_minute if along.drift else None} for {-60_000 * plan.drift:.1f}"
    print(
        f"{plan.name}, {plan.seconds:.0f} s, {plan.fps:.2f} fps: reach {reach:.3f}, right {right:.3f}, jumps "
        f"{own.found_jumps}/{own.true_jumps} (+{own.false_jumps}), {along.kind}{rate if plan.drift else ''}"
        + _told(own)
        + f"\n    {describe_share(judged.in_sync_seconds, plan.seconds)}: {'; '.join(reasons) or 'nothing changes'}",
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


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--weights_dir", type=Path, help="where YuNet's file lies")
    parser.add_argument("--without_pictures", action="store_true", help="with --corpus: from its stored mouths")
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"), help="of the corpus")
    parser.add_argument("--weights", type=Path, default=Path("weights") / WEIGHTS_FILE, help="without pictures")
    parser.add_argument("--calibration", type=Path, default=Path("weights") / CALIBRATION_FILE)
    parser.add_argument("--half", type=int, choices=(0, 1), help="every second clip")
    parser.add_argument("--examples", action="store_true", help="the three files that passed before by one good face")
    parser.add_argument("--all", action="store_true", help="also clips in which nothing passes by itself")
    parser.add_argument(
        "--known", type=Path, help="JSON of the clips' own offsets; where it is not there it is written"
    )
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="the first of them to make")
    parser.add_argument("--seconds", type=float, default=180.0)
    parser.add_argument("--seed", type=int, default=18)
    parser.add_argument("--keep", type=Path, help="folder in which the made files stay, for another run")
    parser.add_argument("--out", type=Path, help="JSON of the figures")
    return parser.parse_args()


def main() -> None:
    options = _arguments()
    clips: Sequence[Path] = ()
    if options.clips:
        clips = [options.clips / name for name in IN_SYNC_CLIPS]
    elif options.corpus:
        clips = list(corpus_clips(options.corpus))
    by: Measure
    if options.without_pictures:
        model = read_lite(options.weights, options.calibration, "cpu")
        by = WithoutPictures(clips, load_corpus(options.corpus, options.cache), model)
    else:
        detector = "yunet" if options.weights_dir else "auto"
        policy = WeightsPolicy(options.weights_dir, offline=True)
        settings = ScorerSettings(tracks=TRACKS, model="lite", detector=detector, weights=policy)
        if options.keep:
            options.keep.mkdir(parents=True, exist_ok=True)
        by = WithPictures(SyncScorer(settings), options.keep)
    if options.known and options.known.exists():
        known = read_known(options.known, options.corpus or options.clips)
    else:
        least_seconds = LEAST_SECONDS if options.corpus else 0.0
        known = list(known_clips(clips, by, least_seconds=least_seconds, also_unknown=options.all))
        if options.known:
            write_known(known, options.known)
    known = known[options.half :: 2] if options.half is not None else known
    print(f"{len(known)} of {len(clips)} clips", flush=True)
    made = make_plans(known, options.kinds, options.files, options.seconds, options.seed)
    plans = [smoke_plan(Path("samples"))] if options.smoke else example_plans(known) if options.examples else made
    figures = Figures()
    for number, plan in enumerate(plans):
        if number >= options.first:
            run_plan(plan, by, figures)
    print(format_table(figures))
    if options.out:
        options.out.write_text(json.dumps(asdict(figures), indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Talking clips whose sound was moved by known amounts, scored, repaired and scored again, as the command does it.

    python -m benchmarks.repair_model --clips DIR [--weights_dir DIR] [--count N] [--seconds S] [--only_long]

The first N clips of clips.json are brought into sync by their own measured offset, so that the truth is where the model
has its zero. Then their sound is moved, in the frame rates, containers and stream starts of docs/accuracy.md; and files
of S seconds are made of them, with jumps and with drifts. Told is how far the sound of a repaired file lies from that
of the unmoved one, by correlation of the two (no model), and what the model says of it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePath
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.known_shift import CLIPS_FILE, MIN_FACE_PX, SECONDS, TalkingClip
from benchmarks.over_time_files import Part, Plan, make_file, usable_seconds
from benchmarks.variants import FULL, REFERENCE_KINDS, Variant, plan_variants, write_variant
from syncnet.conventions import FPS
from syncnet.media.opening import open_media
from syncnet.repair.checking import misplaced_ms
from syncnet.repair.correction import constant
from syncnet.repair.repairing import RepairJob, offset_of, repair_video
from syncnet.scorer import SyncScorer
from syncnet.settings import MediaSettings, RepairSettings, ScorerSettings, TrackSettings, WeightsPolicy
from syncnet.system.interruption import StopFlag
from synthetic.source_clip import read_source

WHOLE_FRAMES = (-12.0, -6.0, -3.0, -2.0, 2.0, 3.0, 6.0, 12.0)
QUARTERS = (-4.25, -1.75, 1.75, 8.75)
NEAR_MS, FRAME_MS = 20.0, 40.0
JUMPS = {"a jump": (0.5,), "two jumps": (0.33, 0.67), "three jumps": (0.25, 0.5, 0.75)}
"""Shares of the length, at which the sound is late by turns."""
JUMP_MS = (240.0, -160.0, 320.0)
DRIFTS = {"a drift of 0.2 %": 0.002, "a drift of -0.3 %": -0.003, "a drift of 0.5 %": 0.005}


@dataclass(frozen=True)
class Outcome:
    """One file."""

    kind: str
    moved_ms: float
    repaired: bool
    told: str
    """The correction, or why there is none."""
    off_ms: float | None = None
    """How far its sound is from where it was before it was moved."""
    residual_ms: float | None = None
    """What the model says."""

    @property
    def worse(self) -> bool:
        return self.repaired and (self.off_ms is None or self.off_ms > abs(self.moved_ms))


class Bench:
    """Makes, scores and repairs files in a folder."""

    def __init__(self, folder: Path, scorer: SyncScorer) -> None:
        self._folder, self._scorer = folder, scorer
        job = RepairSettings(repair=True)
        self._job = RepairJob(folder / "out", scorer.score, job, MediaSettings(), StopFlag())

    def repair(self, kind: str, path: Path, unmoved: Path, moved_ms: float) -> Outcome:
        record = repair_video(path, self._scorer.score(path), PurePath(path.name), self._job)
        if record.status != "repaired" or record.repaired_path is None:
            return Outcome(kind, moved_ms, False, record.reason)
        target = Path(record.repaired_path)
        true, now = (open_media(one).samples for one in (unmoved, target))
        target.unlink()
        return Outcome(
            kind, moved_ms, True, record.correction, misplaced_ms(true, now, constant(0.0)), record.residual_ms
        )

    def of_clip(self, clip: TalkingClip, path: Path, turn: int) -> Iterator[Outcome]:
        """``turn``: which of the other kinds of file this clip is for."""
        source = read_source(path, SECONDS, clip.scale)
        planned = [one for one in plan_variants(SECONDS, FULL) if _is_chosen(one)]
        kinds = list(dict.fromkeys(one.kind for one in planned if one.kind not in REFERENCE_KINDS))
        reference = replace(planned[0], delay_frames=0.0)
        own = self._folder / f"own.{reference.extension}"
        early_ms = offset_of(self._scorer.score(write_variant(own, source, reference, clip.sound_early_frames)))
        if early_ms is None:
            return
        early = clip.sound_early_frames + early_ms * FPS / 1000
        for variant in planned:
            others = variant.kind in kinds
            if others and kinds.index(variant.kind) % 3 != turn % 3:
                continue
            if others and FULL.others.index(variant.delay_frames) != (kinds.index(variant.kind) + turn) % 4:
                continue
            unmoved, moved = (self._folder / f"{name}.{variant.extension}" for name in ("unmoved", "moved"))
            write_variant(unmoved, source, replace(variant, delay_frames=0.0), early)
            write_variant(moved, source, variant, early)
            yield self.repair(variant.kind, moved, unmoved, 1000 * variant.delay_frames / FPS)

    def of_long_files(self, clips: Sequence[Path], seconds: float) -> Iterator[Outcome]:
        early = {clip: offset_of(self._scorer.score(clip)) for clip in clips}
        known = {clip: ms for clip, ms in early.items() if ms is not None}
        parts: list[Part] = []
        while sum(part.seconds for part in parts) < seconds:
            clip = list(known)[len(parts) % len(known)]
            parts.append(Part("own", clip, None, round(usable_seconds(clip), 2)))
        plain = Plan("unmoved", tuple(parts), own_early_ms=tuple(known.items()))
        unmoved = self._folder / "unmoved_long.mp4"
        make_file(plain, unmoved)
        for kind, shares in JUMPS.items():
            jumps = tuple((round(share * plain.seconds, 2), ms) for share, ms in zip(shares, JUMP_MS, strict=False))
            yield self._of_plan(kind, replace(plain, jumps=jumps), unmoved)
        for kind, drift in DRIFTS.items():
            yield self._of_plan(kind, replace(plain, drift=drift), unmoved)

    def _of_plan(self, kind: str, plan: Plan, unmoved: Path) -> Outcome:
        moved = self._folder / "moved_long.mp4"
        make_file(plan, moved)
        late = plan.late_ms(np.linspace(0, plan.seconds, 1000))
        return self.repair(kind, moved, unmoved, float(late[np.abs(late).argmax()]))


def _is_chosen(variant: Variant) -> bool:
    if variant.kind == REFERENCE_KINDS[0]:
        return variant.delay_frames in WHOLE_FRAMES
    if variant.kind in REFERENCE_KINDS:
        return variant.delay_frames in QUARTERS
    return True


def format_table(outcomes: Sequence[Outcome]) -> str:
    """Markdown."""
    lines = [
        "| file | files | repaired | within 20 ms | largest, in ms | within a frame by the model | worse |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for kind in [*dict.fromkeys(one.kind for one in outcomes), "all"]:
        of_kind = [one for one in outcomes if kind in (one.kind, "all")]
        done = [one for one in of_kind if one.repaired]
        near = sum(one.off_ms is not None and one.off_ms <= NEAR_MS for one in done)
        told = sum(one.residual_ms is not None and abs(one.residual_ms) <= FRAME_MS for one in done)
        largest = max((one.off_ms or 0.0 for one in done), default=0.0)
        shares = [f"{part / len(done):.0%}" if done else "" for part in (near, told)]
        worse = sum(one.worse for one in done)
        lines.append(f"| {kind} | {len(of_kind)} | {len(done)} | {shares[0]} | {largest:.1f} | {shares[1]} | {worse} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True)
    parser.add_argument("--weights_dir", type=Path)
    parser.add_argument("--count", type=int, default=3, help="of clips (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=60.0, help="of a long file; 0: none (default %(default)s)")
    parser.add_argument("--only_long", action="store_true", help="the files of --seconds alone")
    options = parser.parse_args()
    policy = WeightsPolicy(options.weights_dir, offline=True)
    scorer = SyncScorer(ScorerSettings(model="lite", tracks=TrackSettings(MIN_FACE_PX), weights=policy))
    listed = json.loads(CLIPS_FILE.read_text(encoding="utf-8"))["in_sync"]
    clips = [TalkingClip(**entry) for entry in listed][: options.count]
    outcomes = []
    with TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary), scorer)
        for turn, clip in enumerate(() if options.only_long else clips):
            for outcome in bench.of_clip(clip, options.clips / clip.name, turn):
                outcomes.append(outcome)
                print(outcome, flush=True)
        if options.seconds:
            for outcome in bench.of_long_files([options.clips / clip.name for clip in clips], options.seconds):
                outcomes.append(outcome)
                print(outcome, flush=True)
    print(format_table(outcomes))


if __name__ == "__main__":
    main()

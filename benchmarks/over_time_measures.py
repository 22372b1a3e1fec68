"""From clips and plans to time lines, for benchmarks/over_time.py: with pictures, or from stored mouths."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from benchmarks.over_time_files import Plan, make_file, usable_seconds
from benchmarks.over_time_plans import KnownClip
from benchmarks.over_time_tracks import Mouths, scan_clip, scan_plan, stored_clips
from syncnet.models.lite import LiteModel
from syncnet.overtime.judging import JudgedOverTime, judge_over_time
from syncnet.overtime.timeline import OverTime
from syncnet.scorer import SyncScorer
from syncnet.settings import OverTimeSettings, Thresholds
from syncnet.system.interruption import StopFlag
from training.corpus import HELD_OUT_SOURCES, Corpus, read_cleaning
from training.figures import EXCLUDED_SOURCES

Measured = tuple[JudgedOverTime, np.ndarray]
"""The time line at the default thresholds, and in which frames somebody speaks, (F,) bool."""


class Measure(Protocol):
    """From a clip or a plan to its time line."""

    def seconds(self, clip: Path) -> float:
        """How long a part of the clip may be."""

    def clip(self, clip: Path) -> Measured: ...

    def plan(self, plan: Plan) -> Measured: ...


class WithPictures:
    """By the whole command, from an encoded file."""

    def __init__(self, scorer: SyncScorer, kept: Path | None = None) -> None:
        self._scorer = scorer
        self._kept = kept
        """Where made files stay, and are found again."""

    def seconds(self, clip: Path) -> float:
        return usable_seconds(clip)

    def clip(self, clip: Path) -> Measured:
        return measure(clip, self._scorer)

    def plan(self, plan: Plan) -> Measured:
        with tempfile.TemporaryDirectory() as folder:
            # A kept file is found again by all that it was made of.
            digest = hashlib.sha256(repr(plan).encode()).hexdigest()[:12]
            path = (self._kept or Path(folder)) / f"{plan.name.replace(' ', '_')}_{digest}.mp4"
            if not path.exists():
                make_file(plan, path)
            return measure(path, self._scorer)


class WithoutPictures:
    """By the stages after the face crop, from stored mouths."""

    def __init__(self, clips: Sequence[Path], corpus: Corpus, model: LiteModel) -> None:
        self._mouths = Mouths(stored_clips(corpus, [clip.name for clip in clips]), model)

    def seconds(self, clip: Path) -> float:
        return self._mouths.clips[clip.name].seconds

    def clip(self, clip: Path) -> Measured:
        return _judged(*scan_clip(clip, self._mouths))

    def plan(self, plan: Plan) -> Measured:
        return _judged(*scan_plan(plan, self._mouths))


def corpus_clips(corpus_dir: Path) -> Iterator[Path]:
    """Real speakers that the model was never trained on."""
    cleaning = read_cleaning()
    for line in (corpus_dir / "CORPUS.tsv").read_text(encoding="utf-8").splitlines()[1:]:
        name, source, *_ = line.split("\t")
        # Clips whose own sound is early, late or wrong have no known answer.
        if source in HELD_OUT_SOURCES and source not in EXCLUDED_SOURCES and name not in cleaning:
            yield corpus_dir / name


def measure(path: Path, scorer: SyncScorer) -> Measured:
    """A file by the whole command."""
    score = scorer.measure(path, StopFlag())
    if score.over_time is None or score.keepsake is None:
        raise ValueError(f"{path} has no time line")
    return _judged(score.over_time, score.keepsake.speech)


def _judged(over_time: OverTime, speech: np.ndarray) -> Measured:
    return judge_over_time(over_time, Thresholds(), OverTimeSettings()), speech


def known_clips(clips: Sequence[Path], by: Measure, *, least_seconds: float, also_unknown: bool) -> Iterator[KnownClip]:
    """Those whose sync is known by their longest passing segment. ``also_unknown``: others too, as if in sync."""
    for clip in clips:
        seconds = round(by.seconds(clip), 2)
        if seconds < least_seconds:
            continue
        passing = [one.segment for one in by.clip(clip)[0].segments if one.passes]
        longest = max(passing, key=lambda segment: segment.seconds, default=None)
        if longest and longest.timing:
            yield KnownClip(clip, seconds, longest.timing.milliseconds)
        elif also_unknown:
            yield KnownClip(clip, seconds, 0.0)


def write_known(clips: Sequence[KnownClip], path: Path) -> None:
    """By name, so that another run has the same files, by other weights or with pictures."""
    path.write_text(json.dumps([(clip.path.name, clip.seconds, clip.early_ms) for clip in clips], indent=1) + "\n")


def read_known(path: Path, folder: Path) -> list[KnownClip]:
    """``folder``: where the clips lie."""
    return [KnownClip(folder / name, seconds, early_ms) for name, seconds, early_ms in json.loads(path.read_text())]

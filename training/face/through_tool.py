"""What the boxes do to the scores: every clip through the whole tool with either detector."""

from __future__ import annotations

from pathlib import Path

from syncnet.scorer import ScorerSettings, SyncScorer
from weights import WeightsPolicy

_SUFFIXES = (".mp4", ".avi", ".mpg", ".webm")


def compare_scores(clips_dir: Path, policy: WeightsPolicy) -> dict[str, object]:
    """Clips by what became of them: offsets that differ, confidences further apart than 0.4, faces in one run only."""
    scorers = {
        name: SyncScorer(ScorerSettings(model="lite", detector=name, device="cpu", weights=policy))
        for name in ("lite", "yunet")
    }
    apart: dict[str, list[float]] = {}
    offsets: dict[str, list[int]] = {}
    only_one: dict[str, str] = {}
    compared = 0
    for path in sorted(path for path in clips_dir.iterdir() if path.suffix in _SUFFIXES):
        scores = {name: scorer.score(path).best for name, scorer in scorers.items()}
        ours, theirs = scores["lite"], scores["yunet"]
        if ours is None or theirs is None:
            if ours is not None or theirs is not None:
                only_one[path.name] = "lite" if ours is not None else "yunet"
            continue
        compared += 1
        if ours.offset_frames != theirs.offset_frames:
            offsets[path.name] = [ours.offset_frames, theirs.offset_frames]
        if abs(ours.confidence - theirs.confidence) > 0.4:
            apart[path.name] = [round(ours.confidence, 2), round(theirs.confidence, 2)]
    return {
        "clips_with_a_score": compared,
        "offsets_that_differ": offsets,
        "confidences_further_than_0.4": apart,
        "score_with_one_only": only_one,
    }

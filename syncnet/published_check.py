"""Proof on real weights: the published example scored by the published network, against the published numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import DamagedVideoError
from syncnet.interruption import StopFlag
from syncnet.models import SYNCNET_V2_FILE, SyncModel, load_model
from syncnet.pipeline import Stages, best_score, score_video
from syncnet.scoring import SyncScore
from weights import WeightsPolicy, require_weights

EXAMPLE_FILE = "example.avi"


@dataclass(frozen=True)
class PublishedNumbers:
    """What the authors' README gives for the example, and how far newer libraries and we may be from it."""

    offset_frames: int = 3
    min_distance: float = 5.353
    confidence: float = 10.021
    distance_tolerance: float = 0.05
    """5.348 was seen with newer libraries. The authors' frames pass through JPEG files, ours do not."""
    confidence_tolerance: float = 0.2
    """10.081 was seen with newer libraries."""

    def agree_with(self, score: SyncScore) -> bool:
        return (
            score.offset_frames == self.offset_frames
            and abs(score.min_distance - self.min_distance) <= self.distance_tolerance
            and abs(score.confidence - self.confidence) <= self.confidence_tolerance
        )


def check_published_example(policy: WeightsPolicy) -> int:
    """Prints both sets of numbers; 0 where they agree, else 1. Raises ModelFileError where a file cannot be had."""
    example = require_weights(EXAMPLE_FILE, policy, "the check", "a machine with a network")
    require_weights(SYNCNET_V2_FILE, policy, "the check", "a machine with a network")
    score = score_face_clip(example.path, load_model("syncnet_v2", "cpu", policy))
    published = PublishedNumbers()
    right = published.agree_with(score)
    print("                 offset  min distance  confidence")
    print(
        f"published       {published.offset_frames:+7d}  {published.min_distance:12.3f}  {published.confidence:10.3f}"
    )
    print(f"here            {score.offset_frames:+7d}  {score.min_distance:12.3f}  {score.confidence:10.3f}")
    print("They agree." if right else "They do NOT agree.")
    return 0 if right else 1


def score_face_clip(path: Path, model: SyncModel) -> SyncScore:
    """The score of a clip that is a 224 x 224 face crop already, all of its frames one track."""
    score = best_score(score_video(path, Stages(model, detector=None), StopFlag()).tracks)
    if score is None:
        raise DamagedVideoError("no sound beside the picture", path=path, cure="fetch it again")
    return score

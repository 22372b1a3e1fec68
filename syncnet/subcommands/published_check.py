"""Proof on real weights: the published example scored by the published network, against the published numbers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import DamagedVideoError
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.protocol import SyncModel
from syncnet.models.registry import load_model
from syncnet.pipeline import Stages, score_video
from syncnet.reference.choice import find_reference_tools
from syncnet.results import best_score
from syncnet.scoring.score import SyncScore
from syncnet.settings import TrackSettings
from syncnet.system.interruption import StopFlag
from weights import WeightsPolicy, require_weights

EXAMPLE_FILE = "example.avi"


@dataclass(frozen=True)
class PublishedNumbers:
    """What the authors' README gives for the example, and how far other versions of the libraries may be from it.

    JPEG encoders differ between versions: they move the distances by up to 0.3 % of the largest, here some 0.05.
    """

    offset_frames: int = 3
    min_distance: float = 5.353
    confidence: float = 10.021
    distance_tolerance: float = 0.05
    """5.348 was seen with newer libraries."""
    confidence_tolerance: float = 0.2
    """10.081 was seen with newer libraries. The confidence is the difference of two distances."""

    def agree_with(self, score: SyncScore) -> bool:
        return (
            score.offset_frames == self.offset_frames
            and abs(score.min_distance - self.min_distance) <= self.distance_tolerance
            and abs(score.confidence - self.confidence) <= self.confidence_tolerance
        )


def check_published_example(policy: WeightsPolicy) -> int:
    """Prints both sets of numbers; 0 where they agree, else 1. Raises ModelFileError where a file cannot be had."""
    example = require_weights(EXAMPLE_FILE, policy, "the check", "a machine with a network")
    model = load_model("syncnet_v2", "cpu", policy)
    score = score_as_published(example.path, model)
    published = PublishedNumbers()
    right = published.agree_with(score)
    print(f"{EXAMPLE_FILE}, whole frames, passed through JPEG as the published demo does; {SYNCNET_V2_FILE}")
    print("                 offset  min distance  confidence")
    for name, numbers in (("published", published), ("here", score)):
        print(f"{name:<15} {numbers.offset_frames:+7d}  {numbers.min_distance:12.3f}  {numbers.confidence:10.3f}")
    print("They agree." if right else "They do NOT agree.")
    return 0 if right else 1


def score_as_published(path: Path, model: SyncModel) -> SyncScore:
    """The score of a clip that is a face crop already, the way of the published demo (``--reference --no_detection``).

    Raises VideoError where the clip cannot be decoded.
    """
    tracks = TrackSettings(min_track_frames=model.min_track_frames)
    stages = Stages(model, detector=None, tracks=tracks, reference=find_reference_tools(decode_threads=1))
    score = best_score(score_video(path, stages, StopFlag()))
    if score is None:
        raise DamagedVideoError("no sound beside the picture", path=path, cure="fetch it again")
    return score

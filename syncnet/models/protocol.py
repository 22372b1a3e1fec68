"""What every lip-sync model gives: embeddings of lips and of sound, and a confidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from syncnet.conventions import MAX_SHIFT_FRAMES, Rows, Samples
from syncnet.models.odds import Odds

MIN_TRACK_FRAMES = {
    # Eleven frames make one embedding; with fewer than fifteen pairs the far shifts would have none left.
    "lite": 11 + MAX_SHIFT_FRAMES,
    # Five make one; with fewer than sixteen windows the far shifts would meet zero vectors only, and the last is never
    # used.
    "syncnet_v2": 5 + MAX_SHIFT_FRAMES + 1,
}
"""A shorter track gives no embedding to compare, or too few."""

MOST_HELD_BYTES = 4 << 20
"""Of the numbers of one track: five minutes of lite's. Those of a longer one lie on the disk."""

Metric = Literal["cosine", "euclidean"]


@dataclass(frozen=True)
class Embeddings:
    """Lips and sound of one track as points that lie close together where they belong together."""

    video: Rows
    """(W, D) float32, one a frame."""
    audio: Rows
    """(A, D) float32, one a frame; the sound may reach beyond the track at both ends."""
    audio_lead: int
    """``video[i]`` is in step with ``audio[audio_lead + i]``."""
    metric: Metric
    zero_pad_ends: bool
    """Whether sound that does not exist counts as a zero vector (as published) or not at all."""
    middle_frame: int = 0
    """``video[i]`` stands for frame ``i + middle_frame`` of the track, the middle one of those that it sees."""


class FaceEncoder(Protocol):
    """Takes in the face crops of one track, piece by piece, and keeps only numbers of them."""

    grey: bool
    """Whether crops without colour do for it."""

    def push(self, crops: np.ndarray) -> None:
        """The next crops of the track, shape (n, 224, 224, 3), uint8 BGR; or (n, 224, 224), where these do."""


class SyncModel(Protocol):
    """A lip-sync model. One copy serves all threads."""

    name: str
    identity: str
    """SHA-256 of what the score depends on: the weights, and the calibration where there is one."""
    min_track_frames: int
    """A shorter track gives no embedding to compare, or too few."""

    def face_encoder(self) -> FaceEncoder:
        """A new encoder, one for each track."""

    def embed(
        self,
        encoder: FaceEncoder,
        samples: Samples,
        first_frame: int,
        frame_count: int,
        counts: np.ndarray | None = None,
    ) -> Embeddings:
        """Embeddings of a track whose crops were all pushed; ``samples`` are those of the whole file.

        ``counts`` (F,) bool: the frames of the file that belong to speech. A model that brings the sound to one level
        does so by them alone, so that silence beside it changes nothing.
        """

    def confidence(self, raw: float, embedding_count: int) -> float:
        """Median minus minimum of the mean distances over so many lip embeddings, on the familiar SyncNet scale.

        ``raw`` is in the unit of ``syncnet.scoring.score.distance_unit``.
        """

    def odds(self, signs: np.ndarray) -> Odds | None:
        """How likely a score with these signs (``syncnet.scoring.signs``) is right; None where that is not known."""

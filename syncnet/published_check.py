"""Proof on real weights: the published example scored by the published network, against the published numbers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syncnet import CROP_SIZE_PX, FPS
from syncnet.errors import DamagedVideoError
from syncnet.media import open_media
from syncnet.models import SYNCNET_V2_FILE, SyncModel, load_model
from syncnet.scoring import SyncScore, score_sync
from weights import WeightsPolicy, require_weights

if TYPE_CHECKING:
    import av

EXAMPLE_FILE = "example.avi"
FRAMES_AT_ONCE = 64
_DEFAULT_BIT_RATE = 200_000
"""What the ffmpeg program gives a JPEG sequence when it is not told a quality, as in the published demo."""


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
    """The score of a clip that is a face crop already, the way of the published demo: every frame, through JPEG.

    Raises VideoError where the clip cannot be decoded.
    """
    media = open_media(path)
    encoder = model.face_encoder()
    frames = through_jpeg(media.frames())
    count = 0
    while crops := list(itertools.islice(frames, FRAMES_AT_ONCE)):
        encoder.push(np.stack(crops))
        count += len(crops)
    score = score_sync(model.embed(encoder, media.samples, 0, count), model)
    if score is None:
        raise DamagedVideoError("no sound beside the picture", path=path, cure="fetch it again")
    return score


def through_jpeg(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Face crops, (224, 224, 3) uint8 BGR, as they come back from JPEG files of ffmpeg's default quality."""
    import av
    import cv2

    codec = _jpeg_encoder()
    for index, crop in enumerate(frames):
        frame = av.VideoFrame.from_ndarray(crop, format="bgr24").reformat(format="yuvj420p")
        frame.pts, frame.time_base = index, codec.time_base
        for packet in codec.encode(frame):
            decoded = cv2.imdecode(np.frombuffer(bytes(packet), np.uint8), cv2.IMREAD_COLOR)
            yield np.asarray(decoded, np.uint8)


def _jpeg_encoder() -> av.VideoCodecContext:
    import av

    codec = av.VideoCodecContext.create("mjpeg", "w")
    codec.width = codec.height = CROP_SIZE_PX
    codec.pix_fmt = "yuvj420p"
    codec.bit_rate = _DEFAULT_BIT_RATE
    codec.time_base = Fraction(1, FPS)
    # More threads would hold frames back, and share the bit rate out differently.
    codec.thread_count = 1
    return codec

"""One video through every stage in a process of its own, for benchmarks/speed.py: where its time and memory go.

    python -m benchmarks.speed_video VIDEO WAY MODEL DETECTOR WEIGHTS_DIR MIN_FACE_PX PRECISION DETECT_EVERY THREADS

WAY is ``ours`` or ``published``: the passes of --reference with the lip stream as published. Prints one JSON object.
Weights of s3fd that are not the published ones see no faces: its network then runs as it would, and the faces are those
that YuNet sees. Both ways pay for that alike.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch

from benchmarks.speed_networks import PublishedLips
from detectors.protocol import Detections, DetectorSpec, FaceDetector
from detectors.registry import S3FD_FILE, YunetSpec, resolve_detector
from detectors.s3fd import S3fdSpec
from syncnet import pipeline
from syncnet.conventions import FPS
from syncnet.faces import crops, shots
from syncnet.faces import finding as faces
from syncnet.media import opening as media
from syncnet.models.choice import SYNCNET_V2_FILE
from syncnet.models.lite import LiteFaceEncoder
from syncnet.models.registry import load_model
from syncnet.models.syncnet_v2 import SyncNetV2, SyncNetV2FaceEncoder
from syncnet.pipeline import Stages, score_video
from syncnet.reference import chain as reference
from syncnet.reference.choice import find_reference_tools
from syncnet.results import best_score
from syncnet.settings import DetectSettings, Precision, SpeedSettings, TrackSettings
from syncnet.system.interruption import StopFlag
from weights import WeightsPolicy, find_weights

MIN_TRACK_FRAMES = 50


class StageClock:
    """Seconds by stage; what a stage calls is its own only where that is no stage itself."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._stack: list[str] = []
        self._since = 0.0

    def call(self, stage: str, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._switch(stage)
        try:
            return function(*args, **kwargs)
        finally:
            self._switch(None)

    def _switch(self, stage: str | None) -> None:
        now = time.perf_counter()
        if self._stack:
            self.seconds[self._stack[-1]] += now - self._since
        self._since = now
        if stage is None:
            self._stack.pop()
        else:
            self._stack.append(stage)

    def watch(self, owner: object, name: str, stage: str) -> None:
        """From now on this function of a class or a module counts as the stage."""
        original = getattr(owner, name)
        setattr(owner, name, lambda *args, **kwargs: self.call(stage, original, *args, **kwargs))

    def watch_generator(self, owner: object, name: str, stage: str) -> None:
        """The same for a function that yields: each step counts."""
        original = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Iterator[Any]:
            steps = original(*args, **kwargs)
            while (step := self.call(stage, next, steps, None)) is not None:
                yield step

        setattr(owner, name, watched)


@dataclasses.dataclass(frozen=True)
class StandInSpec:
    """The work of one detector, the faces of another."""

    working: S3fdSpec
    seeing: YunetSpec
    name: str = "s3fd"

    @property
    def identity(self) -> str:
        return self.working.identity

    def create(self, min_face_px: int, frame_width: int, frame_height: int) -> FaceDetector:
        return _StandIn(
            self.working.create(min_face_px, frame_width, frame_height),
            self.seeing.create(min_face_px, frame_width, frame_height),
        )

    def look_bytes(self, min_face_px: int, frame_width: int, frame_height: int) -> int:
        return self.working.look_bytes(min_face_px, frame_width, frame_height)


class _StandIn:
    def __init__(self, working: FaceDetector, seeing: FaceDetector) -> None:
        self._working = working
        self._seeing = seeing

    def detect(self, frame_bgr: np.ndarray) -> Detections:
        self._working.detect(frame_bgr)
        return self._seeing.detect(frame_bgr)


def main() -> None:
    video, way, model, detector, weights_dir, min_face_px, precision, detect_every, threads = sys.argv[1:]
    torch.set_num_threads(int(threads))
    cv2.setNumThreads(int(threads))
    started = time.perf_counter()
    policy = WeightsPolicy(Path(weights_dir), offline=True, allow_unverified=True)
    stages = load(way, model, detector, policy, int(min_face_px), cast("Precision", precision), int(detect_every))
    stages = dataclasses.replace(stages, decode_threads=int(threads))
    loaded_seconds, models_mb = time.perf_counter() - started, peak_mb()
    clock = watch_stages()
    started, processor_started = time.perf_counter(), time.process_time()
    score = score_video(Path(video), stages, StopFlag())
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor_started
    best = best_score(score)
    print(
        json.dumps(
            {
                "seconds": seconds,
                "processor_seconds": processor_seconds,
                "load_seconds": loaded_seconds,
                "video_seconds": score.info.duration_seconds,
                "frames": round(score.info.duration_seconds * FPS),
                "track_frames": sum(track.frame_count for track in score.tracks),
                "models_mb": models_mb,
                "peak_mb": peak_mb(),
                "stages": {**clock.seconds, "rest": seconds - sum(clock.seconds.values())},
                "confidence": None if best is None else best.confidence,
                "offset": None if best is None else best.offset_frames,
            }
        )
    )


def load(
    way: str,
    model_name: str,
    detector_name: str,
    policy: WeightsPolicy,
    min_face_px: int,
    precision: Precision,
    detect_every: int,
) -> Stages:
    """``detect_every`` 0: the detector's default."""
    model = load_model(model_name, "cpu", policy, precision)
    detector: DetectorSpec = resolve_detector(detector_name, policy, "cpu", precision)
    if isinstance(detector, S3fdSpec):
        detector = dataclasses.replace(detector, published_scale=way == "published")
        found = find_weights(S3FD_FILE, policy)
        if found is None or not found.verified:
            detector = StandInSpec(detector, cast("YunetSpec", resolve_detector("yunet", policy)))
    speed = SpeedSettings(detect_every_frames=detect_every or None)
    stages = Stages(
        model,
        detector,
        TrackSettings(min_face_px, MIN_TRACK_FRAMES),
        DetectSettings(speed.every_frames(detector_name), min_face_px),
    )
    if way == "ours":
        return stages
    published = PublishedLips(cast("Path", policy.weights_dir) / SYNCNET_V2_FILE)
    cast("Any", model).embed_lips = published.embed_lips
    return dataclasses.replace(stages, reference=find_reference_tools(1))


def watch_stages() -> StageClock:
    clock = StageClock()
    clock.watch(pipeline, "open_media", "open, decode sound")
    clock.watch_generator(media.Media, "pictures", "decode pictures")
    clock.watch(shots.CutFinder, "is_cut", "cuts")
    clock.watch(faces.Lookout, "show", "faces")
    clock.watch(reference, "detect_faces", "faces")
    clock.watch(reference.PublishedChain, "reencode", "re-encode, JPEG files")
    clock.watch(reference.PublishedChain, "_read_clip", "re-encode, JPEG files")
    clock.watch(reference, "write_crop_video", "crops")
    clock.watch(reference, "_read_picture", "read JPEG files")
    clock.watch(reference, "find_published_shots", "cuts")
    for way in ("bgr", "grey"):
        clock.watch(crops.FaceCrop, way, "crops")
    for encoder in (LiteFaceEncoder, SyncNetV2FaceEncoder):
        clock.watch(encoder, "push", "lip stream")
    clock.watch(SyncNetV2, "embed_sound", "sound stream")
    clock.watch(pipeline, "find_speech", "speech")
    clock.watch(pipeline, "score_track", "scores")
    return clock


def peak_mb() -> float:
    """Most memory that this process held at once so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes on Linux, bytes on macOS.
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


if __name__ == "__main__":
    main()

"""Which model, detector and settings score, decided once; and loading just these.

A run over videos that are all known needs the choice only: it takes seconds to load what gives scores.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

from detectors.registry import choose_detector, resolve_detector
from syncnet.errors import UsageError
from syncnet.models.precision import resolve_precision
from syncnet.models.protocol import MIN_TRACK_FRAMES
from syncnet.models.registry import choose_model, load_model, resolve_device
from syncnet.settings import DetectSettings, Precision, ScorerSettings, ShotSettings, TrackSettings, check_distance
from syncnet.system.collector import without_collector
from syncnet.system.memory import keep_freed_memory
from weights import Identity

if TYPE_CHECKING:
    from detectors.protocol import DetectorSpec
    from detectors.s3fd import S3fdSpec
    from syncnet.pipeline import Stages
    from syncnet.reference.tools import ReferenceTools


@dataclass(frozen=True)
class ChosenStages:
    """As much of ``Stages`` as tells which scores of earlier runs hold."""

    settings: ScorerSettings
    workers: int
    """Videos that are scored at once in this process, which share its cores."""
    model: Identity
    detector: Identity | None
    detect: DetectSettings
    precision: Precision
    """In which model and detector calculate; float32 where neither of them knows another."""
    reference: str
    """What does the published passes, and its version; empty where they are not asked for."""
    shots: ShotSettings = field(default_factory=ShotSettings)
    loaded: Stages | None = None

    @property
    def tracks(self) -> TrackSettings:
        return self.settings.tracks

    @property
    def min_track_frames(self) -> int:
        """What the model needs."""
        return MIN_TRACK_FRAMES[self.model.name]

    @without_collector()
    def load(self) -> Stages:
        """The models and settings that all workers of a process share. Raises UsageError; no video is touched."""
        from syncnet.engines.threads import share_cores
        from syncnet.pipeline import Stages

        if self.loaded is not None:
            return self.loaded
        keep_freed_memory()
        share = share_cores(self.workers)
        settings, device = self.settings, resolve_device(self.settings.device)
        return Stages(
            model=load_model(self.model.name, device, settings.weights, self.precision),
            detector=self._load_detector(device),
            tracks=settings.tracks,
            detect=self.detect,
            shots=self.shots,
            media=settings.media,
            decode_threads=share,
            reference=_reference_tools(share) if settings.reference else None,
            precision=self.precision,
            keep_embeddings=settings.keep_embeddings,
        )

    def _load_detector(self, device: str) -> DetectorSpec | None:
        if self.detector is None:
            return None
        spec = resolve_detector(self.detector.name, self.settings.weights, device, self.precision)
        return replace(cast("S3fdSpec", spec), published_scale=True) if self.settings.reference else spec


def choose_stages(settings: ScorerSettings, workers: int) -> ChosenStages:
    """What the settings come to where this runs. Raises UsageError; no video is touched."""
    if settings.device in ("cuda", "mps"):
        # Whether there is one is the only question that takes torch to answer.
        resolve_device(settings.device)
    # Published numbers are those of these two.
    model_name, detector_name = ("syncnet_v2", "s3fd") if settings.reference else (settings.model, settings.detector)
    model = choose_model(model_name, settings.weights)
    check_distance(settings.thresholds, model.name)
    # The published minimum has to be exceeded.
    beyond = settings.reference and not settings.no_detection
    if settings.tracks.min_track_frames + beyond < MIN_TRACK_FRAMES[model.name]:
        raise UsageError(
            f"--min_track {settings.tracks.min_track_frames} is too short for the model {model.name}",
            cure=f"give {MIN_TRACK_FRAMES[model.name] - beyond} or more",
        )
    detector = None if settings.no_detection else choose_detector(detector_name, settings.weights)
    # The published way looks at every frame, whatever is set here.
    looking = "" if settings.reference or detector is None else detector.name
    heeds_precision = model.name == "syncnet_v2" or (detector is not None and detector.name == "s3fd")
    chosen = ChosenStages(
        settings=settings,
        workers=workers,
        model=model,
        detector=detector,
        detect=DetectSettings(settings.speed.every_frames(looking), settings.tracks.min_face_px),
        precision=resolve_precision(settings.speed.precision, settings.device) if heeds_precision else "float32",
        reference=_reference_tools(1).name if settings.reference else "",
    )
    if model.verified and (detector is None or detector.verified):
        return chosen
    # A file that nobody vouches for may not fit, which is told before any video is touched.
    return replace(chosen, loaded=chosen.load())


def _reference_tools(threads: int) -> ReferenceTools:
    # They load a decoder, which runs over known videos do without.
    from syncnet.reference.choice import find_reference_tools

    return find_reference_tools(threads)

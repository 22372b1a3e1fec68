"""Which model, detector and settings a run scores with, known before any of them is loaded.

A run over videos that are all known needs no more: it takes seconds to load what gives scores.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from detectors.registry import ChosenDetector, choose_detector
from syncnet.models.precision import resolve_precision
from syncnet.models.registry import ChosenModel, choose_model, resolve_device
from syncnet.reference.choice import find_reference_tools
from syncnet.scorer import ScoringChoices, check_track_length, detect_settings, load_stages, precision_told
from syncnet.settings import DetectSettings, Precision, ShotSettings, TrackSettings

if TYPE_CHECKING:
    from syncnet.pipeline import Stages


@dataclass(frozen=True)
class ReferenceName:
    """What does the published passes."""

    name: str
    """Program or library and its version."""


@dataclass(frozen=True)
class ChosenStages:
    """As much of ``Stages`` as tells which scores of earlier runs hold."""

    model: ChosenModel
    detector: ChosenDetector | None
    tracks: TrackSettings
    detect: DetectSettings
    reference: ReferenceName | None
    precision: Precision
    load: Callable[[], Stages]
    """Loads the stages, which are these. Raises UsageError."""
    shots: ShotSettings = field(default_factory=ShotSettings)


def choose_stages(choices: ScoringChoices, workers: int) -> ChosenStages:
    """What ``load_stages`` would load. Raises UsageError as that does; no video is touched."""
    if choices.device == "cuda":
        # Whether there is one is the only question that takes torch to answer.
        resolve_device(choices.device)
    model = choose_model("syncnet_v2" if choices.reference else choices.model, choices.weights)
    check_track_length(choices.tracks, model.name, model.min_track_frames)
    detector = None
    if not choices.no_detection:
        detector = choose_detector("s3fd" if choices.reference else choices.detector, choices.weights)
    load: Callable[[], Stages] = partial(load_stages, choices, workers)
    if not (model.verified and (detector is None or detector.verified)):
        # A file that nobody vouches for may not fit, which is told before any video is touched.
        stages = load()
        load = partial(_loaded, stages)
    detector_name = detector.name if detector else ""
    precision = resolve_precision("float32" if choices.reference else choices.speed.precision, choices.device)
    return ChosenStages(
        model=model,
        detector=detector,
        tracks=choices.tracks,
        detect=detect_settings(choices, detector_name),
        reference=ReferenceName(find_reference_tools(1).name) if choices.reference else None,
        precision=precision_told(precision, model.name, detector_name),
        load=load,
    )


def _loaded(stages: Stages) -> Stages:
    return stages

"""What ``auto`` means in an output folder that was begun: what it was begun with."""

from __future__ import annotations

from dataclasses import replace

from detectors.registry import auto_detector
from syncnet.models.registry import auto_model
from syncnet.settings import DETECTORS, MODELS, Request, settled
from syncnet.state.pinning import Pin


def go_on_with(request: Request, begun: Pin | None) -> tuple[Request, tuple[str, ...]]:
    """The request with the folder's model and detector in place of ``auto``, and a sentence for each that is another
    one than ``auto`` would take in a new folder today. What was asked for by name stays."""
    settings = request.settings
    if begun is None or settings.reference:
        return request, ()
    now = {}
    if settings.model == "auto" and begun.model.name in MODELS:
        now["model"] = auto_model(settings.weights)
    if settings.detector == "auto" and not settings.no_detection and begun.detector.name in DETECTORS:
        now["detector"] = auto_detector()
    was = {"model": begun.model.name, "detector": begun.detector.name}
    kept = {kind: was[kind] for kind, name in now.items() if was[kind] != name}
    told = (
        f"This folder was begun with the {kind} {name} and goes on with it; in a new one auto takes {now[kind]} here."
        for kind, name in kept.items()
    )
    return replace(request, settings=settled(settings, **kept)), tuple(told)

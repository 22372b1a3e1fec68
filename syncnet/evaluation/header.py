"""How a table was made: what a reader needs to make it again."""

from __future__ import annotations

from syncnet import __version__
from syncnet.evaluation.findings import Names
from syncnet.evaluation.protocols import Protocol
from syncnet.evaluation.statistics import RESAMPLES
from syncnet.report.run import Run
from syncnet.report.versions import library_version
from syncnet.state.records import SCORING_VERSION
from weights import Identity


def names_for(model_name: str) -> Names:
    """Only numbers of the published network are LSE-C and LSE-D."""
    return Names("LSE" if model_name == "syncnet_v2" else model_name)


def describe_making(protocol: Protocol, run: Run, seed: int) -> dict[str, str]:
    """By name, in the order of reading."""
    libraries = ", ".join(f"{name} {library_version(name)}" for name in ("torch", "opencv", "av"))
    tracks, beyond = run.settings.tracks, "more than" if run.reference_tools else "at least"
    gates = f"{beyond} {tracks.min_track_frames} frames, faces of {beyond} {tracks.min_face_px} px"
    return {
        "protocol": f"{protocol.name} ({protocol.words}; {protocol.source})",
        "network": _identity(run.model),
        "face detector": "none, the videos are face crops" if protocol.given_crops else _identity(run.detector),
        "preprocessing": f"as published, by {run.reference_tools}"
        if run.reference_tools
        else "default, docs/scores.md",
        "face tracks": f"at least {tracks.min_track_frames} frames" if protocol.given_crops else gates,
        "versions": f"tool {__version__}, scoring {SCORING_VERSION}, {libraries}",
        "interval": f"95 % bootstrap of the mean, {RESAMPLES} resamples of whole files, seed {seed}",
    }


def _identity(identity: Identity) -> str:
    if identity.identity == identity.name:
        return identity.name
    note = "" if identity.verified else ", NOT the published file"
    return f"{identity.name}, SHA-256 {identity.identity}{note}"

"""How others come from face crops to the LSE-C and LSE-D of a video: recipes over the stages (docs/evaluate.md)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from syncnet.errors import UsageError
from syncnet.models.protocol import MIN_TRACK_FRAMES
from syncnet.settings import ScorerSettings, TrackSettings

Faces = Literal["every", "mean", "apart", "best"]
"""Which numbers a video has: those of every face crop; their mean; those of the face with the largest C minus D; those
of the face that counts (docs/scores.md)."""


@dataclass(frozen=True)
class Protocol:
    """One way to measure a folder."""

    name: str
    faces: Faces
    words: str
    """How the faces of a video count."""
    source: str
    """Address of the code that it follows."""
    as_published: bool = True
    """Whether the published network gets its crops by the published preprocessing, and its numbers from the curve."""
    given_crops: bool = False
    """Whether every video is a face crop already."""
    min_track_frames: int | None = None
    min_face_px: int | None = None
    """The source's own minimums, which have to be exceeded there; None: the tool's."""


_PUBLISHED = 100
PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            "wav2lip",
            "every",
            "every face crop counts by itself",
            "https://github.com/Rudrabha/Wav2Lip/tree/master/evaluation/scores_LSE",
            min_track_frames=_PUBLISHED,
            min_face_px=_PUBLISHED,
        ),
        Protocol(
            "latentsync",
            "mean",
            "mean over the face tracks of a video",
            "https://github.com/bytedance/LatentSync/blob/main/eval/eval_sync_conf.py",
            min_track_frames=50,
            min_face_px=_PUBLISHED,
        ),
        Protocol(
            "mova",
            "apart",
            "the face with the largest C minus D",
            "https://github.com/OpenMOSS/MOVA/blob/main/evaluation/models/wav2lip/evaluation/syncnet_python/"
            "eval_lip_sync.py",
            min_track_frames=20,
            min_face_px=_PUBLISHED,
        ),
        Protocol("best", "best", "the face that counts, or faces in turns", "docs/scores.md", as_published=False),
        Protocol(
            "crop",
            "every",
            "the video is one face crop",
            "https://github.com/joonson/syncnet_python/blob/master/demo_syncnet.py",
            given_crops=True,
        ),
    )
}


def settings_for(protocol: Protocol, settings: ScorerSettings, model_name: str) -> ScorerSettings:
    """The settings that the protocol asks for where this model scores. Raises UsageError.

    Only the published network takes the published preprocessing; lite follows the recipe on crops of the default path.
    """
    reference = protocol.as_published and model_name == "syncnet_v2"
    if protocol.given_crops and settings.detector != "auto":
        raise UsageError(
            f"--protocol {protocol.name} needs no face detector", cure=f"leave out --detector {settings.detector}"
        )
    tracks = settings.tracks
    if protocol.min_track_frames is not None and protocol.min_face_px is not None:
        least = protocol.min_track_frames if reference else max(protocol.min_track_frames, MIN_TRACK_FRAMES[model_name])
        tracks = TrackSettings(protocol.min_face_px, least)
    return replace(settings, tracks=tracks, reference=reference, no_detection=protocol.given_crops)

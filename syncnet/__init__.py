"""Lip-sync scoring of talking-face video, one stage a module.

Conventions, declared here once and relied on everywhere:

- Frames are BGR, uint8, shape (H, W, 3), already rotated upright.
- Boxes are xyxy in pixels of the original frame, tight around the face (forehead to chin).
- Ranges are half-open: ``first_frame`` belongs, ``end_frame`` does not.
- The clock runs at 25 frames and 16,000 samples a second and starts at the first shown frame.
  Frame n is the source frame nearest to n / 25 s, so it stands beside sample 640 n.
- Offsets are in frames of 1/25 s. Positive: the sound comes early (it leads the picture); delaying the
  sound by offset / 25 s cures it.

Importing this package imports nothing heavy: ``--help`` must answer at once. The names of ``__all__`` are for other
programs (docs/api.md), and are imported when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncnet.api import FilteredVideos, filter_videos, score_video
    from syncnet.cli_report import ReportOptions
    from syncnet.engines import VideoResult
    from syncnet.errors import ModelFileError, SyncFilterError, UsageError
    from syncnet.interruption import StopFlag
    from syncnet.locking import LockedError
    from syncnet.scorer import ScorerSettings, SyncScorer
    from syncnet.settings import PRESETS, MediaSettings, RunOptions, SpeedSettings, Thresholds, TrackSettings
    from weights import WeightsPolicy

FPS = 25
SAMPLE_RATE = 16_000
SAMPLES_PER_FRAME = SAMPLE_RATE // FPS
FEATURE_STEPS_PER_FRAME = 4
MAX_SHIFT_FRAMES = 15
CROP_SIZE_PX = 224

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "FilteredVideos",
    "LockedError",
    "MediaSettings",
    "ModelFileError",
    "ReportOptions",
    "RunOptions",
    "ScorerSettings",
    "SpeedSettings",
    "StopFlag",
    "SyncFilterError",
    "SyncScorer",
    "Thresholds",
    "TrackSettings",
    "UsageError",
    "VideoResult",
    "WeightsPolicy",
    "filter_videos",
    "score_video",
]

_HOMES = {
    "FilteredVideos": "syncnet.api",
    "LockedError": "syncnet.locking",
    "MediaSettings": "syncnet.settings",
    "ModelFileError": "syncnet.errors",
    "PRESETS": "syncnet.settings",
    "ReportOptions": "syncnet.cli_report",
    "RunOptions": "syncnet.settings",
    "ScorerSettings": "syncnet.scorer",
    "SpeedSettings": "syncnet.settings",
    "StopFlag": "syncnet.interruption",
    "SyncFilterError": "syncnet.errors",
    "SyncScorer": "syncnet.scorer",
    "Thresholds": "syncnet.settings",
    "TrackSettings": "syncnet.settings",
    "UsageError": "syncnet.errors",
    "VideoResult": "syncnet.engines",
    "WeightsPolicy": "syncnet.scorer",
    "filter_videos": "syncnet.api",
    "score_video": "syncnet.api",
}
"""Where each of them is, for whoever asks for it."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

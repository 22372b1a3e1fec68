"""Lip-sync scoring of talking-face video, one stage a module.

Importing this package imports nothing heavy: ``--help`` must answer at once. The names of ``__all__`` are for other
programs (docs/api.md), and are imported when they are first asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from syncnet.api import FilteredVideos, filter_videos, score_video
    from syncnet.errors import ModelFileError, SyncFilterError, UsageError
    from syncnet.results import VideoResult
    from syncnet.scorer import SyncScorer
    from syncnet.settings import (
        PRESETS,
        MediaSettings,
        OverTimeSettings,
        ReportOptions,
        RunOptions,
        ScorerSettings,
        SpeedSettings,
        Thresholds,
        TrackSettings,
        WeightsPolicy,
    )
    from syncnet.system.interruption import StopFlag
    from syncnet.system.locking import LockedError

__version__ = "0.1.0"

__all__ = [
    "PRESETS",
    "FilteredVideos",
    "LockedError",
    "MediaSettings",
    "ModelFileError",
    "OverTimeSettings",
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
    "LockedError": "syncnet.system.locking",
    "MediaSettings": "syncnet.settings",
    "ModelFileError": "syncnet.errors",
    "OverTimeSettings": "syncnet.settings",
    "PRESETS": "syncnet.settings",
    "ReportOptions": "syncnet.settings",
    "RunOptions": "syncnet.settings",
    "ScorerSettings": "syncnet.settings",
    "SpeedSettings": "syncnet.settings",
    "StopFlag": "syncnet.system.interruption",
    "SyncFilterError": "syncnet.errors",
    "SyncScorer": "syncnet.scorer",
    "Thresholds": "syncnet.settings",
    "TrackSettings": "syncnet.settings",
    "UsageError": "syncnet.errors",
    "VideoResult": "syncnet.results",
    "WeightsPolicy": "syncnet.settings",
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

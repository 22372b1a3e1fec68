"""What takes long segments of a folder's videos apart, by the keepsakes beside its ledger."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from pathlib import Path

from syncnet.keepsake.file import keepsake_path, read_keepsake
from syncnet.models.scale import scale_of
from syncnet.overtime.judging import Split
from syncnet.overtime.splitting import split_segment
from syncnet.settings import OverTimeSettings

Splitter = Callable[[str], Split]
"""From the path of a record."""


def splitter_of(state_dir: Path, model_name: str, settings: OverTimeSettings) -> Splitter | None:
    """None where no segment is too long. A keepsake is read once a segment is."""
    if math.isinf(settings.max_segment_seconds):
        return None

    def splitter(path: str) -> Split:
        kept = functools.cache(lambda: read_keepsake(keepsake_path(state_dir, path)))
        return lambda segment, most: (
            split_segment(segment, most, kept(), scale_of(model_name)) if segment.seconds > most else [segment]
        )

    return splitter

"""How many videos at once; and what is told of each one, by whichever engine it went through."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Literal

from syncnet.media_info import MediaInfo
from syncnet.pipeline_scores import TrackScore
from syncnet.scoring import SyncScore
from syncnet.turns import Conversation
from syncnet.verdict import Verdict

Status = Literal["success", "no_faces", "failed", "pending"]
Source = Literal["scored", "cache", "ledger"]
"""Where a score is from: this run, an earlier one of any folder, an earlier one of this folder."""


@dataclass(frozen=True)
class VideoResult:
    """What became of one video."""

    path: Path
    """As given; of a remote video it only stands for it."""
    relative_path: PurePath
    """Below the input folder."""
    file_bytes: int
    status: Status
    """``pending``: it is still changing, so there is nothing to tell yet but ``error``."""
    seconds: float
    """Wall time, from opening to the finished copy, in the run that scored it."""
    uri: str = field(default="", kw_only=True)
    """Where it is fetched from; empty for a file of this machine."""
    peak_memory_mb: int | None = field(default=None, kw_only=True)
    """Most memory that its process held at once meanwhile; None where that is not known."""
    info: MediaInfo | None = None
    """None where the file could not be opened."""
    tracks: tuple[TrackScore, ...] = ()
    best: SyncScore | None = None
    """Score of the best track, or of the faces that speak in turns."""
    conversation: Conversation | None = None
    """Who speaks when, where several faces speak in turns."""
    verdict: Verdict | None = None
    """None for a failed video."""
    error: str = ""
    """Why there is no score, or no copy; empty for a success."""
    cure: str = ""
    source: Source = "scored"
    placed: bool = False
    """Whether its file had to be put, moved or removed in the output folders in this run."""
    failed_now: bool = False
    """Whether it failed in this run, and not only in an earlier one."""
    missing: bool = False
    """Whether its file is gone from the input folder. What was found out stays."""

    @property
    def location(self) -> str:
        """Its URI or its path, for people."""
        return self.uri or str(self.path)

    @property
    def passed(self) -> bool:
        return self.verdict is not None and self.verdict.passed

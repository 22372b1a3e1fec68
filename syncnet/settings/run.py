"""How a run deals with a folder: what it does with known videos, on which machines, and what it leaves and says."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Annotated, Literal

from syncnet.errors import UsageError
from syncnet.settings.checks import Checked, DefaultFloat, Rule

PlaceMode = Literal["copy", "hardlink", "symlink", "move"]
PLACE_MODES: tuple[PlaceMode, ...] = ("copy", "hardlink", "symlink", "move")
"""How a video comes into the folder of its verdict."""

DEFAULT_WORKERS = 2
"""Videos at once."""
NO_SETTLE, CRON_SETTLE = DefaultFloat(0.0), DefaultFloat(60.0)
"""Seconds that a file has to rest, unless it is said; with ``cron`` uploads may be under way."""


@dataclass(frozen=True)
class RunOptions(Checked):
    """How a run deals with what earlier runs found out, and with what is not finished yet."""

    place: PlaceMode = "copy"
    rescan: bool = False
    retry_failed: bool = False
    limit: Annotated[int | None, Rule("a whole number of 0 or more", least=0)] = None
    """Most videos that are scored."""
    settle_seconds: Annotated[float, Rule("a number of seconds of 0 or more", least=0, flag="settle")] = NO_SETTLE
    """A file that changed within this time is left for a later run. With ``cron`` 60 where none is given."""
    score_cache: Annotated[Literal["off"] | Path | None, Rule("a folder, or off")] = None
    """None: in the user's cache folder."""
    cron: bool = False
    """Nobody watches: nothing is said unless something failed."""
    log_file: Path | None = None
    timeout_seconds: Annotated[float, Rule("a number of seconds above 0", above=0, finite=False, flag="timeout")] = (
        7200.0
    )
    """Most time that scoring one video may take."""
    isolate: bool = False
    """Every worker scores in a process of its own."""
    decisions: Path | None = None
    """What people decided of videos, to be kept in the output folder: their word wins over the thresholds."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.settle_seconds, DefaultFloat):
            object.__setattr__(self, "settle_seconds", CRON_SETTLE if self.cron else NO_SETTLE)


TableFormat = Literal["csv", "parquet"]
TABLE_FORMATS: tuple[TableFormat, ...] = ("csv", "parquet")


@dataclass(frozen=True)
class ReportOptions(Checked):
    """What is written beside the results file."""

    page: Annotated[bool, Rule(flag="report")] = True
    """report.html."""
    table: TableFormat = "csv"
    """results.csv is always written; ``parquet`` means results.parquet as well."""


Visualize = Literal["none", "poor", "all"]
VISUALIZE: tuple[Visualize, ...] = ("none", "poor", "all")
"""Which scored videos get an overlay video."""


@dataclass(frozen=True)
class LookOptions(Checked):
    """What is left for looking at beside the results."""

    visualize: Visualize = "none"
    save_outputs: bool = False

    @property
    def any(self) -> bool:
        return self.save_outputs or self.visualize != "none"


LogFormat = Literal["text", "json"]
LOG_FORMATS: tuple[LogFormat, ...] = ("text", "json")


@dataclass(frozen=True)
class TerminalOptions(Checked):
    """How much is said."""

    quiet: bool = False
    """No progress and no summary; what went wrong is still said."""
    verbose: bool = False
    """Also what each stage of each video came to."""
    log_format: LogFormat = "text"
    json: bool = False
    """stdout is for programs: the results as JSON, in place of the summary."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.quiet and self.verbose:
            raise UsageError("--quiet and --verbose contradict each other", cure="give one of them")


@dataclass(frozen=True)
class RaySettings(Checked):
    """Which Ray cluster scores, and how much of it one worker takes."""

    address: Annotated[str | None, Rule(flag="ray_address")] = None
    """``auto``, ``host:port``, ``ray://host:port``, or ``local`` for a new one on this machine. None: the one that runs
    on this machine, else a new one."""
    num_cpus_per_worker: Annotated[float, Rule("a number above 0", above=0)] = 1.0
    num_gpus_per_worker: Annotated[float, Rule("a number of 0 or more", least=0)] = 0.0
    workers: Annotated[int | None, Rule("a whole number of 1 or more", least=1, flag="max_workers")] = None
    """None: as many as the cluster holds."""


_HASH_BYTES = 8


@dataclass(frozen=True)
class Shard(Checked):
    """Part ``number`` of ``count``, counted from 1."""

    number: int
    count: int

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.number <= self.count:
            raise UsageError(f"--shard {self.number}/{self.count}", cure="give I/N, with I from 1 to N")

    @property
    def name(self) -> str:
        return f"{self.number}-of-{self.count}"

    def holds(self, relative_path: PurePath) -> bool:
        """Whether the video is of this part: by a hash of its path below the input, so wherever that is mounted."""
        digest = hashlib.sha256(os.fsencode(relative_path.as_posix())).digest()
        return int.from_bytes(digest[:_HASH_BYTES], "big") % self.count == self.number - 1


@dataclass(frozen=True)
class ScaleOptions(Checked):
    """Which videos of the input a run takes, and on which machines."""

    shard: Shard | None = None
    """None: all of them."""
    ray: RaySettings | None = None
    """None: this machine scores."""

"""All that one run over a folder is asked to do, by the command or by a program."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

from syncnet.errors import UsageError
from syncnet.settings.checks import Checked, Rule
from syncnet.settings.cuts import CutOptions
from syncnet.settings.repair import RepairSettings
from syncnet.settings.run import (
    DEFAULT_WORKERS,
    LookOptions,
    ReportOptions,
    RunOptions,
    ScaleOptions,
    TerminalOptions,
)
from syncnet.settings.scoring import PRESETS, ScorerSettings

STDIN = Path("-")
"""As the name of a list."""


@dataclass(frozen=True)
class Request(Checked):
    """What is asked for is checked; whether the files are there is not."""

    input_dir: Path | None
    """None where a list takes its place; or one video, which is its folder's only one then."""
    output_dir: Path
    input_manifest: Path | None = None
    recursive: bool = False
    keep_all: bool = False
    max_workers: Annotated[int, Rule("a whole number of 1 or more", least=1)] = DEFAULT_WORKERS
    settings: ScorerSettings = field(default_factory=ScorerSettings)
    options: RunOptions = field(default_factory=RunOptions)
    report: ReportOptions = field(default_factory=ReportOptions)
    looks: LookOptions = field(default_factory=LookOptions)
    cuts: CutOptions = field(default_factory=CutOptions)
    terminal: TerminalOptions = field(default_factory=TerminalOptions)
    scale: ScaleOptions = field(default_factory=ScaleOptions)
    repair: RepairSettings = field(default_factory=RepairSettings)
    preset: Annotated[str | None, Rule(choices=tuple(PRESETS))] = None
    """The one that the thresholds are from."""
    audio_dir: Path | None = None
    """A sound file for each video, in the place of its own sound; None where they are heard themselves."""
    calibrate: Annotated[bool, Rule(flag=None)] = False
    """The input folder is held to be in sync: thresholds are asked for that fit it, and nothing is copied."""
    temporary_output: Annotated[bool, Rule(flag=None)] = False
    """The output folder is to be removed after the run."""
    one_video: Annotated[bool, Rule(flag=None)] = False
    """``input_dir`` is a video; found out when the run begins."""
    arguments: Annotated[tuple[str, ...], Rule(flag=None)] = ()
    """The words of the command line, where there was one."""

    def __post_init__(self) -> None:
        for flag in ("input_dir", "input_manifest", "output_dir"):
            # The empty name is the current folder to pathlib: an unset variable of a program must not mean that.
            if getattr(self, flag) == "":
                raise UsageError(f"--{flag}: the name is empty", cure="give the name of a folder or a file")
        super().__post_init__()
        if self.input_manifest is not None:
            for flag, given in (("input_dir", self.input_dir), ("recursive", self.recursive)):
                if given:
                    problem = f"--input_manifest names every video: --{flag} does not go with it"
                    raise UsageError(problem, cure="leave one out")
        elif self.input_dir is None:
            raise UsageError("the following arguments are required: --input_dir", cure="add --input_dir DIR")
        if self.terminal.log_format != "text" and self.options.log_file is None:
            problem = f"--log_format {self.terminal.log_format} needs a log"
            raise UsageError(problem, cure="give --log_file FILE as well")
        if self.audio_dir is not None and self.settings.media.audio_track is not None:
            problem = "--audio_track counts the sound tracks of a video, and --audio_dir takes their place"
            raise UsageError(problem, cure="leave one out")
        if self.calibrate and self.terminal.json:
            raise UsageError("--json prints the results, and --calibrate thresholds", cure="give one of them")
        if self.calibrate and self.cuts.cut != "none":
            raise UsageError("--calibrate only looks for thresholds: --cut does not go with it", cure="leave one out")
        if self.repair.repair and self.keep_all:
            raise UsageError("--repair writes files, and --keep_all writes none", cure="give one of them")
        if self.calibrate:
            object.__setattr__(self, "keep_all", True)
            # The faces are tried with each other's sound as well.
            object.__setattr__(self, "settings", replace(self.settings, keep_embeddings=True))

    @property
    def base_dir(self) -> Path:
        """The folder that videos are named from: the input folder, or the one that lines of the list start from."""
        return self.searched_dir or manifest_base(self.input_manifest or STDIN)

    @property
    def searched_dir(self) -> Path | None:
        """The input folder, or that of the one video; None where a list takes its place."""
        return self.input_dir.parent if self.input_dir and self.one_video else self.input_dir

    @property
    def input_name(self) -> Path:
        """What the videos are named by: the list, the folder or the one video."""
        return self.input_manifest or self.input_dir or self.base_dir

    @property
    def quiet(self) -> bool:
        """Whether only what went wrong is said."""
        return self.options.cron or self.terminal.quiet


def manifest_base(manifest: Path) -> Path:
    """The absolute folder that relative lines start from: the manifest's own, or for stdin the current one."""
    folder = Path("." if manifest == STDIN else manifest.parent)
    # What stands before `..` may be a link, which leads elsewhere than the text says.
    return folder.resolve() if ".." in folder.parts else Path(os.path.abspath(folder))

"""The flags for more videos than one folder or one machine holds."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.shards import Shard, parse_shard, shard_folder, slurm_shard

_FROM_SLURM = "slurm"


@dataclass(frozen=True)
class ScaleOptions:
    """Which videos of the input this run takes, and on which machines."""

    shard: Shard | None = None
    """None: all of them."""

    def work_dir(self, input_dir: Path, output_dir: Path) -> Path:
        """The folder that this run works in: the output folder, or that of its shard below it. Raises UsageError."""
        if self.shard is None:
            return output_dir
        if os.path.realpath(input_dir) == os.path.realpath(output_dir):
            raise UsageError("--input_dir and --output_dir are the same folder", cure="give another --output_dir")
        return shard_folder(output_dir, self.shard)


def add_scale_flags(parser: argparse.ArgumentParser) -> None:
    """One group."""
    group = parser.add_argument_group("many machines (docs/scale-out.md)")
    group.add_argument(
        "--shard",
        nargs="?",
        const=_FROM_SLURM,
        metavar="I/N",
        help="only part I of N of the videos, in OUTPUT_DIR/shards/I-of-N; "
        "without I/N as a task of a Slurm job array; the subcommand merge makes one folder of them",
    )


def read_scale_options(options: argparse.Namespace) -> ScaleOptions:
    """Raises UsageError for what cannot be meant."""
    return ScaleOptions(shard=_shard(options.shard))


def _shard(text: str | None) -> Shard | None:
    if text is None:
        return None
    return slurm_shard(os.environ) if text == _FROM_SLURM else parse_shard(text)

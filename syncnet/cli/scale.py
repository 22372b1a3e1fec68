"""The flags for more videos than one folder or one machine holds."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.inputs.shards import Shard, parse_shard, shard_folder, slurm_shard
from syncnet.settings import RaySettings

_FROM_SLURM = "slurm"


@dataclass(frozen=True)
class ScaleOptions:
    """Which videos of the input this run takes, and on which machines."""

    shard: Shard | None = None
    """None: all of them."""
    ray: RaySettings | None = None
    """None: this machine scores."""

    def work_dir(self, input_dir: Path | None, output_dir: Path) -> Path:
        """The folder that this run works in: the output folder, or that of its shard below it. Raises UsageError.

        ``input_dir``: None where videos are named one by one.
        """
        if self.shard is None:
            return output_dir
        if input_dir is not None and os.path.realpath(input_dir) == os.path.realpath(output_dir):
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
        help="process only part I of N of the videos, in OUTPUT_DIR/shards/I-of-N; without I/N: the part of this "
        "Slurm array task. The subcommand merge joins the parts",
    )
    group.add_argument(
        "--engine", choices=("threads", "ray"), default="threads", help="where to score: this machine or a Ray cluster"
    )
    group.add_argument(
        "--ray_address",
        metavar="ADDRESS",
        help="Ray cluster to use: auto, HOST:PORT, ray://HOST:PORT, or local to start one on this machine "
        "(default: the cluster that runs on this machine, else a new one)",
    )
    group.add_argument(
        "--num_gpus_per_worker",
        type=float,
        metavar="F",
        help=f"share of a GPU for each worker on the cluster (default {RaySettings().num_gpus_per_worker:g})",
    )
    group.add_argument(
        "--num_cpus_per_worker",
        type=float,
        metavar="N",
        help=f"processor cores for each worker on the cluster (default {RaySettings().num_cpus_per_worker:g})",
    )


def read_scale_options(options: argparse.Namespace) -> ScaleOptions:
    """Raises UsageError for what cannot be meant."""
    return ScaleOptions(shard=_shard(options.shard), ray=_ray(options))


def _ray(options: argparse.Namespace) -> RaySettings | None:
    names = {"address": "ray_address", "num_cpus_per_worker": "", "num_gpus_per_worker": ""}
    given = {name: value for name, flag in names.items() if (value := getattr(options, flag or name)) is not None}
    if options.engine == "ray":
        return RaySettings(**given, workers=options.max_workers)
    for name in given:
        flag = names[name] or name
        raise UsageError(f"--{flag} is for --engine ray", cure="leave it out, or add --engine ray")
    return None


def _shard(text: str | None) -> Shard | None:
    if text is None:
        return None
    return slurm_shard(os.environ) if text == _FROM_SLURM else parse_shard(text)

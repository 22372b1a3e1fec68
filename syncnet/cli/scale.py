"""The flags for more videos than one folder or one machine holds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import Any

from syncnet.cli.reading import settings_from
from syncnet.errors import UsageError
from syncnet.inputs.shards import parse_shard, slurm_shard
from syncnet.settings import RaySettings, ScaleOptions, Shard

_FROM_SLURM = "slurm"


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


def read_scale_options(options: argparse.Namespace, given: Mapping[str, Any]) -> ScaleOptions:
    """Raises UsageError for what cannot be meant."""
    if options.engine == "ray":
        return ScaleOptions(_shard(options.shard), settings_from(RaySettings, given))
    for flag in ("ray_address", "num_cpus_per_worker", "num_gpus_per_worker"):
        if flag in given:
            raise UsageError(f"--{flag} is for --engine ray", cure="leave it out, or add --engine ray")
    return ScaleOptions(_shard(options.shard))


def _shard(text: str | None) -> Shard | None:
    if text is None:
        return None
    return slurm_shard(os.environ) if text == _FROM_SLURM else parse_shard(text)

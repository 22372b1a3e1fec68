"""One of several equal parts of the videos, for machines that know nothing of each other (docs/scale-out.md)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from syncnet.errors import UsageError
from syncnet.settings import Shard

SHARDS_FOLDER = "shards"


def parse_shard(text: str) -> Shard:
    """``3/8``. Raises UsageError for anything else."""
    found = re.fullmatch(r"(\d+)/(\d+)", text, re.ASCII)
    if found is None:
        raise UsageError(f"--shard {text}", cure="give I/N, with I from 1 to N")
    return Shard(int(found[1]), int(found[2]))


def slurm_shard(environment: Mapping[str, str]) -> Shard:
    """The part of this task of a Slurm job array that counts from 0 or from 1 without a gap. Raises UsageError.

    Of an array with gaps (some tasks submitted again) Slurm does not say how many tasks there first were.
    """
    names = ("SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_COUNT", "SLURM_ARRAY_TASK_MIN", "SLURM_ARRAY_TASK_MAX")
    if not all(re.fullmatch(r"\d+", environment.get(name, ""), re.ASCII) for name in names):
        raise UsageError("--shard without I/N needs a Slurm job array", cure="give I/N, with I from 1 to N")
    task, count, first, last = (int(environment[name]) for name in names)
    if first > 1 or last - first + 1 != count:
        raise UsageError(
            f"--shard: a job array of {count} tasks from {first} to {last} does not say how many parts there are",
            cure="give --shard $SLURM_ARRAY_TASK_ID/N, with the N of the first run",
        )
    return Shard(task - first + 1, count)


def shard_folder(output_dir: Path, shard: Shard) -> Path:
    """Where the part has its results. Raises UsageError where the folder holds parts of another split."""
    folder = output_dir / SHARDS_FOLDER
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        names = []
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}", cure="give an --output_dir you can write to") from error
    counts = {int(found[1]) for name in names if (found := re.fullmatch(r"\d+-of-(\d+)", name, re.ASCII))}
    if other := counts - {shard.count}:
        raise UsageError(
            f"{folder} holds parts of a split into {max(other)}, not in {shard.count}",
            cure=f"give --shard I/{max(other)}, or another --output_dir",
        )
    return folder / shard.name

"""Scorers that the workers of a test's Ray cluster import by name."""

from __future__ import annotations

import os
import time
from pathlib import Path

import ray
from fakes import score_by_name

from syncnet.engines.serving import Score
from syncnet.errors import UsageError
from syncnet.results import VideoScore
from syncnet.system.interruption import StopFlag

HANG_SECONDS = 300.0


def load_by_name() -> Score:
    """Scores as the name of the file says; ``crash`` ends the process, ``slow`` takes longer than any test."""

    def score(path: Path, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
        if "crash" in path.name:
            with (path.parent / "crashes").open("a") as note:
                note.write("x")
            os._exit(11)
        if "slow" in path.name:
            time.sleep(HANG_SECONDS)
        return score_by_name(path, None, stop)

    return score


def load_holding(node: str, notes: Path) -> Score:
    """On that node the first video is held until the node dies; every video leaves a note of who took it up.

    The other nodes wait for that: an idle machine would else be done before the doomed node has loaded its scorer.
    """

    def score(path: Path, stop: StopFlag, _sound: Path | None = None) -> VideoScore:
        here = ray.get_runtime_context().get_node_id()
        (notes / f"{path.name}.{here}.{os.getpid()}").touch()
        if here == node:
            time.sleep(HANG_SECONDS)
        ends = time.monotonic() + HANG_SECONDS
        while not any(notes.glob(f"*.{node}.*")) and time.monotonic() < ends:
            time.sleep(0.05)
        return score_by_name(path, None, stop)

    return score


def load_nothing() -> Score:
    """A node without the model's file."""
    raise UsageError("no model file", cure="copy it there")

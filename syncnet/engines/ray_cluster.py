"""The Ray cluster that a run scores on: an optional library, imported here and where it is used only."""

from __future__ import annotations

import importlib.util
import logging
import math
import os
import signal
import socket
import sys
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from syncnet.errors import UsageError
from syncnet.settings import RaySettings
from syncnet.system.invocation import PROGRAM, install_requirements

_CURE = "start a cluster there (ray start --head), or give --ray_address local to start one for this run"
_LONGEST_REASON = 300
ANSWER_SECONDS = 10.0
"""More than enough for a machine that is there."""
CODE_FOLDER = Path(__file__).resolve().parents[2]


@contextmanager
def connected(settings: RaySettings) -> Iterator[None]:
    """A connection while the block runs; one that is there already is used and kept. Raises UsageError."""
    if importlib.util.find_spec("ray") is None:
        raise UsageError("--engine ray: Ray is not installed", cure=install_requirements("ray"))
    import ray

    if ray.is_initialized():
        yield
        return
    _check_answers(settings.address or os.environ.get("RAY_ADDRESS", ""))
    # Ray puts a handler of its own in place, which would end the run with nothing told.
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(
            address=settings.address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": {"PYTHONPATH": _python_path()}},
            **({"include_dashboard": False} if _may_be_new(settings) else {}),
        )
    except (ConnectionError, ValueError, RuntimeError, ImportError) as error:
        where = settings.address or "of this machine"
        raise UsageError(f"--ray_address {where}: {_in_one_line(error)}", cure=_CURE) from error
    finally:
        signal.signal(signal.SIGTERM, handler)
    try:
        yield
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raises UsageError where nobody answers at HOST:PORT: Ray itself would go on trying for minutes."""
    try:
        parts = urllib.parse.urlsplit(address if "://" in address else f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None:
        # A word such as auto; or nothing that is known here, which Ray will say.
        return
    try:
        socket.create_connection((host, port), ANSWER_SECONDS).close()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"--ray_address {address}: {reason}", cure=_CURE) from error


def _may_be_new(settings: RaySettings) -> bool:
    """Whether connecting may start a cluster, which then takes options that one that is there does not."""
    return settings.address == "local" or not (settings.address or "RAY_ADDRESS" in os.environ)


def _in_one_line(error: Exception) -> str:
    """Ray tells in several lines, for example, the two versions that do not fit."""
    words = " ".join(str(error).split()).rstrip(".")
    return words if len(words) <= _LONGEST_REASON else f"{words[:_LONGEST_REASON]}..."


def count_workers(settings: RaySettings) -> int:
    """How many workers the cluster holds at once, at least 1: it may be about to grow.

    Raises UsageError where not one fits into a cluster that was started for this run, and so never grows.
    """
    import ray

    nodes: list[dict[str, Any]] = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    fitting = sum(_fitting(resources, settings) for resources in nodes)
    if fitting == 0:
        problem = f"no node of the cluster has room for a worker of {settings.num_cpus_per_worker:g} CPUs"
        if settings.num_gpus_per_worker:
            problem += f" and {settings.num_gpus_per_worker:g} GPUs"
        if _may_be_new(settings):
            raise UsageError(problem, cure="give fewer --num_cpus_per_worker or --num_gpus_per_worker")
        print(f"{PROGRAM}: {problem}: the run waits until it grows", file=sys.stderr)
    return max(1, fitting)


def living_nodes() -> set[str]:
    """Identifiers of the nodes that the cluster believes alive; it may take some seconds to learn of a death."""
    import ray

    return {str(node["NodeID"]) for node in ray.nodes() if node["Alive"]}


def _fitting(resources: dict[str, float], settings: RaySettings) -> int:
    counts = [resources.get("CPU", 0.0) / settings.num_cpus_per_worker]
    if settings.num_gpus_per_worker:
        counts.append(resources.get("GPU", 0.0) / settings.num_gpus_per_worker)
    return math.floor(min(counts))


def _python_path() -> str:
    """The nodes import this very code, from the same path: videos lie on shared storage, and so does the tool."""
    return os.pathsep.join([str(CODE_FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])])

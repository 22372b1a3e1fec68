"""Who scores: the threads of this process, or the workers of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from syncnet.errors import UsageError
from syncnet.scorer import SyncScorer
from syncnet.settings import Request, ScorerSettings
from syncnet.state.pinning import NO_DETECTOR, Pin
from weights import Identity

if TYPE_CHECKING:
    from pathlib import Path

    from syncnet.engines.isolated import SharedChild
    from syncnet.engines.serving import Score
    from syncnet.pipeline import Stages
    from syncnet.results import VideoScore
    from syncnet.stages import ChosenStages
    from syncnet.system.interruption import StopFlag
    from syncnet.system.log import Log


@dataclass(frozen=True)
class Engine:
    """How the videos of a run are scored."""

    score: Score
    workers: int
    """Videos at once."""
    remote: bool = False
    """Whether they are scored in other processes anyway, which a video may take along."""
    score_uri: Callable[[str, StopFlag, Path | None], VideoScore] | None = None
    """For remote videos, where they are fetched by who scores them."""


def shared_child(request: Request, load: Callable[[], Score], log: Log) -> SharedChild | None:
    """What scores in place of this process, not started yet. None where videos are scored in other ones anyway."""
    from syncnet.engines.isolated import SharedChild

    if request.options.isolate or request.scale.ray is not None:
        return None

    def tell(how: str) -> None:
        log.error(f"the process that scores died ({how}): what was under way is tried again, alone")

    return SharedChild(load, tell)


@contextmanager
def open_engine(
    request: Request, chosen: ChosenStages, workers: int, video_count: int, child: SharedChild | None = None
) -> Iterator[Engine]:
    """The engine that the request asks for; ``child``: what scores in place of this process. Raises UsageError."""
    ray = request.scale.ray
    if ray is None and child is not None:
        with child:
            yield Engine(child.score, workers)
        return
    if ray is None:
        yield Engine(SyncScorer(request.settings, stages=chosen.load()).measure, workers)
        return
    from syncnet.engines.ray_cluster import connected, count_workers

    with connected(ray):
        from syncnet.engines.ray_scorers import RayScorers

        workers = max(1, min(ray.workers or count_workers(ray), video_count))
        load = partial(load_on_node, _without_auto(request.settings, chosen), pin_of(chosen), ray.num_cpus_per_worker)
        with RayScorers(load, ray, workers) as scorers:
            yield Engine(scorers.score, workers, remote=True, score_uri=scorers.score_uri)


@contextmanager
def idle_engine(workers: int) -> Iterator[Engine]:
    """For a run that has nothing to score."""
    yield Engine(_score_nothing, workers)


def _score_nothing(path: Path, stop: StopFlag, sound_file: Path | None = None) -> VideoScore:  # noqa: ARG001 (a Score)
    raise RuntimeError(f"{path} was to be scored by a run without models")


def load_on_node(settings: ScorerSettings, expected: Pin, cores: float) -> Score:
    """What a worker of the cluster scores with. Raises UsageError where it would give scores of another kind."""
    from syncnet.system.cores import count_cores

    scorer = SyncScorer(settings, workers=max(1, round(count_cores() / cores)))
    if pin_of(scorer.stages) != expected:
        raise UsageError(
            "its model, detector or OpenCV differs from that of the machine that started the run",
            cure="give all of them the same --weights_dir and the same packages",
        )
    return scorer.measure


def on_this_machine(request: Request) -> ScorerSettings:
    """The settings as the machine itself takes them up: one that only hands videos out needs no GPU."""
    return request.settings if request.scale.ray is None else replace(request.settings, device="cpu")


def pin_of(stages: Stages | ChosenStages) -> Pin:
    """The model and the detector of the stages."""
    model, detector = stages.model, stages.detector
    identity = Identity(detector.name, detector.identity) if detector else Identity(NO_DETECTOR, NO_DETECTOR)
    return Pin(Identity(model.name, model.identity), identity)


def _without_auto(settings: ScorerSettings, stages: ChosenStages) -> ScorerSettings:
    """With what ``auto`` came to, so that no node comes to something else."""
    detector = settings.detector if stages.detector is None else stages.detector.name
    speed = replace(settings.speed, precision=stages.precision)
    return replace(settings, model=stages.model.name, detector=detector, speed=speed)

"""What a run tells: the results file, the progress and the summary. All of them are made from ``Run``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from syncnet.decisions.kept import NO_DECISIONS, Decisions
from syncnet.inputs.discovery import FoundVideos, SkippedPath
from syncnet.placement.folders import OutputFolders
from syncnet.repair.records import RepairRecord
from syncnet.results import VideoResult
from syncnet.scoring.score import SyncScore
from syncnet.settings import ScorerSettings
from weights import Identity


@dataclass(frozen=True)
class WrongSound:
    """A face with the sound of another video."""

    face: int
    """Position of its video among the results that have a score."""
    score: SyncScore


@dataclass(frozen=True)
class OtherSounds:
    """What became of all faces with each other's sound."""

    pairs: tuple[WrongSound, ...] = ()
    same: int = 0
    """Pairs that were left out, because both videos have the same sound."""


NO_OTHER_SOUNDS = OtherSounds()


@dataclass(frozen=True)
class Run:
    """One run over a folder."""

    folders: OutputFolders
    settings: ScorerSettings
    """As given, before ``auto`` was settled."""
    preset: str | None
    """That the thresholds are from."""
    model: Identity
    detector: Identity
    found: FoundVideos
    results: Sequence[VideoResult]
    """In path order; after an interruption those that were finished."""
    keep_all: bool
    interrupted: bool
    seconds: float
    complete: bool = True
    """False while the run is under way, so that a killed run's file tells it."""
    unlisted: int = 0
    """Results of videos that this run does not find: moved into the output folders, or of another input."""
    gone: Sequence[VideoResult] = ()
    """What is known of videos that are gone. They are no part of the results, and are counted nowhere."""
    pending: Sequence[SkippedPath] = ()
    """Videos that are still changing."""
    left_for_later: int = 0
    """New videos beyond the limit."""
    reference_tools: str = ""
    """What did the published passes, and its version; empty where they were not asked for."""
    decisions: Decisions = NO_DECISIONS
    """Of people, as the folder keeps them."""
    repaired: Sequence[RepairRecord] = ()
    """What this run did about sound that is off, file by file."""
    other_sounds: OtherSounds = NO_OTHER_SOUNDS
    """What the faces score with each other's sound, where that was tried."""
    notices: tuple[str, ...] = ()
    """What a reader should know of the choice of model and detector, a sentence each."""

    @property
    def total(self) -> int:
        """All videos that are known of, but for those that are gone."""
        return len(self.found.videos) + self.unlisted

    def with_results(self, results: Iterable[VideoResult]) -> Run:
        """The run with the results of all videos, told apart by whether they are gone."""
        present: list[VideoResult] = []
        gone: list[VideoResult] = []
        for result in results:
            (gone if result.missing else present).append(result)
        return replace(self, results=present, gone=gone)


@dataclass
class Counts:
    """How many videos came out how."""

    good: int = 0
    poor: int = 0
    no_faces: int = 0
    failed: int = 0
    accepted: int = 0
    """Of the good ones, those that a person accepted."""
    rejected: int = 0
    """Of the poor ones, those that a person rejected."""

    def add(self, result: VideoResult) -> None:
        if result.status == "pending":
            return
        if result.verdict and (decision := result.verdict.decision):
            self.accepted += decision.accepted
            self.rejected += not decision.accepted
        if result.status == "failed":
            self.failed += 1
        elif result.status == "no_faces":
            self.no_faces += 1
        elif result.passed:
            self.good += 1
        else:
            self.poor += 1

    @property
    def successful(self) -> int:
        return self.good + self.poor

    @property
    def all(self) -> int:
        return self.successful + self.no_faces + self.failed


def count_results(results: Iterable[VideoResult]) -> Counts:
    counts = Counts()
    for result in results:
        counts.add(result)
    return counts


@dataclass(frozen=True)
class ThisRun:
    """What a run did itself, as against what earlier ones had found out."""

    scored: int
    found_again: int
    """Scores taken from the store of all runs."""
    unchanged: int
    placed: int
    """Files put into the output folders, moved between them or taken out of them."""
    counts: Counts
    """Of the scored and the found ones; ``failed`` of everything that went wrong in this run."""


def count_this_run(results: Sequence[VideoResult]) -> ThisRun:
    sources = [result.source for result in results]
    counts = count_results(result for result in results if result.source != "ledger" or result.failed_now)
    return ThisRun(
        scored=sources.count("scored"),
        found_again=sources.count("cache"),
        unchanged=sources.count("ledger"),
        placed=sum(result.placed for result in results),
        counts=counts,
    )

"""What an evaluation found: the numbers of each folder, and of their difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from syncnet.evaluation.measures import FileMeasures, Kind, Measure
from syncnet.evaluation.pairs import Paired, pair_files
from syncnet.evaluation.protocols import Protocol
from syncnet.evaluation.statistics import Summary, summarise

NUMBERS: dict[str, Callable[[Measure], float]] = {
    "C": lambda measure: measure.confidence,
    "D": lambda measure: measure.distance,
    "|offset|": lambda measure: float(measure.abs_offset),
}
ALL_FACES = "all faces"
"""Numbers that a protocol tells beside its own."""


@dataclass(frozen=True)
class FolderFindings:
    """One folder."""

    label: str
    files: Sequence[FileMeasures]
    summaries: Mapping[str, Summary | None]
    """By the name of the number."""

    def count(self, kind: Kind) -> int:
        return sum(each.kind == kind for each in self.files)


@dataclass(frozen=True)
class Difference:
    """The first folder minus the second."""

    paired: Paired
    summaries: Mapping[str, Summary | None]
    """Of the differences of pairs."""


@dataclass(frozen=True)
class Names:
    """What the numbers may be called."""

    prefix: str
    """``LSE`` for the published network, else ``lite``."""

    def of(self, number: str) -> str:
        """``LSE-C``, ``LSE-C, all faces`` or ``|offset|``."""
        return f"{self.prefix}-{number}" if number[0] in "CD" else number


def find_in_folder(label: str, files: Sequence[FileMeasures], protocol: Protocol, seed: int) -> FolderFindings:
    """The statistics of a folder."""
    measured = [each for each in files if each.kind == "measured"]
    summaries = {
        name: summarise([[number(measure) for measure in each.counted] for each in measured], seed)
        for name, number in NUMBERS.items()
    }
    if protocol.faces == "apart":
        # The source tells both.
        for name in ("C", "D"):
            means = [[NUMBERS[name](each.over_faces)] for each in measured if each.over_faces]
            summaries[f"{name}, {ALL_FACES}"] = summarise(means, seed)
    return FolderFindings(label, files, summaries)


def find_difference(one: FolderFindings, two: FolderFindings, seed: int) -> Difference:
    """Of files of the same name; of each the mean of what counts."""
    paired = pair_files(one.files, two.files)
    summaries = {
        name: summarise([[_of_file(first, number) - _of_file(second, number)] for first, second in paired.pairs], seed)
        for name, number in NUMBERS.items()
    }
    return Difference(paired, summaries)


def _of_file(file: FileMeasures, number: Callable[[Measure], float]) -> float:
    # Of several crops the mean of their offsets' sizes, and not the size of their mean.
    return sum(map(number, file.counted)) / len(file.counted)

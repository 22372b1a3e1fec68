"""Two folders, file by file of the same name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from syncnet.evaluation.measures import FileMeasures


@dataclass(frozen=True)
class Paired:
    """What there is to compare."""

    pairs: tuple[tuple[FileMeasures, FileMeasures], ...]
    """Both of them measured, in the order of the first folder."""
    unmeasured: int
    """Pairs of which one was not measured."""
    alone: tuple[int, int]
    """Files of each folder without a partner."""


def pair_files(one: Sequence[FileMeasures], two: Sequence[FileMeasures]) -> Paired:
    """Files of the same name below their folders; else of the same one without its ending, where only one has it."""
    partners = {each.name: each for each in two}
    found = {each.name: partners[each.name] for each in one if each.name in partners}
    others = _by_stem([each for each in two if each.name not in found])
    for stem, each in _by_stem([each for each in one if each.name not in found]).items():
        if stem in others:
            found[each.name] = others[stem]
    both = [(each, found[each.name]) for each in one if each.name in found]
    measured = tuple(pair for pair in both if all(each.kind == "measured" for each in pair))
    return Paired(measured, len(both) - len(measured), (len(one) - len(both), len(two) - len(both)))


def _by_stem(files: Sequence[FileMeasures]) -> dict[PurePath, FileMeasures]:
    """By name without ending, those that share theirs with no other."""
    stems = [PurePath(each.name).with_suffix("") for each in files]
    counts = Counter(stems)
    return {stem: each for stem, each in zip(stems, files, strict=True) if counts[stem] == 1}

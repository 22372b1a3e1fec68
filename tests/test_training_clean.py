"""Which labels of the corpus are changed, on readings made by hand."""

from __future__ import annotations

from training.clean import Reading, corrections
from training.corpus import CorpusClip


def reading(name: str, source: str, offset: int, raw: float) -> Reading:
    return Reading(CorpusClip(name, source, "", 0, 100), offset, raw)


def test_a_source_with_a_constant_is_corrected_by_it() -> None:
    steady = [reading(f"s{number}", "steady", 2, 0.3) for number in range(4)]
    unclear = reading("unclear", "steady", -1, 0.1)
    assert corrections([*steady, reading("s4", "steady", 1, 0.3), unclear]) == {
        **{f"s{number}": 2 for number in range(5)},
        "unclear": 2,
    }


def test_few_sharp_clips_are_no_constant() -> None:
    assert corrections([reading(f"f{number}", "few", 1, 0.3) for number in range(4)]) == {}


def test_a_sharp_clip_off_by_more_than_a_frame_is_moved_and_one_frame_is_let_be() -> None:
    source = [reading(f"c{number}", "clean", 0, 0.3) for number in range(5)]
    assert corrections([*source, reading("off", "clean", -2, 0.3), reading("near", "clean", 1, 0.3)]) == {"off": -2}


def test_no_agreement_and_far_off_are_dropped() -> None:
    source = [reading(f"c{number}", "clean", 0, 0.3) for number in range(5)]
    far, none = reading("far", "clean", 7, 0.17), reading("none", "clean", 0, 0.05)
    assert corrections([*source, far, none]) == {"far": None, "none": None}


def test_far_off_but_sure_is_moved() -> None:
    source = [reading(f"c{number}", "clean", 0, 0.3) for number in range(5)]
    assert corrections([*source, reading("sure", "clean", -7, 0.24)]) == {"sure": -7}

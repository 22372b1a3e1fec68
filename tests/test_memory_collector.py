from __future__ import annotations

import gc

import pytest

from syncnet.system.collector import without_collector


def test_the_collector_is_as_it_was_afterwards() -> None:
    assert gc.isenabled()
    with without_collector():
        assert not gc.isenabled()
        with without_collector():
            assert not gc.isenabled()
        assert not gc.isenabled(), "the inner one gives back what it found"
    assert gc.isenabled()


def test_also_after_an_error_and_around_a_function_called_twice() -> None:
    @without_collector()
    def seen(number: int) -> bool:
        if number < 0:
            raise ValueError(number)
        return gc.isenabled()

    assert (seen(1), seen(2)) == (False, False)
    with pytest.raises(ValueError, match="-1"):
        seen(-1)
    assert gc.isenabled()


def test_what_was_made_counts_as_old_and_is_collected_with_it() -> None:
    with without_collector():
        made = [[number] for number in range(1000)]
    assert not any(thing is made for thing in gc.get_objects(generation=0))
    assert any(thing is made for thing in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_what_others_have_frozen_stays_so() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with without_collector():
            pass
        assert gc.get_freeze_count() == frozen > 0
    finally:
        gc.unfreeze()

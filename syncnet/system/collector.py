"""Python's search for circles of garbage, held off while thousands of results come to life at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """For work that makes many objects which stay, and no circles.

    The collector would look through all of them again and again, for a quarter of the time, and find nothing. What no
    longer has an owner is freed as ever. It holds for the whole process, so only while something is read or written.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            _believe_that_all_stays()
            gc.enable()


def _believe_that_all_stays() -> None:
    """Moves all objects to those that are old, which are seldom looked through; else the next look takes in all new."""
    if gc.get_freeze_count() == 0:
        gc.freeze()
        # What somebody else has frozen would come to life with it.
        gc.unfreeze()

"""The quick version of benchmarks/mutants.py: a few broken files through the real scoring in a child process."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.mutants import CLIPS, mutate, try_mutants


@pytest.mark.slow
def test_broken_files_crash_nothing_and_have_foreseen_words(tmp_path: Path) -> None:
    findings = try_mutants(tmp_path, count=8, seed=1, workers=1)
    assert findings.suspects == {}
    assert findings.outcomes.total() == 8 * len(CLIPS)
    assert len(findings.memory_mb) == 1, "a child was lost"


def test_a_mutant_is_the_same_for_the_same_numbers() -> None:
    data = bytes(range(256)) * 40
    assert mutate(data, 0, 3, seed=1) == mutate(data, 0, 3, seed=1)
    assert mutate(data, 0, 3, seed=1) not in (data, mutate(data, 1, 3, seed=1))

"""Scores in a user's cache are those of the code that runs: it does not change without a word on its scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syncnet.state.records import SCORING_VERSION
from tests.scoring_sources import RECORDED, STAGES, digest_of_stages, syntax_of


def test_the_stages_are_those_that_the_version_was_recorded_for() -> None:
    recorded = json.loads(RECORDED.read_text())
    assert recorded == {"scoring_version": SCORING_VERSION, "stages": digest_of_stages()}, (
        "The code of a stage has changed. Raise SCORING_VERSION in syncnet/state/records.py where scores come out in "
        "another way (without that, users are given old scores out of their cache), then: "
        "python -m tests.scoring_sources"
    )


def test_what_is_said_about_the_code_does_not_count() -> None:
    plain = "X = 1\n\n\ndef f(x: int) -> int:\n    return x\n"
    told = '"""Module."""\nX = 1\n"""A constant."""\n# Why.\ndef f(x: int) -> int:\n    """It."""\n    return  x\n'
    assert syntax_of(plain) == syntax_of(told)
    assert syntax_of(plain) != syntax_of(plain.replace("X = 1", "X = 2"))
    assert syntax_of('def f():\n    """Only words."""\n') == syntax_of("def f():\n    pass\n")


def test_every_stage_counts(repository: Path, tmp_path: Path) -> None:
    for stage in STAGES:
        source = repository / stage
        files = source.rglob("*.py") if source.is_dir() else [source]
        for file in files:
            copy = tmp_path / file.relative_to(repository)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(file.read_bytes())
    before = digest_of_stages(tmp_path)
    assert before == digest_of_stages(repository)
    for stage in STAGES:
        path = tmp_path / stage
        file = max(path.rglob("*.py")) if path.is_dir() else path
        text = file.read_text()
        file.write_text(text + "\nCHANGED = 1\n")
        assert digest_of_stages(tmp_path) != before, stage
        file.write_text(text)


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_there(stage: str, repository: Path) -> None:
    assert (repository / stage).exists()

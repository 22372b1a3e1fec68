"""Imports go one way: command -> reports -> engines -> pipeline -> stages -> models, detectors -> weights."""

from __future__ import annotations

import ast
import graphlib
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
OURS = ("syncnet", "detectors", "weights", "filter_videos_by_sync_score")

# A module may import modules of its own rank and of lower ones. The longest matching prefix counts.
RANKS = {
    "syncnet": 0,
    "syncnet.errors": 0,
    "syncnet.settings": 0,
    "syncnet.interruption": 0,
    "syncnet.locking": 0,
    "syncnet.memory": 0,
    "syncnet.log": 0,
    "syncnet.text": 0,
    "syncnet.invocation": 0,
    "syncnet.temporary": 0,
    "syncnet.shards": 0,
    "weights": 1,
    "weights.__main__": 7,
    "syncnet.published_check": 4,
    "syncnet.pinning": 3,
    "detectors": 2,
    "syncnet.features": 2,
    "syncnet.models": 2,
    "syncnet.media": 3,
    "syncnet.shots": 3,
    "syncnet.kept_faces": 3,
    "syncnet.faces": 3,
    "syncnet.tracks": 3,
    "syncnet.crops": 3,
    "syncnet.reference": 3,
    "syncnet.speech": 3,
    "syncnet.evidence": 3,
    "syncnet.timing": 3,
    "syncnet.scoring": 3,
    "syncnet.turns": 3,
    "syncnet.verdict": 3,
    "syncnet.advice": 3,
    "syncnet.work_folder": 0,
    "syncnet.discovery": 3,
    "syncnet.input_manifest": 3,
    "syncnet.remote": 3,
    "syncnet.keepsake": 3,
    "syncnet.placement": 3,
    "syncnet.pipeline": 4,
    "syncnet.records": 5,
    "syncnet.ledger": 5,
    "syncnet.score_store": 5,
    "syncnet.engines": 5,
    "syncnet.looks": 6,
    "syncnet.report": 6,
    "syncnet.report.page_command": 7,
    "syncnet.session": 6,
    "syncnet.scorer": 6,
    "syncnet.cli": 7,
    "syncnet.subcommands": 7,
    "syncnet.inputs": 7,
    "syncnet.preparation": 7,
    "syncnet.engine_choice": 7,
    "syncnet.merge": 7,
    "syncnet.rescore": 7,
    "syncnet.command": 7,
    "syncnet.telling": 7,
    "syncnet.api": 8,
    "filter_videos_by_sync_score": 8,
}

FETCHING = ("weights.fetch", "weights.transfer")
"""Imported only where a file has to be fetched."""


def module_name(path: Path) -> str:
    parts = path.relative_to(REPOSITORY).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def our_files() -> list[Path]:
    folders = [REPOSITORY / name for name in ("syncnet", "detectors", "weights")]
    return [REPOSITORY / "filter_videos_by_sync_score.py", *(path for f in folders for path in sorted(f.rglob("*.py")))]


MODULES = {module_name(path): path for path in our_files()}


def imports_of(name: str, *, at_import_only: bool = False) -> set[str]:
    """Every module that is imported anywhere in the file, also within functions and for types only."""
    tree = ast.parse(MODULES[name].read_text())
    if name == "syncnet":
        # What it hands on to other programs is named for type checkers only, and imported when it is asked for.
        tree.body = [node for node in tree.body if not isinstance(node, ast.If)]
    found = set()
    for node in tree.body if at_import_only else ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: write imports in full"
            submodules = {f"{node.module}.{alias.name}" for alias in node.names}
            found.update(submodules & MODULES.keys() or {str(node.module)})
    return found


def our_imports_of(name: str, *, at_import_only: bool = False) -> set[str]:
    imports = imports_of(name, at_import_only=at_import_only)
    return {imported for imported in imports if imported.split(".")[0] in OURS}


def rank(name: str) -> int:
    """``syncnet.media_audio`` belongs to ``syncnet.media``; a module that belongs nowhere needs a rank."""
    fitting = [prefix for prefix in RANKS if name == prefix or name.startswith((f"{prefix}.", f"{prefix}_"))]
    best = max(fitting, key=len, default="")
    assert best and (best != "syncnet" or name == "syncnet"), f"give {name} a rank in RANKS"
    return RANKS[best]


@pytest.mark.parametrize("name", MODULES)
def test_no_module_imports_upwards(name: str) -> None:
    upwards = {imported for imported in our_imports_of(name) if rank(imported) > rank(name)}
    assert not upwards


def test_no_module_imports_itself_in_a_circle() -> None:
    # A registry and what it loads know each other; it imports them when they are asked for.
    graph = {name: our_imports_of(name, at_import_only=True) - {name} for name in MODULES}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) >= len(MODULES)


@pytest.mark.parametrize(
    "name",
    [
        *("syncnet", "syncnet.errors", "syncnet.settings", "syncnet.cli"),
        *(n for n in MODULES if rank(n) == 1 and n not in FETCHING),
    ],
)
def test_what_help_and_set_up_need_is_standard_library_only(name: str) -> None:
    foreign = (
        {imported.split(".")[0] for imported in imports_of(name, at_import_only=True)}
        - sys.stdlib_module_names
        - set(OURS)
    )
    assert not foreign


def test_what_fetches_is_imported_only_where_it_is_needed() -> None:
    at_import = set().union(*(our_imports_of(name, at_import_only=True) for name in MODULES if name not in FETCHING))
    assert not at_import & set(FETCHING)
    assert "weights.fetch" in our_imports_of("weights")


def test_the_checks_above_see_what_they_look_for() -> None:
    assert "syncnet.engines" in our_imports_of("syncnet.report")
    assert "syncnet.session" in our_imports_of("syncnet.command"), "imports within functions count"
    assert rank("syncnet.report.results") > rank("syncnet.media_file") > rank("weights")

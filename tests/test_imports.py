"""Imports go one way, package by package: a package imports only those that stand above it in LAYERS."""

from __future__ import annotations

import ast
import graphlib
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
OURS = ("syncnet", "detectors", "weights", "filter_videos_by_sync_score")

LAYERS: tuple[tuple[str, ...], ...] = (
    # What everything may use.
    ("syncnet", "syncnet.errors", "syncnet.conventions"),
    ("syncnet.settings",),
    ("syncnet.system",),
    # The stages, in the order of the pipeline as far as they use each other.
    ("weights",),
    ("syncnet.models", "syncnet.media"),
    ("detectors",),
    ("syncnet.faces", "syncnet.scoring"),
    ("syncnet.reference", "syncnet.keepsake", "syncnet.verdict"),
    ("syncnet.overtime",),
    ("syncnet.results",),
    ("syncnet.people", "syncnet.repair"),
    ("syncnet.pipeline",),
    # A folder of videos.
    ("syncnet.inputs",),
    ("syncnet.placement", "syncnet.state", "syncnet.decisions"),
    ("syncnet.engines",),
    ("syncnet.report", "syncnet.stages"),
    ("syncnet.looks", "syncnet.scorer", "syncnet.evaluation"),
    ("syncnet.takeaway",),
    ("syncnet.run", "syncnet.cli"),
    ("syncnet.command",),
    ("syncnet.api", "syncnet.subcommands"),
    ("filter_videos_by_sync_score",),
)
"""Packages of one layer do not import each other."""

UPWARDS = {
    # `python -m weights check` is a command too: it scores the published example.
    ("weights.__main__", "syncnet.subcommands.published_check"),
}
"""The imports that go the other way, each with its reason. All of them are lazy."""

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


def package_of(name: str) -> str:
    """The room that a module is in: ``syncnet.media.sound`` is in ``syncnet.media``."""
    return ".".join(name.split(".")[: 2 if name.startswith("syncnet.") else 1])


def layer(package: str) -> int:
    (number,) = [n for n, packages in enumerate(LAYERS) if package in packages] or [-1]
    assert number >= 0, f"give {package} a layer in LAYERS"
    return number


@pytest.mark.parametrize("name", MODULES)
def test_no_module_imports_upwards(name: str) -> None:
    own = package_of(name)
    others = {imported for imported in our_imports_of(name) if package_of(imported) != own}
    upwards = {imported for imported in others if layer(package_of(imported)) >= layer(own)}
    assert not {(name, imported) for imported in upwards} - UPWARDS


def test_no_module_imports_itself_in_a_circle() -> None:
    # Lazy imports and those for types count too: who reads one module of a circle has to read all of it.
    graph = {name: our_imports_of(name) - {name} for name in MODULES}
    for importer, imported in UPWARDS:
        graph[importer] -= {imported}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) >= len(MODULES)


@pytest.mark.parametrize(
    "name",
    [
        *("syncnet", "syncnet.errors", "syncnet.settings", "syncnet.cli.request"),
        *(n for n in MODULES if package_of(n) == "weights" and n not in FETCHING),
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
    assert "syncnet.engines.activity" in our_imports_of("syncnet.report.progress")
    assert "syncnet.run.session" in our_imports_of("syncnet.command"), "imports within functions count"
    assert all(layer(package_of(imported)) > layer(package_of(importer)) for importer, imported in UPWARDS)
    assert all(imported in our_imports_of(importer) for importer, imported in UPWARDS)
    assert layer("syncnet.report") > layer("syncnet.media") > layer("weights")


def test_packages_are_empty_but_for_the_public_ones() -> None:
    # Whoever imports one module of a package must not pay for the others, nor look for code in two places.
    full = {name for name, path in MODULES.items() if path.name == "__init__.py" and imports_of(name)}
    assert full == {"syncnet", "syncnet.settings", "detectors.s3fd", "weights"}


def test_only_the_command_knows_the_command_line() -> None:
    # A request is checked where it is made, so that nothing but the command itself needs the parser.
    parsing = {imported for imported in MODULES if package_of(imported) == "syncnet.cli"}
    importers = {name for name in MODULES if package_of(name) != "syncnet.cli" and our_imports_of(name) & parsing}
    assert importers == {"syncnet.command"}


def test_few_modules_stand_beside_the_packages() -> None:
    beside = {name for name, path in MODULES.items() if path.parent.name == "syncnet" and path.name != "__init__.py"}
    assert len(beside) <= 20

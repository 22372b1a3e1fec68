"""The requirements files, what is said of them, and what is made from them agree."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from syncnet.report.montage import MATPLOTLIB
from syncnet.report.table import PYARROW

if sys.version_info >= (3, 11):
    import tomllib

FILES = (
    "requirements.txt",
    "requirements-ray.txt",
    "requirements-editors.txt",
    "requirements-remote.txt",
    "requirements-dev.txt",
)
REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)>=([0-9.]+)((?:,<[0-9.]+)?)(?:; [^#]*)?(?:\s*#.*)?$")


def bounds_of(path: Path) -> dict[str, tuple[str, str]]:
    """Name -> lowest version on the oldest Python, and what follows it; every line has to have one."""
    bounds = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith(("#", "-r ")):
            found = REQUIREMENT.match(line.partition(";")[0])
            assert found, f"{path.name}: {line}"
            # A second line of a name is for newer Pythons.
            bounds.setdefault(found[1], (found[2], found[3]))
    return bounds


@pytest.fixture(scope="module")
def all_bounds(repository: Path) -> dict[str, tuple[str, str]]:
    return {name: bounds for file in FILES for name, bounds in bounds_of(repository / file).items()}


def test_a_decoder_that_custom_channels_crash_is_taken_only_where_there_is_no_other(repository: Path) -> None:
    packaging = pytest.importorskip("packaging.requirements", reason="comes with pytest")
    lines = [line for line in (repository / "requirements.txt").read_text().splitlines() if line.startswith("av>")]
    for python, lowest in (("3.10", "17.1"), ("3.11", "17.1"), ("3.12", "19.0.2"), ("3.13", "19.0.2")):
        wanted = [packaging.Requirement(line) for line in lines]
        here = [one for one in wanted if one.marker is None or one.marker.evaluate({"python_version": python})]
        versions = ("17.1", "18.1", "19.0.1", "19.0.2", "19.9", "20.0")
        taken = [version for version in versions if all(one.specifier.contains(version) for one in here)]
        assert (taken[0], taken[-1]) == (lowest, "19.9")


def test_the_oldest_set_is_the_lower_bounds(repository: Path, all_bounds: dict[str, tuple[str, str]]) -> None:
    lines = (repository / "requirements-oldest.txt").read_text().splitlines()
    oldest = [line for line in lines if line and not line.startswith("#")]
    assert oldest == [f"{name}=={lowest}" for name, (lowest, _) in all_bounds.items()]


def test_a_name_has_the_same_bounds_wherever_it_stands(
    repository: Path, all_bounds: dict[str, tuple[str, str]]
) -> None:
    for file in FILES:
        for name, bounds in bounds_of(repository / file).items():
            assert bounds == all_bounds[name], f"{file}: {name}"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
def test_extras_and_build_have_the_bounds_of_the_files(
    repository: Path, all_bounds: dict[str, tuple[str, str]]
) -> None:
    project = tomllib.loads((repository / "pyproject.toml").read_text())
    extras = [entry for extra in project["project"]["optional-dependencies"].values() for entry in extra]
    assert len(extras) >= 5
    for entry in (*extras, *project["build-system"]["requires"], MATPLOTLIB, PYARROW):
        found = REQUIREMENT.match(entry)
        assert found, entry
        assert (found[2], found[3]) == all_bounds[found[1]], entry


def test_the_page_names_each_dependency_and_no_other(repository: Path, all_bounds: dict[str, tuple[str, str]]) -> None:
    page = (repository / "docs" / "dependencies.md").read_text().partition("## Bundled parts")[0]
    named = [row for row in re.findall(r"^\| ([\w.-]+) \|", page, re.MULTILINE) if row != "name"]
    assert sorted(named) == sorted(all_bounds)


def test_the_workflow_runs_the_same_commands_on_every_promised_python(repository: Path) -> None:
    workflow = (repository / ".github" / "workflows" / "ci.yml").read_text()
    elsewhere, windows = workflow.split("\n  windows:\n")
    # On Linux and on macOS.
    assert re.findall(r"^ +- run: (.*)$", elsewhere, re.MULTILINE) == ["make test", "make check"] * 2
    assert "-r requirements.txt -r requirements-dev.txt" in windows
    chosen = re.findall(r"tests/\w+\.py", windows)
    assert len(chosen) > 10 and all((repository / file).is_file() for file in chosen)
    (versions,) = re.findall(r"^ +python: \[(.*)\]$", workflow, re.MULTILINE)
    assert versions.replace('"', "").split(", ") == ["3.10", "3.11", "3.12", "3.13"]
    assert "requirements-oldest.txt" in workflow
    used = re.findall(r"uses: (\S+)", workflow)
    assert used
    assert all(re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", action) for action in used)
    lowest = re.search(r'requires-python = ">=([\d.]+)"', (repository / "pyproject.toml").read_text())
    assert lowest
    assert versions.startswith(f'"{lowest[1]}"')

"""What `pip install .` gives: the command and the library under one name, away from the checkout."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path, PurePosixPath

import pytest

FOLDERS = ("syncnet", "detectors", "weights")
MODEL_FILES = ("*.onnx", "*.pth", "*.model", "*.avi", "__pycache__")
"""What a user may have put there, and what Python has."""


@dataclass(frozen=True)
class Package:
    """The wheel, built from the source archive, and where it is installed."""

    wheel: Path
    site: Path
    checkout: Path
    """What it was built from: the sources as they were then."""

    def names(self) -> list[str]:
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.namelist()

    def read(self, ending: str) -> bytes:
        (name,) = (name for name in self.names() if name.endswith(ending))
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.read(name)

    def run(self, command: Sequence[str | Path], folder: Path) -> subprocess.CompletedProcess[str]:
        """Runs it in a folder from which the checkout is not to be seen."""
        environment = {**os.environ, "PYTHONPATH": str(self.site)}
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def package(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Package:
    work = tmp_path_factory.mktemp("package")
    checkout = work / "checkout"
    checkout.mkdir()
    for name in FOLDERS:
        shutil.copytree(repository / name, checkout / name, ignore=shutil.ignore_patterns(*MODEL_FILES))
    for pattern in ("*.toml", "*.txt", "*.in", "*.md", "LICENSE", "setup.py"):
        for path in repository.glob(pattern):
            shutil.copy(path, checkout)
    # The source archive is what others build wheels from: what it lacks, they lack.
    _python("-c", "from setuptools import build_meta; build_meta.build_sdist('..')", cwd=checkout)
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as sources:
        sources.extractall(work / "unpacked", filter="data")
    (sources_dir,) = (work / "unpacked").iterdir()
    _python("-c", "from setuptools import build_meta; build_meta.build_wheel('../..')", cwd=sources_dir)
    (wheel,) = work.glob("*.whl")
    _python("-m", "pip", "install", "--quiet", "--no-deps", "--target", work / "site", wheel, cwd=work)
    return Package(wheel, work / "site", checkout)


def _python(*arguments: str | Path, cwd: Path) -> None:
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_name_but_syncnet_is_taken(package: Package) -> None:
    first = {PurePosixPath(name).parts[0] for name in package.names()}
    assert {name for name in first if not name.endswith(".dist-info")} == {"syncnet"}


def test_every_module_and_every_file_of_the_checkout_is_there(package: Package) -> None:
    shipped = ("*.py", "*.json", "*.safetensors", "*.LICENSE", "assets/*", "py.typed")
    expected = set()
    for folder in FOLDERS:
        below = "" if folder == "syncnet" else "syncnet/"
        paths = {path for pattern in shipped for path in (package.checkout / folder).rglob(pattern)}
        expected |= {below + path.relative_to(package.checkout).as_posix() for path in paths}
    assert {name for name in package.names() if ".dist-info/" not in name} == expected
    assert {"syncnet/weights/lite.safetensors", "syncnet/report/assets/page.html"} <= expected


def test_imports_are_rewritten_and_lines_keep_their_numbers(package: Package) -> None:
    for path in sorted(package.site.glob("syncnet/**/*.py")):
        source = path.read_text()
        nodes = list(ast.walk(ast.parse(source)))
        imported = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        imported |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        assert not {name.split(".")[0] for name in imported} & {"detectors", "weights"}, path
        inside = path.relative_to(package.site)
        moved = inside.parts[1] in ("detectors", "weights")
        original = package.checkout / (inside.relative_to("syncnet") if moved else inside)
        assert source.count("\n") == original.read_text().count("\n"), path


def test_the_package_asks_for_what_requirements_txt_names(package: Package) -> None:
    metadata = message_from_bytes(package.read(".dist-info/METADATA"))
    required = [line.replace(" ", "") for line in metadata.get_all("Requires-Dist", [])]
    plain = {line for line in required if "extra==" not in line}
    lines = (package.checkout / "requirements.txt").read_text().splitlines()
    asked = {line.split("#")[0].replace(" ", "") for line in lines}
    assert {_sorted_bounds(line) for line in plain} == {_sorted_bounds(line) for line in asked if line}
    assert metadata["License-Expression"] == "MIT"
    assert any(name.endswith("licenses/LICENSE") for name in package.names())


def _sorted_bounds(requirement: str) -> tuple[str, ...]:
    """``av<19,>=14`` and ``av>=14,<19`` are the same."""
    bounds, _, where = requirement.replace(" ", "").partition(";")
    start = min(bounds.index(sign) for sign in "<>" if sign in bounds)
    return (bounds[:start], *sorted(bounds[start:].split(",")), where)


@pytest.mark.slow
def test_the_installed_command_sorts_videos_far_from_the_checkout(
    package: Package, repository: Path, tmp_path: Path
) -> None:
    videos = tmp_path / "videos"
    videos.mkdir()
    shutil.copy(repository / "samples" / "in_sync.mp4", videos)
    command = package.site / "bin" / "filter-videos-by-sync-score"
    done = package.run([command, "--input_dir", "videos", "--output_dir", "sorted", "--offline"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "sorted" / "good_quality" / "in_sync.mp4").is_file()
    document = json.loads((tmp_path / "sorted" / "sync_filter_results.json").read_text())
    assert (document["model"]["name"], document["model"]["verified"]) == ("lite", True)
    page = (tmp_path / "sorted" / "report.html").read_text()
    assert "filter-videos-by-sync-score --input_dir videos" in page
    assert "filter_videos_by_sync_score.py" not in page
    # What to type to get the published model is right here, where there is no `python -m weights`.
    assert "`filter-videos-by-sync-score weights fetch syncnet_v2.model`" in " ".join(done.stdout.split())


def test_the_installed_command_knows_its_model_files(package: Package, tmp_path: Path) -> None:
    done = package.run([package.site / "bin" / "filter-videos-by-sync-score", "weights"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"verified  {package.site / 'syncnet' / 'weights' / 'lite.safetensors'}" in done.stdout.splitlines()
    missing = [line for line in done.stdout.splitlines() if line.startswith("missing   syncnet_v2.model")]
    assert [line.partition(": ")[2] for line in missing] == [
        "filter-videos-by-sync-score weights fetch syncnet_v2.model"
    ]


def test_the_installed_library_is_one_package(package: Package, tmp_path: Path) -> None:
    code = "import importlib.util as u, syncnet.weights as w; from syncnet import SyncScorer; print(w.EMBEDDED_MODEL)\n"
    code += "print([u.find_spec(name) for name in ('weights', 'detectors')])"
    done = package.run([sys.executable, "-c", code], tmp_path)
    assert done.stdout.splitlines() == [f"{package.site}/syncnet/weights/lite.safetensors", "[None, None]"]

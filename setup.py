"""How the checkout becomes a package; everything else is in pyproject.toml.

In the checkout ``detectors`` and ``weights`` stand beside ``syncnet``. Installed, those names would be in the way of
other packages, so a wheel holds them as ``syncnet.detectors`` and ``syncnet.weights``, and their imports are written
anew while it is built (docs/architecture.md). Lines keep their numbers.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

MOVED = ("detectors", "weights")
_NAMES = "|".join(MOVED)
_FROM = re.compile(rf"^(\s*from )({_NAMES})\b", re.MULTILINE)
_IMPORT = re.compile(rf"^(\s*)import ({_NAMES})$", re.MULTILINE)


def with_moved_imports(source: str) -> str:
    """Python source of the checkout as it stands in a wheel."""
    return _IMPORT.sub(r"\1from syncnet import \2", _FROM.sub(r"\1syncnet.\2", source))


class BuildPy(build_py):
    """Copies the modules, with their imports as they are in a wheel."""

    def build_module(self, module: str, module_file: str, package: str) -> object:
        built = super().build_module(module, module_file, package)
        path = Path(built[0])
        path.write_text(with_moved_imports(path.read_text(encoding="utf-8")), encoding="utf-8")
        return built


if __name__ == "__main__":
    # An editable install is the checkout itself, with its own names.
    moved = {} if "editable_wheel" in sys.argv else {f"syncnet.{name}": name for name in MOVED}
    prefix = "syncnet." if moved else ""
    setup(
        packages=[
            *find_packages(include=["syncnet", "syncnet.*"]),
            *(prefix + name for name in find_packages(include=[f"{top}{end}" for top in MOVED for end in ("", ".*")])),
        ],
        package_dir=moved,
        package_data={
            "syncnet": ["py.typed"],
            "syncnet.report": ["assets/*"],
            f"{prefix}weights": ["*.json", "*.safetensors", "*.LICENSE"],
        },
        cmdclass={"build_py": BuildPy if moved else build_py},
    )

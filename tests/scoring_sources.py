"""A digest of the code that makes scores, and the version of the scoring that it was recorded for.

    python -m tests.scoring_sources

records both anew. Before that raise ``SCORING_VERSION`` (syncnet/state/records.py) where a score can come out in
another way: scores in a user's cache are found again by that number.
"""

from __future__ import annotations

import ast
import hashlib
import json
from pathlib import Path

from syncnet.state.records import SCORING_VERSION

REPOSITORY = Path(__file__).resolve().parent.parent
RECORDED = Path(__file__).with_suffix(".json")
STAGES = (
    "detectors",
    "syncnet/faces",
    "syncnet/media",
    "syncnet/models",
    "syncnet/overtime",
    "syncnet/reference",
    "syncnet/scoring",
    "syncnet/conventions.py",
    "syncnet/people.py",
    "syncnet/pipeline.py",
)


def digest_of_stages(repository: Path = REPOSITORY) -> str:
    """SHA-256 over the syntax of every file of the stages, so that comments, docstrings and layout do not count."""
    digest = hashlib.sha256()
    for stage in STAGES:
        path = repository / stage
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            name = file.relative_to(repository).as_posix()
            digest.update(f"{name}\n{syntax_of(file.read_text(encoding='utf-8'))}\n".encode())
    return digest.hexdigest()


def syntax_of(source: str) -> str:
    """The code as one line of text: the same for the same code, on every Python.

    ``ast.dump`` and ``ast.unparse`` write some of it in another way from one Python to the next.
    """
    tree = ast.parse(source)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # Docstrings, also those of constants and fields.
            node.body = [part for part in body if not _is_text(part)] or [ast.Pass()]  # type: ignore[attr-defined]
    return _dumped(tree)


def _dumped(node: object) -> str:
    if isinstance(node, ast.AST):
        fields = (f"{name}={_dumped(value)}" for name, value in ast.iter_fields(node) if value not in (None, []))
        return f"{type(node).__name__}({','.join(fields)})"
    return f"[{','.join(map(_dumped, node))}]" if isinstance(node, list) else repr(node)


def _is_text(part: ast.stmt) -> bool:
    return isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) and isinstance(part.value.value, str)


def record() -> None:
    told = {"scoring_version": SCORING_VERSION, "stages": digest_of_stages()}
    RECORDED.write_text(json.dumps(told, indent=2) + "\n")


if __name__ == "__main__":
    record()

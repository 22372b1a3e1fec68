"""The size of files and functions: what needs a section banner wants to be two."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
MOST_LINES_A_FILE, MOST_LINES_A_FUNCTION = 300, 60
REASON = "Long because "
FOLDERS = "syncnet", "detectors", "weights", "training", "benchmarks", "samples", "examples", "docs", "tests"


def python_files() -> list[Path]:
    in_folders = (path for folder in FOLDERS for path in sorted((REPOSITORY / folder).rglob("*.py")))
    return [*sorted(REPOSITORY.glob("*.py")), *in_folders]


def long_functions(tree: ast.Module) -> list[str]:
    """Their names, of those without a reason in the docstring."""
    return [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and (node.end_lineno or 0) - node.lineno >= MOST_LINES_A_FUNCTION
        and REASON not in (ast.get_docstring(node) or "")
    ]


def test_no_file_and_no_function_is_long_without_a_reason() -> None:
    long = []
    for path in python_files():
        source = path.read_text(encoding="utf-8")
        tree = ast.parse(source)
        if source.count("\n") > MOST_LINES_A_FILE and REASON not in (ast.get_docstring(tree) or ""):
            long.append(f"{path.relative_to(REPOSITORY)}: {source.count(chr(10))} lines")
        long += [f"{path.relative_to(REPOSITORY)}: {name}" for name in long_functions(tree)]
    assert long == []
    assert len(python_files()) > 200


@pytest.mark.parametrize(("lines", "reason", "found"), [(59, "", []), (60, "", ["f"]), (60, f"{REASON}it is.", [])])
def test_a_function_is_measured_with_its_head(lines: int, reason: str, found: list[str]) -> None:
    body = [f'    """{reason}"""', *["    pass"] * (lines - 2)]
    assert long_functions(ast.parse("\n".join(["def f():", *body, "    return"]))) == found

"""README and docs, taken apart: the commands in them, and what is quoted as their output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from docs.make_options import PARSERS

REPOSITORY = Path(__file__).resolve().parent.parent
PAGES = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for pattern in ("*.md", "docs/*.md", "weights/*.md", "training/*.md", "samples/*.md", "examples/*.md")
    for path in REPOSITORY.glob(pattern)
)
FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
STARTS = ("python ", ".venv/bin/python ", "make ", "pip ", "ffmpeg ", "PYTHON=", "*/10 ", "exec ")


def text_of(page: str) -> str:
    return (REPOSITORY / page).read_text()


@dataclass(frozen=True)
class Said:
    """What is quoted as the output of the command before it."""

    text: str


def commands_and_output(page: str) -> Iterator[str | Said]:
    """The commands in fences of no language or of bash, and the fences of text, in their order."""
    for fence in FENCE.finditer(text_of(page)):
        language, body = fence[1], fence[2]
        if language == "text":
            yield Said(body)
        elif language in ("", "bash"):
            lines = (re.sub(r"\s+#\s.*", "", line).strip() for line in body.replace("\\\n", " ").splitlines())
            yield from (plain(line) for line in lines if line.startswith(STARTS))


def commands_in_prose(page: str) -> list[str]:
    prose = FENCE.sub("", text_of(page))
    return [plain(code) for code in re.findall(r"`([^`]+)`", prose) if code.startswith(STARTS) and " " in code]


def plain(text: str) -> str:
    """One spelling of the Python of the checkout."""
    return re.sub(r"\s+", " ", text.replace(".venv/bin/python", "python")).removeprefix("exec ")


def all_commands() -> list[str]:
    fenced = [item for page in PAGES for item in commands_and_output(page) if isinstance(item, str)]
    calls = set(PARSERS)
    return sorted({*fenced, *(code for page in PAGES for code in commands_in_prose(page) if code not in calls)})
